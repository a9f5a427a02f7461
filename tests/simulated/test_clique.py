"""The Clique chain: consistent whoever seals, and halted when too few do."""

from __future__ import annotations

from itertools import pairwise

import hypothesis
import pytest
from hypothesis import strategies as st

from compose.simulated.clique import FULL, HISTORY, Clique
from compose.simulated.ledger import KEPT, POOL, Fork, Habits
from tests.simulated.asking import START, Clock

STEP = st.tuples(st.floats(0, 120), st.sets(st.integers(0, 6)))


def names(indices: set[int] | range) -> list[str]:
    return [f"sealer-{i}" for i in indices]


@hypothesis.given(st.integers(0, 7), st.sampled_from([0.5, 1, 3, 15]), st.lists(STEP, max_size=12))
@hypothesis.settings(max_examples=60)
def test_every_block_follows_from_the_one_before(
    sealers: int, period: float, steps: list[tuple[float, set[int]]]
) -> None:
    clock = Clock()
    chain = Clique("c", names(range(sealers)), period, clock)
    for elapsed, active in steps:
        chain.made_by(names(active))
        clock.now += elapsed
        chain.advance()
    blocks = list(reversed(list(chain.last(KEPT, chain.head.number))))
    assert blocks[0] == chain.block(0)
    for parent, block in pairwise(blocks):
        assert block.number == parent.number + 1
        assert parent.timestamp + int(period) <= block.timestamp <= clock.now
        assert block.total_difficulty == parent.total_difficulty + block.difficulty
        assert block.difficulty == (2 if block.number % sealers == block.sealer else 1)
    for block in blocks:
        signed = [b.sealer for b in chain.last(chain.limit, block.number) if b.number]
        assert len(set(signed)) == len(signed), "a signer signed again too soon"


@pytest.mark.parametrize("sealers", [1, 2, 3, 4, 7])
def test_it_halts_without_a_majority_and_goes_on_with_one(sealers: int) -> None:
    clock = Clock()
    chain = Clique("c", names(range(sealers)), 3, clock)
    needed = sealers // 2 + 1
    chain.made_by(names(range(needed - 1)))
    clock.now += 3600
    chain.advance()
    halted = chain.head
    assert halted.number <= HISTORY + needed
    clock.now += 3600
    chain.advance()
    assert chain.head == halted
    chain.made_by(names(range(needed)))
    clock.now += 100
    chain.advance()
    assert 20 <= chain.head.number - halted.number <= 34
    first = chain.block(halted.number + 1)
    assert first is not None
    assert first.timestamp >= clock.now - 100, "the time of the halt is not made up for"


def test_all_sealers_up_means_in_turn_and_on_time() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 3, clock)
    assert chain.head.number == HISTORY
    clock.now += 30
    chain.advance()
    assert chain.head.number == HISTORY + 10
    assert {block.difficulty for block in chain.last(100, chain.head.number)} == {2}
    assert chain.head.timestamp == int(START) + 30


def test_without_sealers_there_is_the_genesis_block_alone() -> None:
    clock = Clock()
    chain = Clique("c", [], 3, clock)
    clock.now += 1e6
    chain.advance()
    assert chain.head.number == 0


def test_a_machine_that_slept_makes_up_for_little() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 3, clock)
    clock.now += 1e9
    chain.advance()
    assert chain.head.number <= HISTORY + KEPT + 1
    assert clock.now - chain.head.timestamp < 6
    assert chain.block(HISTORY) is None
    assert chain.block(0) is not None


def test_a_fork_changes_hashes_from_its_height_on() -> None:
    chain = Clique("c", names(range(3)), 3, Clock())
    fork = Fork("a", 100)
    assert chain.hash(99, fork) == chain.hash(99)
    assert chain.hash(100, fork) != chain.hash(100)
    assert chain.hash(100, fork) == chain.hash(100, Fork("a", 50))
    assert chain.hash(100, fork) != chain.hash(100, Fork("b", 50))


def test_extra_data_has_the_lengths_of_clique() -> None:
    chain = Clique("c", names(range(3)), 3, Clock())
    genesis, head = chain.block(0), chain.head
    assert genesis is not None
    assert len(chain.extra_data(genesis, "d8")) == 2 + 2 * (32 + 3 * 20 + 65)
    assert len(chain.extra_data(head, "d8")) == 2 + 2 * (32 + 65)
    assert list(chain.signers) == sorted(chain.signers)
    assert "".join(signer[2:] for signer in chain.signers) in chain.extra_data(genesis, "d8")


