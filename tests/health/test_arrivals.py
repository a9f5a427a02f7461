"""How long after the first sighting of a block each node had it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.nodes import Arrivals
from collector.health.nodes.arrivals import LAST_BLOCKS, MOST_BLOCKS
from collector.observations import Block

START = 1_700_000_000.0
UNKNOWN = (None, None)


def chain(length: int, period: float = 0.5, missing: Sequence[int] = ()) -> dict[int, Block]:
    """Return a chain by numbers; `missing` are slots that stayed empty."""
    slots = [slot for slot in range(length + len(missing)) if slot not in missing]
    return {number: Block(number, f"0x{number}", START + slot * period) for number, slot in enumerate(slots)}


# Pushes


def test_delays_are_from_the_first_sighting_by_anybody() -> None:
    main, arrivals = chain(101), Arrivals()
    for number, block in main.items():
        arrivals.pushed("first", block, block.timestamp + 0.1)
        arrivals.pushed("second", block, block.timestamp + 0.3)
        arrivals.pushed("third", block, block.timestamp + (5.1 if number < 10 else 0.6))
    arrivals.judge(main.get, 100)
    assert arrivals.of("first") == (0.0, 0.0)
    assert arrivals.of("second") == pytest.approx((0.2, 0.2))
    assert arrivals.of("third") == pytest.approx((0.5, 5.0))
    assert arrivals.chain() == pytest.approx((0.2, 0.5))
    assert arrivals.of("nobody") == UNKNOWN


def test_a_node_that_pushes_alone_is_compared_with_nobody() -> None:
    main, arrivals = chain(10), Arrivals()
    for block in main.values():
        arrivals.pushed("n1", block, block.timestamp)
    arrivals.judge(main.get, 9)
    assert arrivals.of("n1") == arrivals.chain() == UNKNOWN


def test_only_the_last_blocks_of_the_chain_count() -> None:
    main, arrivals = chain(1000), Arrivals()
    for number, block in main.items():
        arrivals.pushed("n1", block, block.timestamp)
        arrivals.pushed("n2", block, block.timestamp + (60 if number < 1000 - LAST_BLOCKS else 1))
    for number in range(50):
        arrivals.pushed("n1", Block(10**30, f"0xbad{number}", START), START)
        arrivals.pushed("n2", Block(10**30, f"0xbad{number}", START), START + 1e6)
    arrivals.judge(main.get, 999)
    assert arrivals.of("n2") == (1.0, 1.0)
    assert len(arrivals._blocks) == MOST_BLOCKS


def test_a_node_is_forgotten() -> None:
    main, arrivals = chain(10), Arrivals()
    for block in main.values():
        for delay, node in enumerate(("n1", "n2", "n3")):
            arrivals.pushed(node, block, block.timestamp + delay)
    arrivals.forget("n1")
    arrivals.judge(main.get, 9)
    assert arrivals.of("n1") == UNKNOWN
    assert arrivals.of("n2") == (0.0, 0.0)


# Gathers


def gathered(
    nodes: dict[str, float], *, wrong: float = 0.0, missing: Sequence[int] = (), period: float = 0.5
) -> Arrivals:
    """Return what is known after gathers every 10 s of nodes that lag by so many seconds.

    The collector's clock is `wrong` by so many seconds.
    """
    main, arrivals = chain(1200, period, missing), Arrivals()
    for tick in range(1, 60):
        now = START + 10.0 * tick
        for node, lag in nodes.items():
            head = max(
                (block for block in main.values() if block.timestamp + lag <= now), key=lambda block: block.number
            )
            arrivals.asked(node, head, now + wrong, now + wrong + 0.01)
        arrivals.judge(main.get, 1199)
    return arrivals


@pytest.mark.parametrize("wrong", [0.0, 30.0, -30.0])
def test_in_health_no_node_has_a_delay_whatever_the_clock(wrong: float) -> None:
    arrivals = gathered({"n1": 0.05, "n2": 0.2, "n3": 0.3}, wrong=wrong)
    assert [arrivals.of(f"n{number}") for number in (1, 2, 3)] == [(0.0, 0.0)] * 3
    assert arrivals.chain() == (0.0, 0.0)


@pytest.mark.parametrize("wrong", [0.0, 30.0, -30.0])
def test_a_node_that_lags_has_a_delay_that_is_never_too_great(wrong: float) -> None:
    arrivals = gathered({"n1": 0.05, "slow": 4.2}, wrong=wrong)
    assert arrivals.of("n1") == (0.0, 0.0)
    median, p95 = arrivals.of("slow")
    assert median is not None
    assert p95 is not None
    assert 2.9 <= median <= p95 <= 4.2


def test_slots_that_stay_empty_are_no_delay() -> None:
    arrivals = gathered({"n1": 0.05, "n2": 0.2}, missing=[slot for slot in range(1200) if slot % 48 < 12])
    assert arrivals.chain() == (0.0, 0.0)


def test_a_gather_counts_once_the_block_after_its_head_is_known() -> None:
    main, arrivals = chain(100), Arrivals()
    arrivals.asked("n1", main[50], START + 25, START + 25.01)
    known = {number: block for number, block in main.items() if number <= 50}
    arrivals.judge(known.get, 50)
    assert arrivals.of("n1") == UNKNOWN
    arrivals.asked("n1", main[60], START + 30, START + 30.01)
    arrivals.judge(main.get, 99)
    assert arrivals.of("n1") == (0.0, 0.0)


def test_a_head_that_is_none_of_the_chains_tells_nothing() -> None:
    main, arrivals = chain(100), Arrivals()
    for number in range(50):
        arrivals.asked("n1", Block(number, "0xother", START), START + 1000, START + 1000)
        arrivals.judge(main.get, 99)
    assert arrivals.of("n1") == UNKNOWN


def test_pushes_tell_more_than_gathers() -> None:
    main, arrivals = chain(100), Arrivals()
    for number in range(90):
        for node, delay in (("n1", 0.0), ("n2", 0.25)):
            arrivals.pushed(node, main[number], main[number].timestamp + delay)
            arrivals.asked(node, main[number], main[number].timestamp + 5, main[number].timestamp + 5)
    arrivals.judge(main.get, 99)
    assert arrivals.of("n2") == (0.25, 0.25)


_TOLD = [("n1", 0.0), ("n2", 0.25), ("n3", 1.0)]


@given(st.permutations([(number, *each) for number in range(20) for each in _TOLD]), st.integers(0, 60))
def test_no_order_and_no_repetition_matters(order: list[tuple[int, str, float]], again: int) -> None:
    main, arrivals = chain(20), Arrivals()
    for number, node, delay in [*order, *order[:again]]:
        arrivals.pushed(node, main[number], main[number].timestamp + delay)
        arrivals.judge(main.get, 19)
    assert [arrivals.of(node) for node, _ in _TOLD] == [(delay, delay) for _, delay in _TOLD]


@given(st.lists(st.tuples(st.integers(2, 59), st.sampled_from([0.05, 0.2, 0.3])), max_size=60))
def test_no_order_or_loss_of_gathers_makes_a_delay(told: list[tuple[int, float]]) -> None:
    main, arrivals = chain(1200), Arrivals()
    for tick, lag in told:
        now = START + 10.0 * tick
        arrivals.asked(f"n{lag}", main[int((10 * tick - lag) / 0.5)], now, now + 0.01)
        arrivals.judge(main.get, 1199)
    assert arrivals.chain() in (UNKNOWN, (0.0, 0.0))


_BLOCKS = st.builds(Block, st.integers(-3, 3) | st.integers(), st.sampled_from(["", "a", "b", "c"]), st.floats())
_CALLS = st.tuples(st.sampled_from("xyz"), _BLOCKS, st.floats(), st.none() | st.floats())


@given(st.lists(_CALLS, max_size=40), st.integers(-5, 5) | st.integers())
def test_any_blocks_are_taken(calls: list[tuple[str, Block, float, float | None]], tip: int) -> None:
    arrivals = Arrivals()
    main = {block.number: block for _, block, _, _ in calls}
    for node, block, at, by in calls:
        if by is None:
            arrivals.pushed(node, block, at)
        else:
            arrivals.asked(node, block, at, by)
        arrivals.judge(main.get, tip)
    assert all(delay is None or delay >= 0 for node in "xyz" for delay in arrivals.of(node))
