"""How an EOSIO or Antelope chain begins: when, by which key, and with which limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from compose.identities.errors import Unusable
from compose.options.eos.genesis import what_is_wrong

Genesis = Mapping[str, Any]

CONFIGURATION = {
    "max_block_net_usage": 1_048_576,
    "target_block_net_usage_pct": 1_000,
    "max_transaction_net_usage": 524_288,
    "base_per_transaction_net_usage": 12,
    "net_usage_leeway": 500,
    "context_free_discount_net_usage_num": 20,
    "context_free_discount_net_usage_den": 100,
    "max_block_cpu_usage": 200_000,
    "target_block_cpu_usage_pct": 1_000,
    "max_transaction_cpu_usage": 150_000,
    "min_transaction_cpu_usage": 100,
    "max_transaction_lifetime": 3_600,
    "deferred_trx_expiration_window": 600,
    "max_transaction_delay": 3_888_000,
    "max_inline_action_size": 524_288,
    "max_inline_action_depth": 4,
    "max_authority_depth": 6,
}
"""nodeos's own defaults, as `--extract-genesis-json` prints them. A chain changes them later by `setparams`."""


def build(public_key: str, now: datetime) -> Genesis:
    """Return the genesis of a new chain whose first producer signs with this key.

    The time is part of the chain's id: a chain that begins anew is another one.
    """
    return {
        # Whole seconds: a block's time is a multiple of half of one.
        "initial_timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000"),
        "initial_key": public_key,
        "initial_configuration": CONFIGURATION,
    }


def text_of(genesis: Genesis) -> str:
    """Return the text of a genesis' file."""
    return json.dumps(genesis, indent=2) + "\n"


def read_genesis(text: str, where: str) -> Genesis:
    """Return a genesis that somebody may have edited. Raises Unusable unless it is one."""
    if wrong := what_is_wrong(text):
        raise Unusable(f"{where}: {wrong}")
    found: dict[str, Any] = json.loads(text)
    return found
