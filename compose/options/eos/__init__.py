"""The options of an EOSIO or Antelope network (nodeos)."""
