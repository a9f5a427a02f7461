"""Who seals: chains drawn block by block, and the signers that are missing from them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.making import Makers
from collector.health.thresholds import Thresholds
from collector.observations import Block
from tests.health.drawing import newest_first, of, rounds, seals, seen_by

LOSSY = "bca cba bac bca cab cab"
"""Three signers of whom all seal, though often not in turn: block 1 is b's, and nobody seals two in a row."""


def active(drawn: str, signers: str) -> str:
    """Return what is known of each signer: + seals, - is missing, ? unknown."""
    making = seen_by(Makers(), seals(drawn, signers), signers=signers)
    return "".join("?" if maker.active is None else "-+"[maker.active] for maker in making.makers if maker.scheduled)


@pytest.mark.parametrize(
    ("signers", "drawn", "expected"),
    [
        ("abc", "bca" * 10, "+++"),
        ("abc", LOSSY, "+++"),
        ("abc", "bca" * 10 + "bab abab aba", "++-"),
        ("abc", "bca" * 10 + "bababab", "+++"),  # eight blocks of nine: it may still seal
        ("abc", "bab", "++?"),
        ("abc", "babababab", "++-"),
        ("abc", "bab?babab", "++?"),
        ("abc", "bab-babab", "++?"),
        ("ab", "ba" * 10, "++"),
        ("ab", "ab" * 10, "++"),  # each seals the other's turn, for ever: nobody is missing
        ("a", "a" * 10, "+"),
        ("abcd", "bcda" * 4 + "bca" * 4, "+++-"),
        ("abcde", "bcdea" * 4 + "bca" * 5, "+++--"),
    ],
)
def test_a_signer_is_missing_once_it_sealed_nothing_for_three_rotations(
    signers: str, drawn: str, expected: str
) -> None:
    assert active(drawn, signers) == expected


@pytest.mark.parametrize("count", [21, 30, 64, 100])
def test_a_large_network_is_given_as_many_rotations(count: int) -> None:
    """So many signers that the last 64 blocks are fewer than three rotations: one turn lost is no absence."""
    signers = [f"s{i:03}" for i in range(count)]
    blocks = [
        Block(n, f"{n:x}", 15.0 * n, f"{n - 1:x}", maker=signers[n % count], in_turn=True) for n in range(1, 4 * count)
    ]
    lossy = [
        replace(block, maker=signers[0], in_turn=False) if block.number in (3 * count + 2, 2 * count + 2) else block
        for block in blocks
    ]
    making = Makers().assess(newest_first(lossy), 0.0, signers=signers, schedule=None)
    assert making is not None
    assert making.active == count
    dead = [replace(block, maker=signers[0], in_turn=False) if block.number % count == 2 else block for block in blocks]
    making = Makers().assess(newest_first(dead), 0.0, signers=signers, schedule=None)
    assert making is not None
    assert [maker.name for maker in making.makers if maker.active is False] == ["s002"]


