"""What makes a text the genesis of an EOSIO or Antelope chain, as far as can be told without nodeos."""

from __future__ import annotations

import json
import re

GENESIS = "keys/chain/genesis.json"
"""Where the genesis lies in a deployed directory."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z?")
_KEY = re.compile(r"(EOS|PUB_[A-Z0-9]+_)[1-9A-HJ-NP-Za-km-z]{30,80}")


def what_is_wrong(text: str) -> str | None:
    """Return what is wrong with a genesis.json, None if nothing is."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "is no JSON; put it right, or restore it"
    if not isinstance(document, dict):
        return "is no genesis, but another kind of JSON; put it right, or restore it"
    for key, form in (("initial_timestamp", _TIMESTAMP), ("initial_key", _KEY)):
        value = document.get(key)
        if not isinstance(value, str) or not form.fullmatch(value):
            return f"is no genesis of nodeos: {key} is missing, or is none; put it right, or restore it"
    if not isinstance(document.get("initial_configuration", {}), dict):  # nodeos has defaults for what is missing
        return "is no genesis of nodeos: initial_configuration is none; put it right, or restore it"
    return None
