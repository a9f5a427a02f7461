"""The options of an EOSIO or Antelope network (nodeos)."""

from compose.options.eos.checks import settled

__all__ = ["settled"]