def test_without_a_period_blocks_are_made_of_transactions_alone() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 0, clock)
    assert chain.head.number == HISTORY
    assert chain.head.timestamp == START
    clock.now += 3600
    chain.advance()
    assert (chain.head.number, chain.waiting) == (HISTORY, 0)
    chain.submit(5)
    assert (chain.head.number, chain.waiting) == (HISTORY, 5)
    clock.now += 2
    chain.advance()
    assert (chain.head.number, chain.head.transactions, chain.waiting) == (HISTORY + 1, 5, 0)
    assert chain.head.timestamp == START + 3600
    chain.submit(2 * FULL + 1)
    clock.now += 2
    chain.advance()
    assert [block.transactions for block in chain.last(3, chain.head.number)] == [1, FULL, FULL]
    assert len({block.sealer for block in chain.last(2, chain.head.number)}) == 2


def test_without_a_period_and_without_a_majority_transactions_wait() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 0, clock, load=1.0)
    chain.made_by(names(range(1)))
    clock.now += 30
    chain.advance()
    halted = chain.head
    clock.now += 600
    chain.advance()
    assert chain.head == halted
    assert 500 < chain.waiting < 700
    clock.now += 1e6
    assert chain.waiting == POOL, "the pool is bounded"
    chain.made_by(names(range(3)))
    clock.now += 20
    chain.advance()
    assert chain.waiting == 0
    assert chain.head.number - halted.number >= POOL / FULL
    before = chain.head.number
    clock.now += 300
    chain.advance()
    assert 50 <= chain.head.number - before <= 55, "five blocks in each burst, ten bursts"


def test_transactions_that_come_are_in_blocks_or_wait() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 3, clock, load=2.0)
    clock.now += 3000
    chain.advance()
    counts = [block.transactions for block in chain.last(1000, chain.head.number)]
    assert 1.95 < sum(counts) / 3000 < 2.05
    assert counts.count(0) > 20
    assert chain.waiting < 20
    chain.made_by([])
    clock.now += 600
    assert chain.waiting > 1000, "a chain that halts has a pool that grows"
    chain.made_by(names(range(3)))
    clock.now += 4
    chain.advance()
    assert chain.head.transactions == FULL


def test_a_clock_that_all_sealers_have_wrong_is_the_blocks() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 3, clock)
    wrong = {name: Habits(clock=30.0) for name in names(range(3))}
    chain.made_by(names(range(3)), {"sealer-0": Habits(clock=30.0)})
    clock.now += 30
    chain.advance()
    assert chain.head.timestamp == clock.now, "of one alone nothing shows"
    chain.made_by(names(range(3)), wrong)
    clock.now += 30
    chain.advance()
    assert clock.now + 27 <= chain.head.timestamp <= clock.now + 30
    ahead = chain.head
    assert ahead.number == HISTORY + 21
    chain.made_by(names(range(3)))
    clock.now += 27
    chain.advance()
    assert chain.head == ahead, "no block is older than its parent"
    clock.now += 30
    chain.advance()
    assert chain.head.timestamp <= clock.now
    assert chain.head.number > ahead.number


def test_a_branch_shares_what_was_and_goes_on_by_itself() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 3, clock)
    at = chain.head.number
    branch = chain.branch("x")
    branch.made_by(names(range(2)))
    clock.now += 60
    chain.advance()
    branch.advance()
    assert [chain.hash(n) == branch.hash(n) for n in (0, at - 5, at, at + 1, at + 9)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert chain.weight > branch.weight
    assert chain.block(at) is branch.block(at)


def test_a_chain_that_branches_for_ever_is_bounded() -> None:
    clock = Clock()
    chain = Clique("c", names(range(3)), 3, clock)
    genesis = chain.hash(0)
    seen = set()
    for i in range(500):
        chain = chain.branch(str(i))
        clock.now += 6
        chain.advance()
        seen.add(chain.hash(chain.head.number))
    assert len(seen) == 500
    assert len(chain._lineage) < 100
    assert chain.hash(0) == genesis
