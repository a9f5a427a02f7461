"""The Antelope chain: slots, rounds, and finality as far behind as on real networks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from compose.simulated.antelope import ROUND, Antelope, account_name
from compose.simulated.ledger import KEPT
from tests.simulated.asking import Clock

STEP = st.tuples(st.floats(0, 60), st.sets(st.integers(0, 4)))


def names(indices: set[int] | range) -> list[str]:
    return [f"producer-{i}" for i in indices]


@hypothesis.given(st.integers(0, 5), st.booleans(), st.lists(STEP, max_size=12))
@hypothesis.settings(max_examples=60)
def test_every_block_follows_from_the_one_before(
    producers: int, savanna: bool, steps: list[tuple[float, set[int]]]
) -> None:
    clock = Clock()
    chain = Antelope("c", names(range(producers)), 0.5, clock, savanna=savanna)
    for elapsed, active in steps:
        chain.made_by(names(active))
        clock.now += elapsed
        chain.advance()
    blocks = list(reversed(list(chain.last(KEPT, chain.head.number))))
    for parent, block in pairwise(blocks):
        assert block.number == parent.number + 1
        assert block.slot > parent.slot
        assert block.producer == chain.producer_of(block.slot)
        assert parent.irreversible <= block.irreversible < block.number
        settled = chain.block(block.irreversible)
        assert settled is None or settled.slot == block.irreversible_slot
        assert chain.time(block.slot) <= clock.now + 0.2
    assert sum(chain.made) == max(len(blocks) - 1, 0)


@pytest.mark.parametrize(
    ("producers", "least", "most"), [(1, 1, 1), (2, 13, 24), (3, 37, 48), (4, 37, 48), (7, 85, 96), (21, 325, 336)]
)
def test_the_last_irreversible_block_trails_as_on_real_networks(producers: int, least: int, most: int) -> None:
    clock = Clock()
    chain = Antelope("c", names(range(producers)), 0.5, clock)
    lags = []
    for _ in range(producers * ROUND * 2):
        clock.now += 0.5
        chain.advance()
        lags.append(chain.head.number - chain.head.irreversible)
    assert (min(lags), max(lags)) == (least, most)


def test_with_a_third_of_the_producers_away_finality_stands_still() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(4)), 0.5, clock)
    chain.made_by(names(range(3)))
    clock.now += 120
    chain.advance()
    assert chain.head.number - chain.head.irreversible <= 70
    gaps = [block.slot - parent.slot for block, parent in pairwise(chain.last(100, chain.head.number))]
    assert max(gaps) == ROUND + 1, "six seconds without a block"
    chain.made_by(names(range(2)))
    clock.now += 120
    chain.advance()
    before = chain.head
    clock.now += 600
    chain.advance()
    assert chain.head.number > before.number
    assert chain.head.irreversible == before.irreversible


def test_savanna_is_two_blocks_behind_while_enough_vote() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock, savanna=True)
    assert chain.head.number - chain.head.irreversible == 2
    chain.made_by(names(range(2)))
    clock.now += 60
    chain.advance()
    assert chain.head.number - chain.head.irreversible > 12


def test_a_round_is_twelve_blocks_of_one_producer() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock)
    clock.now += 36
    chain.advance()
    slots = [block.slot for block in chain.last(72, chain.head.number)]
    assert slots == list(range(slots[0], slots[0] - 72, -1))
    rounds = Counter((block.slot // ROUND, block.producer) for block in chain.last(72, chain.head.number))
    assert max(rounds.values()) == ROUND
    assert len({number for number, _ in rounds}) == len(rounds), "no round is shared"


def test_blocks_are_ahead_of_their_time_now_and_then() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(1)), 0.5, clock)
    ages = []
    for _ in range(600):
        clock.now += 0.0413
        chain.advance()
        ages.append(clock.now - chain.time(chain.head.slot))
    assert -0.2 <= min(ages) < -0.1
    assert 0.35 < max(ages) <= 0.5
    assert 0.1 < sum(age < 0 for age in ages) / len(ages) < 0.3


def test_a_machine_that_slept_makes_up_for_little() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock)
    before = chain.head.number
    clock.now += 1e9
    chain.advance()
    assert chain.head.number - before <= KEPT + 2
    assert abs(clock.now - chain.time(chain.head.slot)) < 1


def test_account_names_are_names_and_ascend() -> None:
    accounts = [account_name(i) for i in range(100)]
    assert accounts == sorted(set(accounts))
    assert all(len(name) <= 12 and set(name) <= set("abcdefghijklmnopqrstuvwxyz12345.") for name in accounts)