@pytest.mark.parametrize(
    ("signers", "drawn", "margin", "verdict"),
    [
        ("a", "a" * 12, 0, "The only signer seals; it may not fail."),
        ("ab", "ba" * 10, 0, "All 2 signers seal; none of them may fail."),
        ("abc", "bca" * 10, 1, "All 3 signers seal; 1 may fail."),
        (
            "abc",
            "bca" * 10 + "ba" * 6,
            0,
            "2 of 3 signers seal; c has sealed none of the last 13 blocks; one failure more halts the chain.",
        ),
        (
            "abcde",
            "bcdea" * 4 + "bcda" * 5,
            1,
            "4 of 5 signers seal; e has sealed none of the last 21 blocks; 1 more may fail.",
        ),
        ("abc", "ba", None, "2 of 3 signers are known to seal, of 1 too little is known yet."),
    ],
)
def test_margin_and_verdict_tell_how_many_more_may_fail(
    signers: str, drawn: str, margin: int | None, verdict: str
) -> None:
    making = seen_by(Makers(), seals(drawn, signers), signers=signers)
    assert (making.needed, making.margin) == (len(signers) // 2 + 1, margin)
    assert making.verdict == verdict


def test_addresses_are_told_short() -> None:
    signers = ["0x" + digit * 40 for digit in "abc"]
    blocks = [replace(block, maker="0x" + block.maker * 40) for block in seals("ba" * 8, "abc")]
    making = Makers().assess(newest_first(blocks), 0.0, signers=signers, schedule=None)
    assert making is not None
    assert "0xcccccc…cccc has sealed none" in making.verdict


# A chain that has halted


def halted(
    signers: str, drawn: str, period: float | None = 15.0, stood: float = 100.0, limits: Thresholds | None = None
) -> tuple[str, int | None, str]:
    """Return who is missing where no block has come for so long, the margin and the verdict."""
    makers, blocks = Makers(), seals(drawn, signers)
    tip = blocks[-1].timestamp
    seen_by(makers, blocks, signers=signers, period=period)
    making = seen_by(
        makers, blocks, signers=signers, period=period, at=tip + stood, settled=len(blocks) - 3, limits=limits
    )
    names = [maker.name for maker in making.makers if maker.active is False]
    return "".join(names), making.margin, making.verdict


def test_where_a_chain_has_halted_those_are_missing_who_may_seal_and_do_not() -> None:
    missing, margin, verdict = halted("abc", "bca" * 10)
    assert (missing, margin) == ("bc", -1)
    assert verdict == "1 of 3 signers seals; b and c may seal the next block, and do not; it takes 2: the chain halts."
    assert halted("abcd", "bcda" * 8)[:2] == ("bc", -1)
    assert halted("a", "a" * 10) == ("a", -1, "The only signer does not seal; the chain halts.")


def test_a_block_that_is_late_or_not_due_makes_nobody_missing() -> None:
    assert halted("abc", "bca" * 10, stood=61.0)[:2] == ("", 1)
    assert halted("abc", "bca" * 10, period=1.0, stood=11.0)[:2] == ("", 1)
    assert halted("abc", "bca" * 10, period=0.0, stood=10_000.0)[:2] == ("", 1)
    assert halted("abc", "bca" * 10, period=None, stood=10_000.0)[:2] == ("", 1)


def test_how_long_a_block_may_be_late_is_for_the_operator_to_say() -> None:
    limits = Thresholds(halted_least=300.0)
    assert halted("abc", "bca" * 10, stood=301.0, limits=limits)[:2] == ("", 1)
    assert halted("abc", "bca" * 10, stood=302.0, limits=limits)[:2] == ("bc", -1)


def test_silent_nodes_make_no_signer_missing() -> None:
    makers, blocks = Makers(), newest_first(seals("bca" * 10, "abc"))
    for at in (0.0, 1e6, 2e6):
        making = makers.assess(blocks, at, signers="abc", schedule=None, period=15.0, seen=None)
        assert making is not None
        assert making.active == 3


# Turns


def test_rounds_tell_of_each_turn_whether_the_signer_in_turn_sealed() -> None:
    making = seen_by(Makers(), seals("bca bac bca bab", "abc"), signers="abc")
    assert [rounds(making, name) for name in "abc"] == ["1 0 1 0", "1 1 1 1", "1 0 1 0"]
    assert [(maker.missed_blocks, maker.missed_rounds) for maker in making.makers] == [(1, 0), (0, 0), (1, 0)]
    assert [maker.blocks for maker in making.makers] == [3, 3, 3]
    assert [maker.in_turn_blocks for maker in making.makers] == [2, 3, 2]
    assert making.in_turn_share == 8 / 12
    assert (of(making, "a").last_block, of(making, "a").current, of(making, "b").current) == (11, False, True)


def test_next_turns_are_a_period_apart_and_not_in_the_past() -> None:
    blocks = seals("bca" * 4, "abc")
    making = seen_by(Makers(), blocks, signers="abc", period=15.0)
    tip = blocks[-1].timestamp
    assert [of(making, name).next_turn for name in "bca"] == [tip + 15, tip + 30, tip + 45]
    making = seen_by(Makers(), blocks, signers="abc", period=15.0, at=tip + 40)
    assert of(making, "b").next_turn == tip + 40
    assert of(seen_by(Makers(), blocks, signers="abc", period=0.0), "b").next_turn is None


# Signers that change


def test_a_signer_voted_in_is_judged_only_by_the_blocks_since() -> None:
    makers, old = Makers(), seals("bca" * 10, "abc")
    seen_by(makers, old, signers="abc")
    making = seen_by(makers, old, signers="abcd", settled=len(old) - 3)
    assert (of(making, "d").active, making.active) == (None, None)
    assert of(making, "a").active is True
    new = old + seals("dab cab cab cab", "abcd", number=len(old) + 1)
    making = seen_by(makers, new, signers="abcd", settled=len(old) - 3)
    assert of(making, "d").active is True
    silent = old + seals("cab" * 5, "abcd", number=len(old) + 1)
    making = seen_by(makers, silent, signers="abcd", settled=len(old) - 3)
    assert of(making, "d").active is False


def test_a_signer_voted_out_is_no_longer_missed_and_told_of_for_a_while() -> None:
    makers, old = Makers(), seals("bca" * 10 + "ba" * 6, "abc")
    assert of(seen_by(makers, old, signers="abc"), "c").active is False
    making = seen_by(makers, old, signers="ab", settled=len(old) - 3)
    assert (of(making, "c").scheduled, of(making, "c").active) == (False, None)
    assert (making.scheduled, making.active, making.margin) == (2, 2, 0)
    new = old + seals("ba" * 40, "ab", number=len(old) + 1)
    assert [maker.name for maker in seen_by(makers, new, signers="ab", settled=len(old) - 3).makers] == ["a", "b"]


def test_signers_of_which_nodes_disagree_make_no_alarm() -> None:
    makers, blocks = Makers(), seals("bca" * 20, "abc")
    for upto in range(20, 60):
        making = seen_by(makers, blocks[:upto], signers="abc" if upto % 2 else "abcd", settled=max(0, upto - 4))
        assert not any(maker.active is False for maker in making.makers)


def test_a_signer_that_was_voted_in_just_before_the_collector_began_is_not_missing() -> None:
    blocks = seals("bca" * 10, "abc")
    blocks += seals("cab", "abcd", number=len(blocks) + 1)
    assert of(seen_by(Makers(), blocks, signers="abcd"), "d").active is None


def test_a_sealer_that_is_no_signer_is_told_of_and_counts_for_nothing() -> None:
    making = seen_by(Makers(), seals("bca" * 5 + "x", "abc"), signers="abc")
    assert (of(making, "x").scheduled, of(making, "x").active, of(making, "x").current) == (False, None, True)
    assert making.active == 3


def test_without_signers_only_who_sealed_is_told() -> None:
    making = seen_by(Makers(), seals("bca" * 5, "abc"))
    assert (making.kind, making.scheduled, making.active, making.margin) == ("clique", 0, None, None)
    assert {maker.name: maker.recent_blocks for maker in making.makers} == {"a": 5, "b": 5, "c": 5}


def test_empty_blocks_are_counted_by_maker_where_their_content_is_told() -> None:
    blocks = seals("bca" * 4, "abc")  # of four blocks one is empty
    making = seen_by(Makers(), blocks, signers="abc")
    assert [maker.empty_share for maker in making.makers] == [0.25, 0.25, 0.25]
    assert [maker.empty_blocks for maker in making.makers] == [
        0,
        1,
        1,
    ]  # the fourth, and the eighth; the twelfth is too new
    unknown = [replace(block, transactions=None) for block in blocks]
    making = seen_by(Makers(), unknown, signers="abc")
    assert [maker.empty_share for maker in making.makers] == [None] * 3


@given(st.integers(1, 7), st.randoms(use_true_random=False))
def test_signers_that_all_live_are_never_missing(count: int, chance: random.Random) -> None:
    """Whoever loses some of its turns, even to one sealing for it at random: each seals once in a rotation or two."""
    signers = "abcdefg"[:count]
    drawn, unlucky = "", dict.fromkeys(signers, 0)
    for number in range(1, 20 * count + 1):
        due = signers[number % count]
        barred = drawn[len(drawn) - count // 2 :] if count > 1 else ""
        others = [name for name in signers if name != due and name not in barred]
        if due not in barred and (unlucky[due] >= 1 or not others or chance.random() < 0.6):
            drawn, unlucky[due] = drawn + due, 0
            continue
        drawn, unlucky[due] = drawn + chance.choice(others), unlucky[due] + 1
    makers, blocks = Makers(), seals(drawn, signers)
    for upto in range(5, len(blocks), 3):
        making = seen_by(makers, blocks[:upto], signers=signers, settled=max(0, upto - 6))
        assert not any(maker.active is False for maker in making.makers), drawn[:upto]
