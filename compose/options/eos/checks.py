"""What options of an EOSIO or Antelope network have to do with each other."""

from __future__ import annotations

from compose.options.eos.models import Options
from compose.options.notes import Notes


def settled(options: Options, notes: Notes) -> Options:
    """Return the options as they are worked with; mistakes and remarks are noted."""
    del notes
    return options
