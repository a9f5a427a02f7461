"""Clocks that are wrong, and lag and stalls that only look like it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.nodes import ChainClock, NodeClocks
from collector.health.nodes.clocks import MOST_SIGHTINGS, SAMPLES
from collector.observations import Block

START = 1_700_000_000.0

# The clocks of nodes


def sampled(*skews: float, within: float = 0.5) -> float | None:
    """Return the clock of a node that told it so, 10 s apart."""
    clocks = NodeClocks()
    for number, skew in enumerate(skews):
        clocks.saw("n1", skew, within, START + 10 * number)
    return clocks.of("n1")


def test_a_clock_that_is_right_is_right_within_what_a_sample_knows() -> None:
    skew = sampled(0.4, -0.3, 0.2)
    assert skew is not None
    assert abs(skew) < 0.5


def test_samples_that_know_little_narrow_each_other_down() -> None:
    true = 3.07
    skew = sampled(*(true + error / 10 for error in (-4, 4, -2, 3, 0)))
    assert skew is not None
    assert abs(skew - true) < 0.2


def test_one_sample_says_nothing_nor_one_that_stands_alone() -> None:
    assert sampled() is None
    assert sampled(30.0) is None
    assert sampled(0.0, 0.0, 30.0) is None


def test_a_clock_that_was_set_is_told_with_the_second_sample_that_says_so() -> None:
    assert sampled(0.0, 0.0, 30.0, 30.2) == pytest.approx(30.1)
    assert sampled(30.0, 30.2, 0.0, 0.0) == pytest.approx(0.0)


def test_a_slow_answer_knows_less_but_says_nothing_wrong() -> None:
    clocks = NodeClocks()
    clocks.saw("n1", 30.0, 0.5, START)
    clocks.saw("n1", 27.0, 5.0, START + 10)
    assert clocks.of("n1") == pytest.approx(30.0)


def test_a_node_is_forgotten_and_its_memory_bounded() -> None:
    clocks = NodeClocks()
    for number in range(100):
        clocks.saw("n1", 1.0, 0.5, START + number)
        clocks.saw("n1", 1.0, 0.5, START + number)
    assert len(clocks._samples["n1"]) == SAMPLES
    clocks.forget("n1")
    clocks.forget("n1")
    assert clocks.of("n1") is None


@given(st.permutations(range(SAMPLES)), st.lists(st.floats(-0.5, 0.5), min_size=SAMPLES, max_size=SAMPLES))
def test_no_order_of_samples_matters_and_a_clock_that_is_right_is_never_wrong(
    order: Sequence[int], errors: list[float]
) -> None:
    clocks = NodeClocks()
    for number in order:
        clocks.saw("n1", errors[number], 0.5, START + 10 * number)
    skew = clocks.of("n1")
    assert skew == sampled(*errors)
    assert skew is not None
    assert abs(skew) <= 0.5


_ANY = st.floats() | st.sampled_from([1e308, -1e308])


@given(st.lists(st.tuples(_ANY, _ANY, _ANY), max_size=20))
def test_any_samples_are_taken(samples: list[tuple[float, float, float]]) -> None:
    clocks = NodeClocks()
    for skew, within, at in samples:
        clocks.saw("n1", skew, within, at)
    skew_of = clocks.of("n1")
    assert skew_of is None or skew_of == skew_of  # noqa: PLR0124 - no NaN


# The clock of the chain


class Chain:
    """A chain whose block times are by a clock that is `fast`: seen by nodes, and gathered every 10 s."""

    def __init__(self, period: float, makers: Sequence[str] = ("a", "b", "c"), fast: float = 0.0) -> None:
        self.period = period
        self.makers = makers
        self.fast = fast
        self.clock = ChainClock()
        self.blocks: dict[int, Block] = {}

    def block(self, number: int, fast: float | None = None) -> Block:
        """Return a block of the chain; `fast` is how far its own maker's clock is."""
        made = START + number * self.period
        if number not in self.blocks:
            timestamp = made + (self.fast if fast is None else fast)
            maker = self.makers[number % len(self.makers)]
            self.blocks[number] = Block(number, f"0x{number}", timestamp, maker=maker)
        return self.blocks[number]

    def gather(self, nodes: dict[str, float], ticks: Iterable[int], took: float = 0.01) -> None:
        """Gather nodes, that are so many seconds behind the chain, at ticks of 10 s."""
        for tick in ticks:
            for node, lag in nodes.items():
                at = START + 10.0 * tick
                number = int((at - lag - START) / self.period)
                self.clock.saw(node, self.block(max(0, number)), at + took)

    def ahead(self, period: float | None = None, main: Callable[[int], Block | None] | None = None) -> float | None:
        """Return what is said of its clock."""
        return self.clock.ahead(main or self.blocks.get, self.period if period is None else period)


NODES = {"n1": 0.2, "n2": 0.3}


@pytest.mark.parametrize("period", [0.5, 3.0, 15.0])
def test_in_health_block_times_are_right(period: float) -> None:
    chain = Chain(period)
    chain.gather(NODES, range(1, 100))
    assert str(chain.ahead()) == "0.0"


def test_blocks_a_little_before_their_time_are_health() -> None:
    chain = Chain(0.5, fast=0.4)
    chain.gather({"n1": 0.0}, range(1, 100), took=0.0)
    assert chain.ahead() == 0.0


def test_nothing_is_known_before_some_blocks_were_seen() -> None:
    chain = Chain(15)
    assert chain.ahead() is None
    chain.gather(NODES, range(2))
    assert chain.ahead() is None


