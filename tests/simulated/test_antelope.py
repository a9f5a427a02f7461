"""The Antelope chain: slots, rounds, and finality as far behind as on real networks."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from compose.simulated.antelope import ROUND, Antelope, account_name
from compose.simulated.ledger import KEPT, Habits, Turns
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


def made_in_rounds(chain: Antelope, count: int) -> list[tuple[int, int]]:
    """Return whose round it was and how many blocks it had, of the latest rounds, the oldest first."""
    last = chain.head.slot // ROUND
    made = Counter(block.slot // ROUND for block in chain.last(KEPT, chain.head.number))
    return [(number % len(chain.producers), made[number]) for number in range(last - count, last)]


@pytest.mark.parametrize(("blocks", "rounds"), [(12, 1), (12, 2), (3, 1), (1, 4), (0, 1), (12, 0), (99, 1)])
def test_a_producer_skips_blocks_of_its_next_rounds_and_goes_on(blocks: int, rounds: int) -> None:
    clock = Clock(1_800_000_007.3)
    chain = Antelope("c", names(range(4)), 0.5, clock)
    chain.made_by(names(range(4)), {"producer-2": Habits(skips=Turns(clock.now, rounds, blocks))})
    for _ in range(40):
        clock.now += 6
        chain.advance()
    of_it = [made for producer, made in made_in_rounds(chain, 39) if producer == 2]
    assert of_it[:rounds] == [max(12 - blocks, 0)] * rounds
    assert set(of_it[rounds:]) == {12}
    assert {made for producer, made in made_in_rounds(chain, 39) if producer != 2} == {12}


def test_a_round_that_has_begun_is_not_skipped() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock)
    while chain.head.producer != 1 or chain.head.slot % ROUND != 5:
        clock.now += 0.5
        chain.advance()
    at = chain.head.slot // ROUND
    chain.made_by(names(range(3)), {"producer-1": Habits(skips=Turns(clock.now, 1, 12))})
    clock.now += 60
    chain.advance()
    made = Counter(block.slot // ROUND for block in chain.last(KEPT, chain.head.number))
    assert [made[number] for number in (at, at + 3, at + 6)] == [12, 0, 12]


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_producer_that_doubles_makes_twenty_four_in_a_row(rounds: int) -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock)
    chain.made_by(names(range(3)), {"producer-0": Habits(doubles=Turns(clock.now, rounds, 0))})
    clock.now += 18 * 5
    chain.advance()
    in_a_row: list[list[int]] = []
    for block in reversed(list(chain.last(180, chain.head.number))):
        if not in_a_row or in_a_row[-1][0] != block.producer:
            in_a_row.append([block.producer, 0])
        in_a_row[-1][1] += 1
    assert [made for producer, made in in_a_row[1:-1]].count(24) == rounds
    assert [0, 24] in in_a_row
    blocks = list(chain.last(180, chain.head.number))
    assert blocks[0].slot - blocks[-1].slot == 179, "no slot is empty"


def test_of_a_producer_alone_nothing_doubles() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(1)), 0.5, clock)
    before = chain.head.number
    chain.made_by(names(range(1)), {"producer-0": Habits(doubles=Turns(clock.now, 1, 0))})
    clock.now += 60
    chain.advance()
    assert chain.head.number == before + 120


@pytest.mark.parametrize("savanna", [False, True])
def test_enough_mute_producers_stop_finality_and_not_the_head(savanna: bool) -> None:
    clock = Clock()
    chain = Antelope("c", names(range(4)), 0.5, clock, savanna=savanna)

    def passed(mute: int) -> tuple[int, int]:
        chain.made_by(names(range(4)), {name: Habits(mute=True) for name in names(range(mute))})
        clock.now += 120  # what was confirmed before takes effect
        chain.advance()
        before = chain.head
        clock.now += 60
        chain.advance()
        return chain.head.number - before.number, chain.head.irreversible - before.irreversible

    assert passed(0) == (120, 120)
    assert passed(1)[0] == 120
    assert passed(1)[1] > 90, "three of four are enough"
    assert passed(2) == (120, 0)
    assert passed(0)[0] == 120
    assert chain.head.number - chain.head.irreversible <= 48, "and it catches up"


def test_the_clock_of_those_who_produce_is_the_blocks() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock)
    wrong = {name: Habits(clock=30.0) for name in names(range(3))}
    before = chain.head
    chain.made_by(names(range(3)), wrong)
    clock.now += 10
    chain.advance()
    assert 29.5 <= chain.time(chain.head.slot) - clock.now <= 30.5
    assert chain.head.number - before.number <= 21, "what its clock jumped over is empty"
    ahead = chain.head
    chain.made_by(names(range(3)))
    clock.now += 29
    chain.advance()
    assert chain.head == ahead
    clock.now += 10
    chain.advance()
    assert abs(clock.now - chain.time(chain.head.slot)) < 1


def test_a_branch_has_finality_of_its_own() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(4)), 0.5, clock)
    branch = chain.branch("x")
    branch.made_by(names(range(1)))
    chain.made_by(names(range(1, 4)))
    at = chain.head
    made = sum(chain.made)
    clock.now += 120
    chain.advance()
    branch.advance()
    assert chain.head.irreversible > at.number
    assert branch.head.irreversible < at.number
    assert chain.weight > branch.weight
    assert (sum(chain.made) - made, sum(branch.made) - made) == (180, 60)
    assert chain.id_of(at.number) == branch.id_of(at.number)
    assert chain.id_of(at.number + 1) != branch.id_of(at.number + 1)


def test_transactions_are_in_blocks_and_some_blocks_are_empty() -> None:
    clock = Clock()
    chain = Antelope("c", names(range(3)), 0.5, clock, load=4.0)
    clock.now += 600
    chain.advance()
    counts = [block.transactions for block in chain.last(1200, chain.head.number)]
    assert 3.9 < sum(counts) / 600 < 4.1
    assert 0 < counts.count(0) < 400
