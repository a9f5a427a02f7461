"""Who produces: chains drawn slot by slot, and the rounds, misses and missing producers that they amount to."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.making import Makers
from collector.observations import Block
from tests.health.drawing import EPOCH, SLOT, newest_first, of, rounds, seen_by, slots

A, B, C, D = (name * 12 for name in "abcd")
NONE = "." * 12
ROUND = f"{A} {B} {C} {D} "


class Case(NamedTuple):
    """A chain, and what is said of producer b: rounds, blocks missed, rounds missed, in a row, active."""

    drawn: str
    rounds: str
    blocks: int = 0
    whole: int = 0
    in_a_row: int = 0
    active: bool | None = True


CASES = {
    "health": Case(ROUND * 3, "12 12 12"),
    "the turn that is under way is none yet": Case(ROUND * 2 + A + " bbbb", "12 12"),
    "the first turn that is known is not known whole": Case("." * 22 + "bb" + C + D + ROUND + A, "12"),
    "blocks left out at the end of a turn": Case(ROUND + f"{A} bbbbbbbbb... {C} {D} {A}", "12 9", blocks=3),
    "blocks lost at the handover to a producer": Case(ROUND + f"{A} .bbbbbbbbbbb {C} {D} {A}", "12 11", blocks=1),
    "every other block left out": Case(ROUND + f"{A} b.b.b.b.b.b. {C} {D} {A}", "12 6", blocks=6),
    "a round skipped whole": Case(ROUND + f"{A} {NONE} {C} {D} {A}", "12 0", 12, 1, 1),
    "a round skipped whole, and then on": Case(ROUND + f"{A} {NONE} {C} {D}" + ROUND, "12 0 12", 12, 1, 0),
    "two rounds skipped whole": Case(ROUND + f"{A} {NONE} {C} {D}" * 2 + A, "12 0 0", 24, 2, 2, active=False),
    "two rounds skipped, and back": Case(ROUND + f"{A} {NONE} {C} {D}" * 2 + A + "bbbb", "12 0 0", 24, 2, 0),
    "back, and known by the first block of it": Case(ROUND + f"{A} {NONE} {C} {D}" * 2 + A + "b", "12 0 0", 24, 2, 0),
    "neighbours skipped, too": Case(ROUND + f"{A} {NONE} {NONE} {NONE} {A} ", "12 0", 12, 1, 1),
    "gap that begins and ends within turns": Case(ROUND + f"{A} bbbbb....... ...ccccccccc {D}", "12 5", blocks=7),
    "half of a turn seen, and none of the next": Case(
        ROUND + f"{A} bbbbbb...... {C} {D} {A} {NONE} {C}", "12 6 0", 18, 1, 1
    ),
    "blocks that nobody told of": Case(ROUND + f"{A} ------------ {C} {D} {A} bbbb", "", active=True),
    "a gap beside a block that nobody told of": Case(ROUND + f"{A} bbb-........ {C} {D} {A}", "", active=None),
}


@pytest.mark.parametrize("name", CASES)
def test_rounds_are_as_they_are_drawn(name: str) -> None:
    case = CASES[name]
    making = seen_by(Makers(), slots(case.drawn), schedule="abcd")
    said = of(making, "b")
    assert rounds(making, "b") == case.rounds
    assert said.active is case.active
    assert said.missed_rounds_in_a_row == case.in_a_row
    deep = Makers()
    blocks = slots(case.drawn)
    deep.settled(blocks, schedule="abcd")
    said = of(seen_by(deep, blocks, schedule="abcd", settled=len(blocks)), "b")
    assert (said.missed_blocks, said.missed_rounds) == (case.blocks, case.whole)


def test_a_producer_alone_has_rounds_and_no_margin() -> None:
    making = seen_by(Makers(), slots(A + A + "aaaaaa...aaa" + A), schedule="a")
    assert rounds(making, "a") == "12 12 9 12"
    assert of(making, "a").missed_blocks == 3
    assert (making.active, making.needed, making.margin) == (1, 1, 0)
    assert making.verdict == "The only producer makes blocks; it may not fail."


@pytest.mark.parametrize(
    "drawn", [ROUND + NONE * 8 + ROUND, ROUND + A + "bb.........." + NONE * 700 + "..........cc" + D]
)
def test_a_chain_that_stood_still_is_nobodys_miss(drawn: str) -> None:
    """As when all nodes are switched off: nobody is blamed, and nobody taken for absent once it goes on."""
    making = seen_by(Makers(), slots(drawn), schedule="abcd")
    assert [(maker.missed_blocks, maker.missed_rounds_in_a_row, maker.active) for maker in making.makers] == [
        (0, 0, True)
    ] * 4


def test_margin_and_verdict_tell_what_more_may_fail() -> None:
    makers = Makers()
    assert seen_by(makers, slots(ROUND * 3), schedule="abcd").verdict == "All 4 producers make blocks; 1 may fail."
    making = seen_by(Makers(), slots((A + NONE + C + D) * 4), schedule="abcd")
    assert (making.scheduled, making.active, making.needed, making.margin) == (4, 3, 3, 0)
    assert making.verdict == (
        "3 of 4 producers make blocks; b has let its last 4 turns go by; one failure more stops finality."
    )
    making = seen_by(Makers(), slots((A + NONE + NONE + D) * 4), schedule="abcd")
    assert making.margin == -1
    assert making.verdict == (
        "2 of 4 producers make blocks; b and c have let their last turns go by; it takes 3: finality stands still."
    )


def test_finalizers_that_are_others_than_the_producers_leave_the_margin_unknown() -> None:
    blocks = slots(ROUND * 3)
    assert seen_by(Makers(), blocks, schedule="abcd", finalizers=4).margin == 1
    making = seen_by(Makers(), blocks, schedule="abcd", finalizers=7)
    assert (making.active, making.margin) == (4, None)
    assert making.verdict == "All 4 producers make blocks."


def test_too_few_blocks_leave_unknown_who_produces() -> None:
    making = seen_by(Makers(), slots(A + B + "cccc"), schedule="abcd")
    assert [maker.active for maker in making.makers] == [True, True, True, None]
    assert (making.active, making.margin) == (None, None)
    assert making.verdict == "3 of 4 producers are known to make blocks, of 1 too little is known yet."


def test_the_producer_of_the_head_is_current_and_next_turns_follow_the_clock() -> None:
    blocks = slots(ROUND * 2 + A + "bbbb")
    making = seen_by(Makers(), blocks, schedule="abcd")
    assert [maker.name for maker in making.makers if maker.current] == ["b"]
    turn = EPOCH + (SLOT + 9 * 12) * 0.5
    assert [of(making, name).next_turn for name in "cdab"] == [turn + 6, turn + 12, turn + 18, turn + 24]


def test_while_nothing_comes_turns_that_have_passed_are_shown_as_missed_but_not_counted() -> None:
    makers, blocks = Makers(), slots(ROUND * 2 + A)
    seen_by(makers, blocks, schedule="abcd")
    tip = blocks[-1].timestamp
    for passed, shown, in_a_row in ((2.0, "12 12", 0), (7.9, "12 12", 0), (8.5, "12 12 0", 1), (33.0, "12 12 0 0", 2)):
        making = seen_by(makers, blocks, schedule="abcd", at=tip + passed, settled=len(blocks) - 3)
        said = of(making, "b")
        assert (rounds(making, "b"), said.missed_rounds_in_a_row, said.missed_blocks) == (shown, in_a_row, 0), passed
    assert of(making, "b").active is False
    going_on = seen_by(makers, slots(ROUND * 2 + A + B), schedule="abcd", settled=len(blocks) - 3)
    assert (rounds(going_on, "b"), of(going_on, "b").active) == ("12 12 12", True)


def test_nothing_is_concluded_from_silent_nodes_or_a_clock_that_differs() -> None:
    makers, blocks = Makers(), slots(ROUND * 2 + A)
    for at, seen in ((0.0, None), (1e9, None), (1e9, 1e9), (2e9, None), (2e9, 1e9 + 2)):
        making = makers.assess(newest_first(blocks), at, signers=None, schedule="abcd", period=0.5, seen=seen)
        assert making is not None
        assert (rounds(making, "b"), of(making, "b").missed_rounds_in_a_row) == ("12 12", 0)


# Double production


@pytest.mark.parametrize(
    ("drawn", "doubles"),
    [
        (ROUND * 3, 0),
        (ROUND + f"{A} {B} bbbbcccccccc {D}" + ROUND, 1),
        (ROUND + f"{A} {B} {B} {D}" + ROUND, 1),
        (ROUND + f"{A} {B} b----------- {D}" + ROUND, 1),
        (ROUND + f"{A} {NONE} {NONE} {NONE} {A} {B} {C} {D}", 0),
    ],
)
def test_more_blocks_in_a_row_than_a_turn_has_are_double_production(drawn: str, doubles: int) -> None:
    blocks = slots(drawn)
    making = seen_by(Makers(), blocks, schedule="abcd")
    assert [maker.doubles for maker in making.makers] == [0, doubles, 0, 0]
    assert of(making, "c").missed_blocks == (12 if NONE in drawn else 0)


def test_one_producer_alone_never_makes_too_many_blocks() -> None:
    making = seen_by(Makers(), slots(A * 20), schedule="a")
    assert of(making, "a").doubles == 0


# Schedules that change, and such as do not hold


def test_a_producer_that_comes_is_judged_only_from_when_it_was_told() -> None:
    """The old schedule's c has long been absent: nothing of that falls on e, which takes its place."""
    makers = Makers()
    old = slots((A + B + NONE + D) * 3)
    assert of(seen_by(makers, old, schedule="abcd"), "c").active is False
    making = seen_by(makers, old, schedule="abed", settled=len(old) - 3)
    came, gone = of(making, "e"), of(making, "c")
    assert (came.active, came.rounds, came.missed_rounds, came.missed_rounds_in_a_row) == (None, (), 0, 0)
    assert (gone.scheduled, gone.active, gone.missed_rounds, gone.missed_rounds_in_a_row) == (False, None, 3, 0)
    assert [maker.name for maker in making.makers] == ["a", "b", "e", "d", "c"]
    new = old + slots((A + B + "e" * 12 + D) * 3, number=len(old) + 1, slot=SLOT + 144)
    making = seen_by(makers, new, schedule="abed", settled=len(old) - 3)
    assert (rounds(making, "e"), of(making, "e").active) == ("12 12 12", True)
    assert sum(maker.missed_blocks for maker in making.makers) == 36
    assert sum(maker.doubles for maker in making.makers) == 0


