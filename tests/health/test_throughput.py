"""What the blocks hold and how fast they come."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.assessment import Traffic
from collector.health.making import Throughput
from collector.observations import Block

BEGAN = 1_800_000_000.0


def chain(times: Sequence[float], transactions: Sequence[int | None], **content: float) -> list[Block]:
    """Return blocks of these times and contents, ascending."""
    return [
        Block(n, f"{n:x}", BEGAN + at, f"{n - 1:x}", transactions=count, **content)  # type: ignore[arg-type]
        for n, (at, count) in enumerate(zip(times, transactions, strict=True), 1)
    ]


def traffic(blocks: Sequence[Block], stood: float = 0.0) -> Traffic:
    """Return what is said of a chain whose blocks all settled, and that has stood for so long."""
    throughput = Throughput()
    throughput.settled(blocks)
    throughput.assess(blocks[::-1], 0.0)
    said = throughput.assess(blocks[::-1], stood)
    assert said is not None
    return said


def test_transactions_per_second_are_those_that_came_between_the_first_and_the_last_block() -> None:
    said = traffic(chain([0, 15, 30, 45], [100, 15, 0, 30]))
    assert (said.blocks, said.seconds, said.transactions_per_second) == (4, 45, 1.0)
    assert said.peak_transactions_per_second == 2.0
    assert said.empty_share == 0.25
    assert (said.interval, said.interval_p95) == (15, 15)


def test_a_peak_is_taken_over_a_second_at_least() -> None:
    """Ten in one block of half a second, and none in the next, are ten per second and not twenty."""
    times = [0.5 * i for i in range(40)]
    assert traffic(chain(times, [0, 10] * 20)).peak_transactions_per_second == 10.0
    assert traffic(chain(times, [0] * 38 + [10, 10])).peak_transactions_per_second == 20.0
    assert traffic(chain([0, 0, 0, 1, 1], [5, 5, 5, 3, 4])).peak_transactions_per_second == 7.0


def test_the_peak_outlasts_the_blocks_that_made_it() -> None:
    throughput = Throughput()
    throughput.settled(chain([0, 1, 2], [0, 50, 0]))
    said = throughput.assess(chain([100, 101, 102], [1, 1, 1])[::-1])
    assert said is not None
    assert (said.transactions_per_second, said.peak_transactions_per_second) == (1.0, 50.0)


def test_a_gap_or_a_block_that_does_not_tell_makes_no_peak() -> None:
    blocks = chain([0, 1, 2, 3], [0, 1, 500, 1])
    throughput = Throughput()
    throughput.settled([blocks[0], blocks[1], blocks[3]])
    said = throughput.assess(blocks[::-1])
    assert said is not None
    assert said.peak_transactions_per_second == 1.0
    assert traffic(chain([0, 1, 2, 3], [0, 1, None, 500])).peak_transactions_per_second == 1.0


def test_while_no_block_comes_the_rate_falls() -> None:
    said = traffic(chain([0, 10, 20], [0, 10, 10]), stood=80.0)
    assert (said.seconds, said.transactions_per_second) == (100, 0.2)


def test_the_newest_block_may_not_tell_yet_what_it_holds() -> None:
    said = traffic(chain([0, 10, 20, 30], [7, 10, 10, None]))
    assert said.transactions_per_second == 1.0
    assert said.empty_share == 0.0


def test_what_blocks_do_not_tell_is_unknown() -> None:
    said = traffic(chain([0, 1, 2], [None, None, None]))
    assert (said.transactions_per_second, said.peak_transactions_per_second, said.empty_share) == (None, None, None)
    assert (said.gas_share, said.cpu_per_block, said.net_bytes_per_block) == (None, None, None)
    assert Throughput().assess([]) is None
    assert Throughput().assess(chain([0], [1])) is None


def test_gas_cpu_and_bandwidth_are_told_of_the_blocks() -> None:
    said = traffic(chain([0, 15], [1, 1], gas_used=2_000_000, gas_limit=8_000_000))
    assert said.gas_share == 0.25
    said = traffic(chain([0, 0.5], [1, 1], cpu_seconds=0.002, net_bytes=512))
    assert (said.cpu_per_block, said.net_bytes_per_block) == (0.002, 512)


def test_blocks_long_before_the_newest_do_not_count() -> None:
    times = [15.0 * i for i in range(200)]
    said = traffic(chain(times, [15] * 200))
    assert (said.blocks, said.seconds, said.transactions_per_second) == (41, 600, 1.0)
    said = traffic(chain([0.5 * i for i in range(1000)], [1] * 1000))
    assert (said.blocks, said.transactions_per_second) == (256, 2.0)


def test_an_interval_tells_its_spread() -> None:
    times, at = [], 0.0
    for number in range(100):
        at += 6.5 if number % 10 == 9 else 0.5
        times.append(at)
    said = traffic(chain(times, [1] * 100))
    assert said.interval == pytest.approx(0.5)
    assert said.interval_p95 == pytest.approx(6.5)


def test_blocks_of_one_moment_have_no_rate() -> None:
    """A Clique chain of period 0 may make many within a second."""
    said = traffic(chain([0, 0, 0], [1, 1, 1]))
    assert (said.interval, said.transactions_per_second) == (0, None)


BLOCKS = st.builds(
    Block,
    number=st.sampled_from([-1, 0, 1, 2, 3, 10**30]),
    hash=st.sampled_from(["", "1"]),
    timestamp=st.sampled_from([0.0, -1.0, 1.8e9, 1.8e9 + 0.5, 9e10, 1e300, float("inf"), float("nan")]),
    transactions=st.sampled_from([None, -1, 0, 5, 10**400]),
    gas_used=st.sampled_from([None, 0, 10**400]),
    gas_limit=st.sampled_from([None, 0, 1, 10**400]),
    cpu_seconds=st.sampled_from([None, 0.0, 1e308, float("nan")]),
    net_bytes=st.sampled_from([None, 0, -5, 10**400]),
)


@given(st.lists(st.tuples(st.lists(BLOCKS, max_size=6), st.sampled_from([None, 0.0, 1.8e9])), max_size=8))
def test_whatever_is_told_nothing_fails_and_no_share_exceeds_the_whole(
    told: list[tuple[list[Block], float | None]],
) -> None:
    throughput = Throughput()
    for blocks, seen in told:
        throughput.settled(blocks)
        said = throughput.assess(blocks, seen)
        if said is not None:
            assert said.gas_share is None or 0 <= said.gas_share <= 1
            assert said.empty_share is None or 0 <= said.empty_share <= 1
            assert said.transactions_per_second is None or said.transactions_per_second >= 0
