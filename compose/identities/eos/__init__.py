"""Who signs the blocks of an EOSIO or Antelope network, and how its chain begins."""
