"""What sources share in telling of a node what comparisons need, and what is made of readings where they can't."""

from __future__ import annotations

from collections.abc import Sequence

from collector.observations import Block, Network, Observation
from collector.readings import Reading, Value

MOST_PEERS = 1_000
"""Peers of one node that are looked at; geth takes 50 and nodeos 25 unless told otherwise."""

LONGEST_NAME = 120
"""Characters of a name, address or key that a node or its peer gives itself."""

BLOCKS_SHARE = 0.9
"""Share of the gather's time after which no more is asked of a node, nor waited for, beside what has come: blocks that
are missing are asked for again, and a gather that failed would be lost whole."""


def whole(value: Value | None) -> int:
    """Return a number that is a block's, or a count. Raises ValueError for what no chain comes to."""
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"a number beyond all chains: {value!r:.40}")
    return value


def observation_of(readings: Sequence[Reading], at: float, took: float = 0.0) -> Observation | None:
    """Return what the curated readings of one gather tell of the node; None where they tell nothing.

    For sources that are not Comparable. `at` and `took` are as in Observation. A number that no chain comes to, a
    negative one or one beyond 63 bits, is taken as not told.
    """
    values: dict[str, Value] = {}
    tags: dict[str, str] = {}
    for reading in readings:
        if reading.shape.measurement == "chain":
            values |= reading.as_dict()
        elif reading.shape.measurement == "chain_node":
            tags |= dict(reading.shape.tags)
    tags = {name: tags[name] for name in ("version", "chain_id", "network_id") if name in tags}
    if not values and not tags:
        return None
    return Observation(
        at=at,
        took=took,
        head=_head(values),
        finalized=_count(values.get("finalized_block_number")),
        finalized_at=_moment(values.get("finalized_block_timestamp_seconds")),
        best_known=_count(values.get("fork_database_head_block_number")),
        network=Network(chain_id=tags.get("chain_id", ""), network_id=tags.get("network_id", "")),
        version=tags.get("version", ""),
        peer_count=_count(values.get("peers")),
        finalizers=_count(values.get("finalizers")),
        paused=_flag(values.get("producer_paused")),
        syncing=_flag(values.get("syncing")),
        pool=_count(values.get("txpool_pending")),
    )


def _head(values: dict[str, Value]) -> Block | None:
    number = _count(values.get("head_block_number"))
    timestamp = _moment(values.get("head_block_timestamp_seconds"))
    if number is None or timestamp is None:
        return None
    return Block(
        number=number,
        hash=_text(values.get("head_block_hash")),
        timestamp=timestamp,
        parent=_text(values.get("head_block_parent_hash")),
        maker=_text(values.get("head_block_producer")),
        difficulty=_count(values.get("head_block_difficulty")),
        transactions=_count(values.get("head_block_transactions")),
        gas_used=_count(values.get("head_block_gas_used")),
        gas_limit=_count(values.get("head_block_gas_limit")),
    )


def _count(value: Value | None) -> int | None:
    """Return a number of blocks or the like, also one that a source has as a float."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


def _moment(value: Value | None) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < 2**63 else None


def _flag(value: Value | None) -> bool | None:
    return None if value is None else value == 1


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