def test_a_producer_that_left_is_told_of_until_no_block_of_its_time_is_looked_at() -> None:
    makers = Makers()
    old = slots(ROUND * 2)
    seen_by(makers, old, schedule="abcd")
    seen_by(makers, old, schedule="abc", settled=len(old) - 3)
    new = slots((A + B + C) * 13, number=len(old) + 1, slot=SLOT + 144)
    some = seen_by(makers, old + new[:72], schedule="abc", settled=len(old) - 3)
    assert of(some, "d").scheduled is False
    making = seen_by(makers, old + new, schedule="abc", settled=len(old) + 72 - 3)
    assert [maker.name for maker in making.makers] == ["a", "b", "c"]


def test_two_turns_that_a_change_joins_are_no_double_production() -> None:
    makers = Makers()
    old = slots(ROUND * 2 + A)
    seen_by(makers, old, schedule="abcd")
    new = old + slots(A + C + D + B, number=len(old) + 1, slot=SLOT + 108)
    making = seen_by(makers, new, schedule="bacd", settled=len(old) - 3)
    assert sum(maker.doubles for maker in making.makers) == 0
    later = new + slots(A + C + D + B, number=len(new) + 1, slot=SLOT + 156)
    making = seen_by(makers, later, schedule="bacd", settled=len(new) - 3)
    assert rounds(making, "a") == "12"


