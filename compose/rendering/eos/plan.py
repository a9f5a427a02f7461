"""An EOSIO or Antelope network as a whole."""

from __future__ import annotations

from compose.options.eos.models import Options
from compose.rendering.plan import Plan


def plan(options: Options, source: str | None) -> Plan:
    """Return the network's plan; `source` is where the image of chainwatch is built from, None if it isn't."""
    raise NotImplementedError(options, source)
