"""The rule by which a node is behind: no nonsense puts anybody out, nobody comes and goes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.traefik.rotation import HEARD_WITHIN, Head, Rotation, mark

INTERVAL = 10.0
NONSENSE = 10.0**18

HEADS = st.integers(0, 2**64) | st.integers(95, 105)


class Chain:
    """A rotation with one chain, told in rounds of one interval each."""

    def __init__(self, behind: int = 3, older: float = 0.0) -> None:
        self.rotation = Rotation(behind, older)
        self.now = 0.0

    def round(self, **heads: float | Head) -> set[str]:
        """Hear of these nodes an interval later, and return who is behind then."""
        self.now += INTERVAL
        for name, head in heads.items():
            self.rotation.hear(("lab", name), head if isinstance(head, Head) else Head(head), self.now, INTERVAL)
        self.rotation.judge(self.now)
        return {name for _, name in self.rotation.behind}


def test_a_node_leaves_at_the_limit_and_returns_in_step() -> None:
    chain = Chain()
    assert chain.round(a=100, b=100, c=98) == set()
    assert chain.round(a=101, b=101, c=98) == {"c"}
    assert chain.round(a=102, b=102, c=100) == {"c"}
    assert chain.round(a=103, b=103, c=102) == set()
    assert chain.round(a=104, b=104, c=102) == set()


def test_a_node_that_is_always_asked_first_returns_nevertheless() -> None:
    """Of a chain that is fast it lacks two blocks at any time, and is well."""
    chain = Chain(behind=10)
    assert chain.round(a=100, b=100, c=90) == {"c"}
    assert chain.round(a=110, b=110, c=104) == {"c"}
    assert chain.round(a=120, b=120, c=115) == set()
    assert chain.round(a=130, b=130, c=121) == set()


def test_a_node_leaves_by_the_age_of_its_head() -> None:
    """Half a second a block: at five seconds it lacks ten."""
    chain = Chain(behind=100, older=5)

    def heads(stuck: float) -> dict[str, Head]:
        return {"a": Head(1000 + chain.now, chain.now / 2), "b": Head(999 + chain.now, chain.now / 2 - 0.5)} | {
            "c": Head(1000 + stuck, stuck / 2)
        }

    chain.now = 100
    assert chain.round(**heads(100 - 10)) == set(), "4.5 s by the second best"
    assert chain.round(**heads(110 - 11)) == {"c"}
    assert str(chain.rotation.behind["lab", "c"]) == "10 blocks behind 1,109, its head is 5.0 s older than the others'"
    assert chain.round(**heads(120 - 9)) == {"c"}, "4 s"
    assert chain.round(**heads(130 - 6)) == set(), "2.5 s"
    assert chain.round(**heads(140 - 10)) == set()
    assert Chain(behind=100).round(a=Head(9, 900), b=Head(9, 900), c=Head(0, 0)) == set(), "nobody asks for its age"


def test_a_chain_that_stands_still_as_a_whole_puts_nobody_out() -> None:
    chain = Chain(older=5)
    for _ in range(5):
        assert chain.round(a=Head(7, 1), b=Head(7, 1), c=Head(6, 0.5)) == set()


def test_the_first_block_after_a_gap_makes_nobody_old() -> None:
    chain = Chain(older=5)
    assert chain.round(a=Head(7, 1), b=Head(7, 1), c=Head(7, 1)) == set()
    assert chain.round(a=Head(8, 100), b=Head(8, 100), c=Head(7, 1)) == set()
    assert chain.round(a=Head(9, 101), b=Head(9, 101), c=Head(7, 1)) == {"c"}
    assert chain.round(a=Head(9, 101), b=Head(9, 101), c=Head(8, 100)) == set()


def test_times_that_are_nonsense_or_missing_put_nobody_out() -> None:
    chain = Chain(older=5)
    for number in range(5):
        assert chain.round(
            a=Head(number, 10 + number), b=Head(number), c=Head(number, NONSENSE), d=Head(number, 10)
        ) == (set())
    assert chain.round(x=Head(10**6, 0), a=Head(20, 20), b=Head(20, 20)) == {"x"}, "of another chain, and long ago"


def test_a_node_whose_name_another_took_is_forgotten() -> None:
    chain = Chain()
    assert chain.round(a=100, b=100, c=90) == {"c"}
    chain.rotation.forget(("lab", "c"))
    chain.rotation.forget(("lab", "never heard of"))
    chain.rotation.forget(("no such chain", "c"))
    assert chain.rotation.behind == {}
    assert set(chain.rotation.heard) == {("lab", "a"), ("lab", "b")}


@pytest.mark.parametrize(
    ("heads", "expected"),
    [([], float("-inf")), ([7], 7), ([7, 9], 9), ([7, 9, 8], 8), ([1, 1, NONSENSE], 1), ([5, 4, 3, 2], 4)],
)
def test_the_mark(heads: list[float], expected: float) -> None:
    assert mark(heads) == expected


def test_one_node_that_claims_nonsense_puts_nobody_out() -> None:
    chain = Chain()
    for head in range(100, 110):
        assert chain.round(a=head, b=head, c=NONSENSE) == set()
    assert chain.round(a=110, b=107, c=NONSENSE) == {"b"}, "and hides nobody that is behind"


def test_of_two_nodes_the_higher_is_believed_and_one_is_never_behind() -> None:
    assert Chain().round(a=100, b=90) == {"b"}
    assert Chain().round(a=1) == set()


def test_the_old_head_of_a_dead_node_is_no_yardstick() -> None:
    """A chain begins anew while two nodes are dead: what these said is forgotten."""
    chain = Chain()
    assert chain.round(a=1000, b=1000, c=1000, d=1000) == set()
    assert chain.round(a=0, b=0) == {"a", "b"}
    for head in range(1, HEARD_WITHIN):
        chain.round(a=head, b=head)
    assert chain.round(a=HEARD_WITHIN, b=HEARD_WITHIN) == set()


def test_all_nodes_that_begin_anew_are_in_step() -> None:
    chain = Chain()
    assert chain.round(a=1000, b=1000, c=1000) == set()
    assert chain.round(a=3, b=3, c=3) == set()


def test_a_node_that_falls_silent_is_behind_no_more() -> None:
    chain = Chain()
    assert chain.round(a=100, b=100, c=90) == {"c"}
    for _ in range(HEARD_WITHIN):
        assert chain.round(a=100, b=100) == {"c"}
    assert chain.round(a=100, b=100) == set()
    assert ("lab", "c") not in set(chain.rotation.heard)
    assert chain.round(a=100, b=100, c=90) == {"c"}


def test_a_node_is_not_judged_by_heads_that_came_after_its_own() -> None:
    """It is asked a tenth as often as the others: between its answers they move on."""
    chain = Chain()
    chain.rotation.hear(("lab", "slow"), Head(100), chain.now, 10 * INTERVAL)
    assert chain.round(a=100, b=100) == set()
    for head in range(101, 110):
        assert chain.round(a=head, b=head) == set()
    chain.rotation.hear(("lab", "slow"), Head(101), chain.now, 10 * INTERVAL)
    assert chain.round(a=110, b=110) == {"slow"}


def test_chains_have_nothing_to_do_with_each_other() -> None:
    rotation = Rotation(3)
    for chain, head in (("low", 5), ("high", 10**9)):
        for name in "abc":
            rotation.hear((chain, name), Head(head), 0, INTERVAL)
    rotation.judge(0)
    assert rotation.behind == {}


@given(st.lists(HEADS, min_size=3, max_size=9), HEADS)
def test_no_single_claim_changes_who_is_behind_to_more_than_the_others_know(heads: list[int], claim: int) -> None:
    """Whatever one more node says, nobody is behind who would not be behind by the word of some two nodes."""
    chain = Chain()
    names = {f"n{index}": head for index, head in enumerate(heads)}
    behind = chain.round(**names, liar=claim)
    assert all(names[name] <= max(heads) - 3 for name in behind - {"liar"})
    assert sum(head >= max((names[name] for name in behind - {"liar"}), default=0) for head in [*heads, claim]) >= 2


@given(st.lists(st.tuples(*[HEADS | st.none()] * 4), max_size=30), st.integers(2, 10))
def test_whatever_comes_two_nodes_of_those_heard_stay(rounds: list[tuple[int | None, ...]], limit: int) -> None:
    """Of those just judged the best two are always in; who is out lacks two blocks at least."""
    chain = Chain(limit)
    for heads in rounds:
        now = {name: head for name, head in zip("abcd", heads, strict=True) if head is not None}
        behind = chain.round(**now)
        known = {name: heard.head.number for name, heard in chain.rotation._heard.get("lab", {}).items()}
        assert behind <= known.keys()
        if known.keys() == now.keys() and now:
            highest = mark(now.values())
            assert all(now[name] <= highest - 2 for name in behind)
            assert all(name in behind for name, head in now.items() if head <= highest - limit)
            assert len(now.keys() - behind) >= min(2 if len(now) > 2 else 1, len(now))


@given(st.integers(0, 10**6), st.integers(2, 20), st.integers(2, 40))
def test_a_node_at_the_limit_does_not_come_and_go(head: int, limit: int, rounds: int) -> None:
    """Its lag swings by one around the limit, or stays below it: it leaves once, or never."""
    chain = Chain(limit)
    seen = [chain.round(a=head + limit + n % 2, b=head + limit + n % 2, c=head) for n in range(rounds)]
    assert all(behind == {"c"} for behind in seen)
    chain = Chain(limit)
    assert all(chain.round(a=head + n % limit, b=head + n % limit, c=head) == set() for n in range(rounds))