@pytest.mark.parametrize("order", ["dcba", "bcda", "wxyz", "abc"])
def test_a_schedule_that_the_blocks_do_not_keep_accuses_nobody(order: str) -> None:
    making = seen_by(Makers(), slots((A + B + NONE + D) * 6), schedule=order)
    for maker in making.makers:
        assert maker.active is not False
        assert (maker.rounds, maker.missed_blocks, maker.missed_rounds_in_a_row, maker.doubles) == ((), 0, 0, 0)
        assert maker.next_turn is None


def test_turns_of_another_length_accuse_nobody() -> None:
    for length in (6, 24):
        making = seen_by(Makers(), slots("".join(maker * length for maker in "abcd") * 8), schedule="abcd")
        assert sum(maker.missed_blocks + maker.doubles for maker in making.makers) == 0
        assert not any(maker.active is False for maker in making.makers)


def test_another_period_is_reckoned_with() -> None:
    blocks = slots(ROUND + f"{A} bbbbbbbbb... {C} {D} {A}", period=3.0)
    making = seen_by(Makers(), blocks, schedule="abcd", period=3.0)
    assert rounds(making, "b") == "12 9"
    assert not any(maker.active is False or maker.rounds for maker in seen_by(Makers(), blocks, schedule="abcd").makers)


def test_without_a_schedule_only_what_was_made_is_told() -> None:
    making = seen_by(Makers(), slots(A + B))
    assert (making.kind, making.scheduled, making.active, making.margin, making.verdict) == ("dpos", 0, None, None, "")
    assert [(maker.name, maker.scheduled, maker.blocks) for maker in making.makers] == [
        ("a", False, 12),
        ("b", False, 9),
    ]
    assert Makers().assess([], 0.0, signers=None, schedule=None) is None


# Properties

SCHEDULES = st.integers(1, 8).map(lambda count: "abcdefgh"[:count])


