"""Whatever branches there are, whenever nodes are asked, and whatever is lost: nothing that is said is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.health.blocks import KEPT, MOST_WANTED, Blocks, Reorganisations
from collector.health.blocks.tree import MOST_BLOCKS, MOST_OF_ONE
from collector.observations import Block
from tests.health.growing import BEGAN, Asked, Grown

NODES = "abcde"
BEGIN = 1_000
"""The height at which the nodes are asked first."""


@dataclass(frozen=True)
class Asking:
    """One node is asked, so long after the one before; it is `behind` blocks on a branch."""

    node: str
    wait: float
    behind: int
    branch: str
    lost: bool
    unheard: bool
    repeated: bool
    judged: bool


branches = st.lists(
    st.tuples(st.sampled_from(["", "x", "y"]), st.integers(BEGIN - 80, BEGIN + 60)), min_size=0, max_size=3
)


def askings(names: list[str]) -> st.SearchStrategy[list[Asking]]:
    return st.lists(
        st.builds(
            Asking,
            node=st.sampled_from(NODES),
            wait=st.floats(0, 4),
            behind=st.sampled_from([0, 0, 0, 1, 3, 40]),
            branch=st.sampled_from(names),
            lost=st.integers(0, 9).map(lambda n: n == 0),
            unheard=st.integers(0, 9).map(lambda n: n == 0),
            repeated=st.booleans(),
            judged=st.booleans(),
        ),
        max_size=40,
    )


def grown(parts: list[tuple[str, int]], clock: float = 0.0) -> tuple[Grown, list[str]]:
    """Return a chain with branches "x", "y", "z", as far as given: each parts from one that is there."""
    chain, names = Grown(clock=clock, began=BEGAN - BEGIN / 2), [""]
    for branch, (of, number) in zip("xyz", parts, strict=False):
        chain.part(branch, number, of if of in names else "")
        names.append(branch)
    return chain, names


@dataclass
class Walk:
    """What is true of each node when it was asked."""

    asked: Asked
    now: float = BEGAN

    def __post_init__(self) -> None:
        self.heads: dict[str, tuple[int, str, float]] = {}
        self.reorganised: dict[str, list[int]] = {}

    def step(self, step: Asking) -> None:
        """Ask a node, and check all that is said thereafter."""
        self.now += step.wait
        chain, blocks = self.asked.chain, self.asked.blocks
        number = max(1, chain.height(self.now) - step.behind)
        if step.lost:
            return
        self._note(step.node, number, step.branch)
        wanted = self.asked.ask(step.node, self.now, number, step.branch)
        assert len(wanted) <= MOST_WANTED
        assert wanted == sorted(set(wanted), reverse=True)
        if step.unheard:
            blocks.unanswered(step.node)
        else:
            self.asked.answer(step.node, wanted, number, step.branch)
            if step.repeated:
                self.asked.answer(step.node, wanted, number, step.branch)
                self.asked.blocks.saw(step.node, chain.block(number, step.branch), self.now)
        if step.judged:
            self.check()

    def _note(self, node: str, number: int, branch: str) -> None:
        if node in self.heads:
            before, of, _ = self.heads[node]
            parting = self._parting((before, of), (number, branch))
            if parting < min(before, number):
                self.reorganised.setdefault(node, []).append(before - parting)
        self.heads[node] = (number, branch, self.now)

    def _parting(self, one: tuple[int, str], other: tuple[int, str]) -> int:
        parting = self.asked.chain.parting(one[1], other[1])
        heights = (one[0], other[0])
        return min(heights) if parting is None else min(parting, *heights)

    def check(self, exact: int = 0) -> None:
        """Compare all that is said with what is true."""
        blocks, chain = self.asked.blocks, self.asked.chain
        blocks.judge({node: node < "c" for node in NODES})
        for branch in blocks.branches[1:]:
            assert branch.depth > 0
        for node, (number, _, at) in self.heads.items():
            lag = blocks.lag(node)
            assert lag is not None
            assert 0 <= lag.blocks <= max(0, chain.height(at) - number) + exact
            known = blocks.reorganisations(node)
            true = self.reorganised.get(node, [])
            assert known.count <= len(true)
            assert known.deepest <= max(true, default=0)
        self._check_branches()
        last = blocks.main.last(KEPT)
        assert [block.number for block in last] == [last[0].number - place for place in range(len(last))]
        assert all(block.parent == below.hash for block, below in pairwise(last))

    def _check_branches(self) -> None:
        blocks = self.asked.blocks
        placed = {node: place for node in self.heads if (place := blocks.branch_of(node)) is not None}
        for node, place in placed.items():
            assert node in blocks.branches[place].nodes
        for branch in blocks.branches:
            tip = next(
                (
                    node
                    for node in branch.nodes
                    if self.asked.chain.block(*self.heads[node][:2]).hash == branch.tip_hash
                ),
                None,
            )
            if tip is None:  # the chain, whose nodes are being asked what they have come to
                continue
            for node in branch.nodes:
                assert self._parting(self.heads[tip][:2], self.heads[node][:2]) == self.heads[node][0]
            if branch is not blocks.branches[0]:
                main = blocks.branches[0]
                on_main = next(
                    (n for n in main.nodes if self.asked.chain.block(*self.heads[n][:2]).hash == main.tip_hash), None
                )
                if on_main is None:
                    continue
                parting = self._parting(self.heads[tip][:2], self.heads[on_main][:2])
                assert branch.parted_at in (None, parting)
                assert branch.depth <= branch.tip_number - parting


@settings(max_examples=80, deadline=None)
@given(st.data(), branches, st.booleans())
def test_nothing_that_is_said_is_wrong(data: st.DataObject, parts: list[tuple[str, int]], bare: bool) -> None:
    chain, names = grown(parts)
    walk = Walk(Asked(chain, bare=bare))
    for step in data.draw(askings(names)):
        walk.step(step)
    if walk.heads:
        walk.check()


@settings(max_examples=25, deadline=None)
@given(st.data(), branches, st.booleans(), st.sampled_from([0.0, 30.0, -30.0, 0.3, -0.3]))
def test_all_is_known_in_the_end(data: st.DataObject, parts: list[tuple[str, int]], bare: bool, clock: float) -> None:
    chain, names = grown(parts, clock)
    walk = Walk(Asked(chain, bare=bare))
    for step in data.draw(askings(names)):
        walk.step(Asking(step.node, step.wait, step.behind, step.branch, False, step.unheard, step.repeated, False))
    where = {node: data.draw(st.sampled_from(names), label=node) for node in NODES}
    behind = {node: data.draw(st.sampled_from([0, 0, 0, 5]), label=node) for node in NODES}
    walk.now += 40
    for _ in range(14):
        walk.now += 10
        for node in data.draw(st.permutations(NODES)):
            walk.step(Asking(node, 0.01, behind[node], where[node], False, False, False, False))
        walk.check(exact=1 if clock == -0.3 else 0)
    blocks = walk.asked.blocks
    assert all(blocks.branch_of(node) is not None for node in NODES)
    for branch in blocks.branches[1:]:
        assert branch.parted_at is not None
    for one, other in combinations(NODES, 2):
        parting = walk._parting(walk.heads[one][:2], walk.heads[other][:2])
        if parting < min(walk.heads[one][0], walk.heads[other][0]):  # a node beneath the parting agrees with both sides
            assert blocks.branch_of(one) != blocks.branch_of(other)
    for branch in blocks.branches if clock == 0.0 else ():
        best = max(walk.heads[node][0] for node in branch.nodes)
        lags = {node: lag.blocks for node in branch.nodes if (lag := blocks.lag(node)) is not None}
        assert all(lags[node] >= best - walk.heads[node][0] - 1 for node in branch.nodes)


class Fuzzed:
    """Blocks of few numbers and hashes, so that all kinds of contradictions come about."""

    numbers = st.one_of(st.integers(-1, 12), st.sampled_from([10**9, 10**30, -(10**30), KEPT, KEPT + 5, 3 * KEPT]))
    hashes = st.sampled_from(["", "a", "b", "c", "d"])
    times = st.one_of(st.integers(0, 20).map(float), st.floats(allow_nan=True, allow_infinity=True))
    blocks = st.builds(Block, number=numbers, hash=hashes, timestamp=times, parent=hashes)
    nodes = st.sampled_from(NODES)
    moments = st.floats(0, 100)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_order_of_anything_raises_or_grows(data: st.DataObject) -> None:
    blocks = Blocks()
    given_out: set[int] = set()
    for _ in range(data.draw(st.integers(1, 40))):
        node = data.draw(Fuzzed.nodes)
        match data.draw(st.integers(0, 6)):
            case 0 | 1:
                blocks.saw(node, data.draw(Fuzzed.blocks), data.draw(Fuzzed.moments), data.draw(Fuzzed.moments))
            case 2:
                blocks.told(node, data.draw(st.lists(Fuzzed.blocks, max_size=20)))
            case 3:
                assert len(blocks.wanted(node, data.draw(Fuzzed.moments))) <= MOST_WANTED
            case 4:
                blocks.unanswered(node)
            case 5:
                blocks.forget(node)
            case _:
                blocks.judge({member: member < "c" for member in data.draw(st.sets(Fuzzed.nodes))})
        for each in NODES:
            lag = blocks.lag(each)
            assert lag is None or (lag.blocks >= 0 and lag.seconds >= 0)
            place = blocks.branch_of(each)
            assert place is None or each in blocks.branches[place].nodes
            assert isinstance(blocks.reorganisations(each), Reorganisations)
        handed = [block.number for block in blocks.settled()]
        assert handed == sorted(set(handed))
        assert not given_out & set(handed)
        given_out |= set(handed)
        blocks.main.newest_at(data.draw(Fuzzed.moments))
        blocks.main.last(100)
    assert len(blocks._tree) <= MOST_BLOCKS + MOST_OF_ONE + KEPT
    for node in NODES:
        blocks.forget(node)
    assert all(entry.held == 0 for entry in blocks._tree._entries.values())
