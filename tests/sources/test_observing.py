"""What is made of the curated readings of a source that tells no more than these."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.catalogue import CHAIN, NODES
from collector.observations import Block, Network, Observation
from collector.readings import Kind, Reading, Value
from collector.shapes import Shapes
from collector.sources.observing import observation_of

INFO = [metric for metric in NODES if metric.field == "info"]


def readings(values: dict[str, Value], **tags: str) -> list[Reading]:
    """Return what a source returns that has these values, and says that of itself."""
    shapes = Shapes({"chain": "lab", "node": "a", "role": ""})
    shapes.begin()
    info = [shapes.curated(INFO, {"info": 1}, **tags)] if tags else []
    return info + ([shapes.curated(CHAIN, values)] if values else [])


def test_curated_readings_are_an_observation() -> None:
    values: dict[str, Value] = {
        "head_block_number": 12.0,
        "head_block_timestamp_seconds": 1_000,
        "head_block_hash": "aa",
        "head_block_parent_hash": "bb",
        "head_block_producer": "alice",
        "head_block_transactions": 3,
        "finalized_block_number": 10,
        "finalized_block_timestamp_seconds": 990.5,
        "peers": 4,
        "syncing": 0,
        "producer_paused": 1,
        "txpool_pending": 7,
    }
    told = observation_of(readings(values, version="x/1", chain_id="5", network_id="6"), at=1_001.0, took=0.25)
    assert told == Observation(
        at=1_001.0,
        took=0.25,
        head=Block(12, "aa", 1_000.0, parent="bb", maker="alice", transactions=3),
        finalized=10,
        finalized_at=990.5,
        network=Network(chain_id="5", network_id="6"),
        version="x/1",
        peer_count=4,
        syncing=False,
        paused=True,
        pool=7,
    )


def test_a_head_without_a_hash_can_not_be_compared_but_has_its_height() -> None:
    told = observation_of(readings({"head_block_number": 12, "head_block_timestamp_seconds": 9}), at=1.0)
    assert told == Observation(at=1.0, head=Block(12, "", 9.0))


def test_a_head_without_its_time_is_none() -> None:
    told = observation_of(readings({"head_block_number": 12}), at=1.0)
    assert told == Observation(at=1.0)


def test_nothing_told_is_no_observation() -> None:
    assert observation_of([], at=1.0) is None


FIELDS = st.sampled_from([metric for metric in CHAIN if metric.kind is not Kind.TEXT])


@settings(max_examples=50)
@given(st.dictionaries(FIELDS.map(lambda metric: metric.field), st.integers() | st.floats(allow_nan=False)))
def test_whatever_numbers_a_source_tells_none_is_out_of_range(values: dict[str, int | float]) -> None:
    told = observation_of(readings({**values}), at=1.0)
    if told is None:
        assert not values
        return
    heights = [told.finalized, told.best_known, told.head.number if told.head else None, told.peer_count]
    assert all(height is None or 0 <= height < 2**63 for height in heights)