@st.composite
def chains(draw: st.DrawFn) -> tuple[str, list[Block], list[int]]:
    """Draw a schedule, a chain of it, and how many slots of each producer are empty; it never stands still."""
    schedule = draw(SCHEDULES)
    chance = random.Random(draw(st.integers(0, 2**32)))
    lost, skipped = draw(st.sampled_from([0.0, 0.05, 0.5])), draw(st.sampled_from([0.0, 0.1, 0.4]))
    blocks: list[Block] = []
    empty, waiting = [0] * len(schedule), [0] * len(schedule)
    skipping = False
    slot = SLOT + draw(st.integers(0, 100))
    for slot in range(slot, slot + 12 * draw(st.integers(1, 40))):  # noqa: B020 - from there
        if slot % 12 == 0:
            skipping = chance.random() < skipped
        place = slot // 12 % len(schedule)
        still = sum(waiting) >= 24 * len(schedule) - 1  # one empty slot more could make it two turns of everybody
        if (skipping or chance.random() < lost) and blocks and not still:
            waiting[place] += 1
            continue
        blocks.extend(slots(schedule[place], number=len(blocks) + 1, slot=slot))
        empty = [known + more for known, more in zip(empty, waiting, strict=True)]
        waiting = [0] * len(schedule)
    return schedule, blocks, empty


@given(chains(), st.integers(1, 50))
def test_what_is_missed_is_what_lies_empty(chain: tuple[str, list[Block], list[int]], batch: int) -> None:
    schedule, blocks, empty = chain
    makers = Makers()
    for begin in range(0, len(blocks), batch):
        makers.settled(blocks[begin : begin + batch], schedule=schedule)
    making = seen_by(makers, [*blocks], schedule=schedule, settled=len(blocks))
    assert [of(making, name).missed_blocks for name in schedule] == empty
    assert sum(maker.blocks for maker in making.makers) == len(blocks)
    assert sum(maker.doubles for maker in making.makers) == 0


@given(chains(), st.data())
def test_nothing_that_is_lost_or_comes_twice_makes_for_more_misses(
    chain: tuple[str, list[Block], list[int]], data: st.DataObject
) -> None:
    schedule, blocks, empty = chain
    told = [block for block in blocks for _ in range(data.draw(st.sampled_from([0, 1, 1, 1, 2])))]
    if data.draw(st.booleans()):
        told = data.draw(st.permutations(told[:40]))
    makers = Makers()
    makers.settled(told, schedule=schedule)
    making = seen_by(makers, [*blocks], schedule=schedule, settled=len(blocks))
    assert all(of(making, name).missed_blocks <= most for name, most in zip(schedule, empty, strict=True))


HOSTILE = st.builds(
    Block,
    number=st.sampled_from([-1, 0, 1, 2, 3, 10**30, -(10**30)]),
    hash=st.sampled_from(["", "1", "2"]),
    timestamp=st.sampled_from([0.0, -1.0, 1.8e9, 1.8e9 + 0.5, 9e10, 1e300, float("inf"), float("nan")]),
    parent=st.sampled_from(["", "1", "2"]),
    maker=st.sampled_from(["", "a", "b", "x" * 1000]),
    in_turn=st.sampled_from([None, True, False]),
    difficulty=st.sampled_from([None, 1]),
    transactions=st.sampled_from([None, -1, 0, 5, 10**400]),
)


@given(
    st.lists(
        st.tuples(
            st.lists(HOSTILE, max_size=6),
            st.sampled_from([None, "", "a", "ab", "aab", "ba"]),
            st.sampled_from([None, "", "a", "ab"]),
            st.sampled_from([None, 0.0, -1.0, 0.5, 15.0, 1e-300, 1e300, float("nan")]),
            st.sampled_from([None, 0, 10**30]),
            st.sampled_from([None, 0.0, 1.8e9, 1.8e9 + 1e6]),
        ),
        max_size=8,
    )
)
def test_whatever_is_told_nothing_fails(
    told: list[tuple[list[Block], str | None, str | None, float | None, int | None, float | None]],
) -> None:
    makers = Makers()
    for blocks, signers, schedule, period, finalizers, seen in told:
        makers.settled(blocks, signers=signers, schedule=schedule, period=period)
        makers.assess(
            blocks, 1.8e9, signers=signers, schedule=schedule, finalizers=finalizers, period=period, seen=seen
        )


def test_memory_is_bounded_and_the_schedules_counts_are_kept() -> None:
    makers, blocks = Makers(), slots(ROUND * 2)
    makers.settled(blocks, schedule="abcd")
    invented = [replace(blocks[0], number=1_000 + i, maker=f"made-up-{i}") for i in range(5_000)]
    makers.settled(invented, schedule="abcd")
    making = seen_by(makers, blocks, schedule="abcd", settled=len(blocks))
    assert [maker.blocks for maker in making.makers] == [24] * 4
    assert len(makers._counting.tallies._tallies) <= 512
    many = [f"p{i}" for i in range(10_000)]
    assert makers.assess(newest_first(blocks), 0.0, signers=None, schedule=many) is not None