@pytest.mark.parametrize("period", [0.5, 3.0, 15.0])
def test_block_times_of_the_future_are_told_by_the_least_that_they_are(period: float) -> None:
    chain = Chain(period)
    chain.gather(NODES, range(1, 50))
    chain.fast = 30.0
    chain.gather(NODES, range(50, 60))
    ahead = chain.ahead()
    assert ahead is not None
    assert 30 - period - 0.3 <= ahead <= 30


def test_it_is_over_soon_after_the_clock_is_set() -> None:
    chain = Chain(3.0, fast=30.0)
    chain.gather(NODES, range(1, 50))
    chain.fast = 0.0
    chain.gather(NODES, range(50, 62))
    assert chain.ahead() == 0.0


def test_one_maker_of_three_whose_clock_is_fast_is_not_the_chain() -> None:
    chain = Chain(10)
    for number in range(40):
        chain.block(number, fast=30.0 if number % 3 == 0 else 0.0)
    chain.gather(NODES, range(1, 40))
    assert chain.ahead() == 0.0
    for number in range(40, 80):
        chain.block(number, fast=0.0 if number % 3 == 0 else 30.0)
    chain.gather(NODES, range(40, 80))
    ahead = chain.ahead()
    assert ahead is not None
    assert ahead > 30 - chain.period - 0.3


def test_the_clock_of_the_only_maker_is_that_of_the_chain() -> None:
    for makers in (["a"], [""]):
        chain = Chain(0.5, makers, fast=30.0)
        chain.gather(NODES, range(1, 20))
        ahead = chain.ahead()
        assert ahead is not None
        assert ahead > 30 - chain.period - 0.3


def test_what_one_node_makes_up_says_nothing() -> None:
    chain = Chain(3.0)
    chain.gather(NODES, range(1, 50))
    for number in range(100):
        chain.clock.saw("liar", Block(10**30 + number, f"0xbad{number}", START + 1e9), START + 500)
        chain.clock.saw("liar", Block(160, f"0xworse{number}", START + 1e9), START + 500)
    assert chain.ahead() == 0.0


def test_block_times_of_the_past_are_told_where_two_nodes_never_see_younger_ones() -> None:
    chain = Chain(3.0, fast=-60.0)
    chain.gather(NODES, range(1, 20))
    assert chain.ahead() == 0.0  # it may be anything yet
    chain.gather(NODES, range(20, 50))
    ahead = chain.ahead()
    assert ahead is not None
    assert -63.5 < ahead <= -60


def test_the_lag_of_one_node_is_no_clock() -> None:
    for nodes in ({"n1": 0.2, "slow": 60.0}, {"slow": 60.0}, {"slow": 60.0, "slower": 200.0}):
        chain = Chain(3.0)
        chain.gather(nodes, range(1, 100))
        assert chain.ahead() == 0.0


def test_the_lag_of_one_node_is_no_clock_though_the_others_are_down() -> None:
    chain = Chain(3.0)
    chain.gather({**NODES, "slow": 60.0}, range(1, 100))
    chain.gather({"slow": 60.0}, range(100, 200))
    assert chain.ahead() == 0.0


def test_a_stall_is_no_clock() -> None:
    chain = Chain(3.0)
    chain.gather(NODES, range(1, 50))
    head = max(chain.blocks)
    for tick in range(50, 150):
        for node in NODES:
            chain.clock.saw(node, chain.blocks[head], START + 10.0 * tick)
    assert chain.ahead() == 0.0


def test_nodes_that_catch_up_are_no_clock() -> None:
    chain = Chain(3.0)
    for tick in range(1, 100):
        for node in NODES:
            chain.clock.saw(node, chain.block(tick * 30), START + 1e6 + 10.0 * tick)
    assert chain.ahead() == 0.0


def test_without_a_period_nothing_is_behind() -> None:
    chain = Chain(3.0, fast=-60.0)
    chain.gather(NODES, range(1, 50))
    assert chain.clock.ahead(chain.blocks.get, None) == 0.0


def test_its_memory_is_bounded() -> None:
    chain = Chain(0.5)
    chain.gather(NODES, range(1, 2000))
    assert len(chain.clock._seen) == MOST_SIGHTINGS


@given(st.data())
def test_no_order_loss_or_repetition_makes_a_right_clock_wrong(data: st.DataObject) -> None:
    period = data.draw(st.sampled_from([0.5, 3.0, 15.0]))
    chain = Chain(period)
    told = [
        (node, chain.block(int((10 * tick - lag) / period)), START + 10 * tick)
        for tick in range(2, 60)
        for node, lag in {**NODES, "slow": 8 * period}.items()
    ]
    kept = data.draw(st.lists(st.sampled_from(told), max_size=300))
    for node, block, by in kept:
        chain.clock.saw(node, block, by)
    assert chain.ahead() in (None, 0.0)


_NUMBERS = st.integers(-(10**30), 10**30) | st.integers(0, 5)
_BLOCKS = st.builds(
    Block, _NUMBERS, st.sampled_from(["", "a", "b", "c", "d"]), st.floats(), maker=st.sampled_from(["", "x", "y"])
)


@given(st.lists(st.tuples(st.sampled_from("xyz"), _BLOCKS, st.floats()), max_size=40), st.floats(0, 100))
def test_any_blocks_are_taken(told: list[tuple[str, Block, float]], period: float) -> None:
    clock = ChainClock()
    for node, block, by in told:
        clock.saw(node, block, by)
    main = {block.number: block for _, block, _ in told}
    clock.ahead(main.get, period)
