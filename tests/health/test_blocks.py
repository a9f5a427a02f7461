"""Branches, lag, reorganisations and what is asked for: each provoked, and each silent in health."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from collector.health.blocks import KEPT, MOST_WANTED, REACH, SETTLED, Blocks, Reorganisations
from collector.health.blocks.settling import HOLD, MOST_SETTLED
from collector.health.blocks.tree import MOST_BLOCKS, MOST_OF_ONE
from collector.observations import Block
from tests.health.growing import BEGAN, Asked, Grown

INTERVAL = 10.0


def healthy(asked: Asked, nodes: Sequence[str], intervals: int = 3, begin: int = 1_000) -> int:
    """Let nodes that all have the newest block be asked at some ticks; return the height at the last."""
    height = begin
    for _ in range(intervals):
        height += int(INTERVAL / asked.chain.period)
        asked.all(asked.chain.made(height) + 0.2, dict.fromkeys(nodes, (height, "")))
    return height


# Asking


@pytest.mark.parametrize("bare", [True, False])
def test_in_health_each_block_is_asked_of_one_node_once(bare: bool) -> None:
    asked = Asked(Grown(), bare=bare)
    height = healthy(asked, ["a", "b", "c"], intervals=20)
    numbers = [number for told in asked.questions.values() for number in told]
    assert len(numbers) == len(set(numbers))
    first = 1_020 - MOST_WANTED + 1
    assert [block.number for block in asked.blocks.main.last(10_000)] == list(range(height, first - 1, -1))
    assert max(map(len, asked.questions.values())) <= 20 * 20 + MOST_WANTED


def test_what_one_node_is_being_asked_for_is_left_to_it_until_it_is_late() -> None:
    asked = Asked(Grown())
    wanted = asked.ask("a", BEGAN, 1_000)
    assert wanted == list(range(1_000, 1_000 - MOST_WANTED, -1))
    assert asked.ask("b", BEGAN + 0.01, 1_000) == []
    assert asked.ask("c", BEGAN + 0.02, 999) == []
    assert asked.ask("b", BEGAN + 31.0, 1_000) == wanted


def test_what_one_node_did_not_tell_another_is_asked_for() -> None:
    asked = Asked(Grown())
    wanted = asked.ask("a", BEGAN, 1_000)
    asked.blocks.unanswered("a")
    assert asked.ask("b", BEGAN + 0.01, 1_000) == wanted
    asked.blocks.told("b", [])
    assert asked.ask("c", BEGAN + 0.02, 1_000) == wanted


def test_what_nobody_tells_is_not_asked_for_for_ever() -> None:
    asked = Asked(Grown())
    answers = []
    for turn in range(20):
        answers.append(asked.ask("a", BEGAN + turn, 1_000))
        asked.blocks.told("a", [])
    assert 0 < sum(map(bool, answers)) < 10


def test_a_chain_that_is_faster_than_it_can_be_asked_for_is_followed_with_gaps() -> None:
    asked = Asked(Grown())
    handed: list[Block] = []
    for turn in range(40):
        height = 1_000 + 120 * turn
        wanted = asked.gather("a", BEGAN + 60.0 * turn, height)
        asked.blocks.judge({"a": True})
        assert wanted[0] == height
        assert asked.blocks.main.tip == asked.chain.block(height)
        assert len(asked.blocks.main.last(100)) == MOST_WANTED
        handed += asked.blocks.settled()
    numbers = [block.number for block in handed]
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 40 * 50
    assert asked.blocks.reorganisations("a").count == 0


def test_a_gap_that_came_of_a_pause_is_filled_and_nothing_is_lost() -> None:
    asked = Asked(Grown())
    height = healthy(asked, ["a", "b"])
    handed = asked.blocks.settled()
    for turn in range(6):
        height += 220 if turn == 0 else 20
        asked.all(BEGAN + height / 2, {"a": (height, ""), "b": (height, "")})
        assert asked.blocks.main.tip == asked.chain.block(height)
        handed += asked.blocks.settled()
    numbers = [block.number for block in handed]
    assert numbers == list(range(numbers[0], height - SETTLED + 1))


def test_a_node_that_catches_up_from_genesis_costs_nothing() -> None:
    asked = Asked(Grown())
    for turn in range(10):
        height = 1_000_000 + 20 * turn
        asked.all(BEGAN + 10.0 * turn, {"new": (500 * turn, ""), "a": (height, ""), "b": (height, "")})
    # Until anybody else has told of a head, the node that is asked first may be the chain.
    assert len(asked.questions["new"]) <= MOST_WANTED
    assert asked.blocks.branch_of("new") is None
    lag = asked.blocks.lag("new")
    assert lag is not None
    assert lag.blocks > 990_000
    assert asked.blocks.reorganisations("new").count == 0


# Branches


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("depth", [1, 7, 100, 700])
def test_a_fork_is_told_with_where_it_parts_and_so_is_its_end(depth: int, bare: bool) -> None:
    chain = Grown()
    asked = Asked(chain, bare=bare)
    height = healthy(asked, ["a", "b", "c", "d"], intervals=50)
    assert [branch.nodes for branch in asked.blocks.branches] == [("a", "b", "c", "d")]
    chain.part("x", height - depth)
    for _ in range(2 + 2 * depth // MOST_WANTED):
        asked.all(
            chain.made(height) + 0.3, {"d": (height, "x"), "a": (height, ""), "b": (height, ""), "c": (height, "")}
        )
        height += 1
    height -= 1
    first, second = asked.blocks.branches
    assert (sorted(first.nodes), second.nodes) == (["a", "b", "c"], ("d",))
    assert (second.parted_at, second.tip_hash) == (chain.parting("", "x"), f"x{height}")
    assert second.depth == height - chain.parting("", "x")  # type: ignore[operator]
    assert (first.parted_at, first.depth) == (None, 0)
    assert asked.blocks.branch_of("d") == 1

    asked.all(chain.made(height + 20) + 0.1, dict.fromkeys("abcd", (height + 20, "")))
    assert len(asked.blocks.branches) == 1
    known = asked.blocks.reorganisations("d")
    assert known.last_depth == height - chain.parting("", "x")  # type: ignore[operator]
    assert all(asked.blocks.reorganisations(node).count == 0 for node in "abc")


def test_a_fork_older_than_the_collector_is_followed_down_to_where_it_parted() -> None:
    chain = Grown()
    chain.part("x", 1_000)
    asked = Asked(chain)
    for turn in range(30):
        height = 1_000 + REACH + 100 + 20 * turn
        asked.all(chain.made(height) + 0.1, {"a": (height, ""), "b": (height, ""), "c": (height, "x")})
    assert asked.blocks.branches[1].parted_at == 1_000
    assert asked.blocks.branches[1].depth == height - 1_000


def test_while_nodes_are_asked_what_they_have_come_to_the_chain_stays_what_it_was() -> None:
    asked = Asked(Grown())
    height = healthy(asked, ["a", "b"])
    wanted = asked.ask("a", asked.chain.made(height + 20), height + 20)
    assert asked.ask("b", asked.chain.made(height + 20), height + 20) == []
    asked.blocks.judge({"a": True, "b": True})
    assert asked.blocks.main.tip == asked.chain.block(height)
    assert asked.blocks.branch_of("a") is None
    asked.answer("a", wanted, height + 20)
    asked.blocks.judge({"a": True, "b": True})
    assert asked.blocks.main.tip == asked.chain.block(height + 20)
    assert asked.blocks.branch_of("a") == asked.blocks.branch_of("b") == 0


def test_a_fork_is_told_at_once_where_hashes_differ_at_one_height() -> None:
    chain = Grown()
    chain.part("x", 900)
    asked = Asked(chain)
    height = healthy(asked, ["a", "b", "c"])
    asked.ask("c", chain.made(height) + 0.5, height, "x")
    asked.blocks.judge({"a": True, "b": True, "c": True})
    assert (asked.blocks.branches[1].parted_at, asked.blocks.branches[1].depth) == (None, 1)


def test_a_node_stuck_on_a_branch_is_on_it_however_long_the_chain_grows() -> None:
    chain = Grown()
    asked = Asked(chain)
    height = healthy(asked, ["a", "b", "c"])
    chain.part("x", height - 5)
    stuck = height
    for _ in range(300):
        height += 20
        asked.all(chain.made(height) + 0.1, {"a": (height, ""), "b": (height, ""), "c": (stuck, "x")})
    assert height - stuck > 2 * KEPT
    assert (asked.blocks.branches[1].nodes, asked.blocks.branches[1].parted_at) == (("c",), stuck - 5)
    assert asked.blocks.branches[1].depth == 5
    assert asked.blocks.lag("c") == (0, 0.0)
    asked.all(chain.made(height) + 0.5, {"a": (height, ""), "b": (height, ""), "c": (height, "")})
    assert asked.blocks.reorganisations("c") == Reorganisations(2, 5, 5, chain.made(height) + 0.52)


def test_two_halves_that_go_on_stay_apart_beyond_what_is_kept() -> None:
    chain = Grown()
    asked = Asked(chain)
    height = parted = healthy(asked, ["a", "b", "c", "d"])
    chain.part("x", parted)
    for _ in range(250):
        height += 20
        heads = {"a": (height, ""), "b": (height, ""), "c": (height, "x"), "d": (height, "x")}
        asked.all(chain.made(height) + 0.1, heads)
        assert len(asked.blocks.branches) == 2
        assert asked.blocks.branches[0].tip_hash == str(height)  # which of the two is the chain does not change
    assert asked.blocks.branches[1].parted_at == parted
    assert asked.blocks.branches[1].depth == height - parted
    assert len(asked.questions["c"] + asked.questions["d"]) <= 1.1 * 20 * 250 + 2 * MOST_WANTED


@pytest.mark.parametrize("seed", range(4))
def test_of_two_halves_that_are_asked_all_at_once_neither_takes_over(seed: int) -> None:
    """What one half is being asked for tells nothing of the other: each has to be asked for what it stands on."""
    chance = random.Random(seed)
    chain = Grown()
    asked = Asked(chain)
    height = healthy(asked, ["a", "b", "c", "d"])
    chain.part("x", height)
    places = []
    for _ in range(20):
        height += 20
        other = height + chance.choice([-3, 3])  # each is the longer one at times
        heads = [("a", height, ""), ("b", height, ""), ("c", other, "x"), ("d", other, "x")]
        chance.shuffle(heads)
        at = chain.made(height) + 1.5
        wanted = [asked.ask(node, at, number, branch) for node, number, branch in heads]
        for (node, number, branch), numbers in zip(heads, wanted, strict=True):
            if numbers:
                asked.answer(node, numbers, number, branch)
        asked.blocks.judge(dict.fromkeys("abcd", False))
        places.append(asked.blocks.branch_of("a"))
    assert set(places) in ({0}, {1})  # which of them is the chain is open at first, and settled then


def test_the_chain_is_what_most_nodes_are_on_then_what_more_makers_are_on_then_what_it_was() -> None:
    chain = Grown()
    chain.part("x", 990)
    for heads, makers, main in [
        ({"a": "", "b": "x", "c": "x"}, "a", "x"),
        ({"a": "", "b": "x"}, "a", ""),
        ({"a": "", "b": "x"}, "b", "x"),
    ]:
        asked = Asked(chain)
        at = {node: (1_000, branch) for node, branch in heads.items()}
        asked.all(BEGAN, at, makers)
        asked.all(BEGAN + 1, at, makers)
        assert asked.blocks.branches[0].tip_hash == f"{main}1000"
    asked.all(BEGAN + 2, {"a": (1_010, ""), "b": (1_002, "x")})
    assert asked.blocks.branches[0].tip_hash == "x1002"


def test_most_nodes_count_where_a_branch_has_branches_of_its_own() -> None:
    chain = Grown()
    chain.part("x", 990)
    chain.part("y", 998, "x")
    asked = Asked(chain)
    heads = {"a": "", "b": "", "c": "", "d": "x", "e": "x", "f": "y", "g": "y"}
    for at in range(3):
        asked.all(BEGAN + at, {node: (1_000, branch) for node, branch in heads.items()})
    parted = {branch.tip_hash: branch.parted_at for branch in asked.blocks.branches}
    assert parted == {"x1000": None, "1000": 990, "y1000": 998}


def test_nodes_at_different_heights_agree() -> None:
    asked = Asked(Grown())
    healthy(asked, ["a", "b", "c"])
    asked.all(BEGAN + 700, {"a": (1_100, ""), "b": (1_093, ""), "c": (1_099, "")})
    asked.all(BEGAN + 701, {"a": (1_100, ""), "b": (1_093, ""), "c": (1_099, "")})
    assert [sorted(branch.nodes) for branch in asked.blocks.branches] == [["a", "b", "c"]]


def test_nodes_that_are_down_take_no_part() -> None:
    chain = Grown()
    asked = Asked(chain)
    height = healthy(asked, ["a", "b", "c"])
    chain.part("x", height - 2)
    for at in range(3):
        asked.all(chain.made(height) + at, {"a": (height, ""), "b": (height, ""), "c": (height, "x")})
    assert len(asked.blocks.branches) == 2
    asked.blocks.judge({"a": True, "b": True})
    assert len(asked.blocks.branches) == 1
    assert asked.blocks.branch_of("c") is None
    assert asked.blocks.lag("c") is None
    asked.blocks.judge({})
    assert asked.blocks.branches == ()
    assert asked.blocks.lag("a") is None
    assert asked.blocks.main.tip == chain.block(height)


def test_a_chain_that_begins_anew_is_followed_once_most_nodes_are_on_it() -> None:
    old, new = Grown(), Grown(began=BEGAN + 60_000)
    new.part("new", -1)
    asked = Asked(old)
    healthy(asked, ["a", "b", "c"], begin=100_000)
    asked.chain = new
    asked.gather("a", BEGAN + 60_010, 20, "new")
    asked.blocks.judge({"a": True, "b": True, "c": True})
    assert asked.blocks.main.tip is not None
    assert asked.blocks.main.tip.number > 100_000
    for turn in range(3):
        asked.all(BEGAN + 60_020 + turn, dict.fromkeys("abc", (30 + turn, "new")))
    assert asked.blocks.main.tip == new.block(32, "new")
    assert [block.number for block in asked.blocks.main.last(100)] == list(range(32, 0, -1))
    assert [sorted(branch.nodes) for branch in asked.blocks.branches] == [["a", "b", "c"]]


def test_main_tells_its_blocks_by_number_and_by_time() -> None:
    asked = Asked(Grown())
    main = asked.blocks.main
    assert (main.tip, main.at(5), main.last(5), main.newest_at(BEGAN)) == (None, None, [], None)
    height = healthy(asked, ["a"])
    assert main.at(height - 3) == asked.chain.block(height - 3)
    assert main.at(height + 1) is None
    assert main.last(2) == [asked.chain.block(height), asked.chain.block(height - 1)]
    assert main.newest_at(asked.chain.made(height - 7) + 0.4) == asked.chain.block(height - 7)
    assert main.newest_at(BEGAN) is None


# Lag


@pytest.mark.parametrize("order", ["slow first", "slow last"])
@pytest.mark.parametrize("phase", [0.0, 0.1, 0.4])
def test_a_lag_of_three_shows_in_whatever_order_nodes_are_asked(order: str, phase: float) -> None:
    chain = Grown()
    asked = Asked(chain, took=0.005)
    nodes = ["slow", "a", "b"] if order == "slow first" else ["a", "b", "slow"]
    height = 1_000
    for turn in range(5):
        at = chain.made(height) + phase
        asked.all(at, {node: (height - 3 * (node == "slow"), "") for node in nodes})
        if turn:
            assert asked.blocks.lag("slow") == (3, 1.5)
        assert asked.blocks.lag("a") == asked.blocks.lag("b") == (0, 0.0)
        height += 20


@pytest.mark.parametrize("clock", [0.0, 30.0, -30.0, 0.3, -0.3])
def test_a_node_that_was_merely_asked_earlier_is_not_behind(clock: float) -> None:
    chain = Grown(clock=clock)
    asked = Asked(chain)
    for turn in range(10):
        for place, node in enumerate("abcdefghij"):
            at = BEGAN + 600 + 10 * turn + place * 0.93
            asked.gather(node, at, chain.height(at))
            asked.blocks.judge(dict.fromkeys("abcdefghij", False))
            for other in "abcdefghij":
                lag = asked.blocks.lag(other)
                assert lag is None or lag.blocks <= (abs(clock) == 0.3)


@pytest.mark.parametrize("clock", [0.0, 30.0, -30.0])
def test_a_lag_of_two_hundred_shows_whatever_the_clocks_say(clock: float) -> None:
    chain = Grown(clock=clock)
    asked = Asked(chain)
    for turn in range(3):
        height = 1_000 + 20 * turn
        asked.all(chain.made(height) + 0.1, {"slow": (height - 200, ""), "a": (height, ""), "b": (height, "")})
    lag = asked.blocks.lag("slow")
    assert lag is not None
    assert 195 <= lag.blocks <= 200
    assert lag.seconds == lag.blocks * chain.period


def test_what_a_slow_answer_holds_was_not_there_when_it_was_asked_for() -> None:
    asked = Asked(Grown(clock=-30.0))  # so that timestamps prove nothing
    asked.took = 2.0
    asked.gather("slow", asked.chain.made(1_000), 1_004)
    asked.took = 0.0
    asked.gather("quick", asked.chain.made(1_000) + 0.01, 1_000)
    asked.blocks.judge({"slow": True, "quick": True})
    assert asked.blocks.lag("quick") == (0, 0.0)


def test_the_old_head_of_a_node_that_is_down_is_nothing_to_lag_behind() -> None:
    asked = Asked(Grown())
    asked.all(BEGAN + 500, {"a": (1_000, ""), "b": (990, "")})
    asked.blocks.judge({"b": True})
    assert asked.blocks.lag("b") == (0, 0.0)
    assert asked.blocks.lag("a") is None
    assert asked.blocks.lag("unheard of") is None


def test_a_node_on_a_branch_lags_behind_that() -> None:
    chain = Grown()
    asked = Asked(chain)
    height = healthy(asked, list("abcde"))
    chain.part("x", height - 8)
    for turn in range(2):
        at = chain.made(height) + 0.1 + turn
        asked.all(at, {"d": (height - 3, "x"), "e": (height - 7, "x"), **dict.fromkeys("abc", (height + 1, ""))})
    assert asked.blocks.lag("e") == (4, 2.0)


def test_a_height_without_a_hash_takes_part_in_lag_alone() -> None:
    asked = Asked(Grown())
    height = healthy(asked, ["a", "b"])
    asked.blocks.saw("c", Block(height - 5, "", asked.chain.made(height - 5)), asked.chain.made(height) + 0.3)
    assert asked.blocks.wanted("c", asked.chain.made(height) + 0.3) == []
    asked.blocks.judge({"a": True, "b": True, "c": True})
    assert asked.blocks.branch_of("c") is None
    assert asked.blocks.lag("c") == (5, 2.5)
    assert len(asked.blocks.branches) == 1


# Reorganisations


def test_a_restart_to_a_lower_head_is_no_reorganisation() -> None:
    asked = Asked(Grown())
    height = healthy(asked, ["a", "b"])
    asked.all(BEGAN + 800, {"a": (height + 20, ""), "b": (height - 30, "")})
    asked.all(BEGAN + 810, {"a": (height + 40, ""), "b": (height + 40, "")})
    assert asked.blocks.reorganisations("b") == Reorganisations()


def test_a_reorganisation_is_counted_when_the_headers_that_prove_it_have_come() -> None:
    chain = Grown()
    chain.part("x", 1_055)
    asked = Asked(chain)
    height = healthy(asked, ["a", "b"])
    asked.all(chain.made(height + 4), {"a": (height + 4, ""), "b": (height, "x")})
    wanted = asked.ask("b", chain.made(height + 20), height + 20)
    asked.blocks.judge({"a": True, "b": True})
    assert asked.blocks.reorganisations("b").count == 1  # it went to the branch
    asked.answer("b", wanted, height + 20)
    asked.blocks.judge({"a": True, "b": True})
    assert asked.blocks.reorganisations("b") == Reorganisations(2, 5, 5, chain.made(height + 20))


def test_an_observation_that_comes_late_or_twice_changes_nothing() -> None:
    chain = Grown()
    chain.part("x", 1_030)
    asked = Asked(chain)
    height = healthy(asked, ["a", "b"])
    at = chain.made(height)
    for late in (at - 5, at - 5, at - 3):
        asked.ask("a", late, height - 6, "x")
        asked.ask("a", late - 1, height - 20)
    asked.blocks.judge({"a": True, "b": True})
    assert asked.blocks.reorganisations("a").count == 0
    assert asked.blocks.lag("a") == (0, 0.0)
    assert asked.blocks.branch_of("a") == 0


def test_a_clock_that_was_set_back_is_followed() -> None:
    asked = Asked(Grown())
    height = healthy(asked, ["a", "b"])
    for _ in range(4):
        height += 20
        asked.all(asked.chain.made(height) - 3_600, {"a": (height, ""), "b": (height, "")})
    assert asked.blocks.main.tip == asked.chain.block(height)


# Settled


def test_blocks_settle_once_in_order() -> None:
    chain = Grown()
    asked = Asked(chain)
    handed: list[Block] = []
    height = healthy(asked, ["a", "b", "c"])
    handed += asked.blocks.settled()
    assert handed[-1].number == height - SETTLED
    chain.part("x", height - 10)
    asked.all(chain.made(height + 2), dict.fromkeys("abc", (height + 2, "x")))
    handed += asked.blocks.settled()
    assert asked.blocks.settled() == []
    numbers = [block.number for block in handed]
    assert numbers == list(range(numbers[0], height + 2 - SETTLED + 1))
    assert [block.hash for block in handed[-2:]] == [f"x{height - 2}", f"x{height - 1}"]


def test_after_a_long_pause_only_the_last_blocks_settle() -> None:
    asked = Asked(Grown())
    healthy(asked, ["a"])
    asked.blocks.settled()
    handed: list[Block] = []
    for turn in range(60):
        asked.all(BEGAN + 60_000 + turn, {"a": (101_000 + turn, "")})
        handed += asked.blocks.settled()
    numbers = [block.number for block in handed]
    assert numbers == list(range(numbers[0], 101_059 - SETTLED + 1))
    assert len(numbers) <= MOST_SETTLED
    assert numbers[0] >= 101_000 - HOLD - MOST_WANTED


# Whatever they tell


def test_an_invented_head_does_not_become_the_chain_and_evicts_nothing() -> None:
    asked = Asked(Grown(), bare=False)
    height = healthy(asked, ["a", "b", "c", "liar"])
    for turn in range(30):
        height += 20
        asked.all(asked.chain.made(height), dict.fromkeys("abc", (height, "")))
        asked.gather("liar", asked.chain.made(height) + 0.1, 10**9 + turn, "invented")
        asked.blocks.judge(dict.fromkeys(["a", "b", "c", "liar"], False))
    assert asked.blocks.main.tip == asked.chain.block(height)
    assert len(asked.blocks.main.last(10_000)) > 600
    assert asked.blocks.branch_of("liar") is None
    assert all(asked.blocks.lag(node) == (0, 0.0) for node in "abc")


def test_made_up_blocks_are_bounded_for_one_node_and_for_all() -> None:
    chain = Grown()
    asked = Asked(chain, bare=False)
    height = healthy(asked, ["a", "b"])
    chain.part("x", height - 1)
    kept = len(asked.blocks._tree)
    asked.ask("liar", chain.made(height), height, "x")
    for begin in range(height, height + 20_000, 500):
        asked.blocks.told("liar", [chain.block(number, "x") for number in range(begin, begin + 500)])
    assert len(asked.blocks._tree) <= kept + MOST_OF_ONE + 2
    for liar in range(12):
        branch = f"y{liar}"
        chain.part(branch, height - 1)
        asked.ask(branch, chain.made(height), height, branch)
        for begin in range(height, height + 3_000, 500):
            asked.blocks.told(branch, [chain.block(number, branch) for number in range(begin, begin + 500)])
    assert len(asked.blocks._tree) <= kept + MOST_BLOCKS + MOST_OF_ONE
    assert asked.blocks.main.tip == chain.block(height)


def test_of_an_answer_only_what_links_is_kept() -> None:
    asked = Asked(Grown())
    healthy(asked, ["a", "b"])
    kept = len(asked.blocks._tree)
    asked.blocks.told("a", [replace(asked.chain.block(n), hash=f"?{n}", parent=f"?{n}") for n in range(500, 2_000)])
    assert len(asked.blocks._tree) == kept


def test_names_that_come_and_go_leave_nothing() -> None:
    asked = Asked(Grown(), bare=False)
    height = healthy(asked, ["a", "b"], intervals=10)
    kept = len(asked.blocks._tree)
    for turn in range(500):
        asked.ask(f"n{turn}", asked.chain.made(height), 10**6 + turn, "invented")
        asked.blocks.judge({"a": True, "b": True, f"n{turn}": False})
        asked.blocks.forget(f"n{turn}")
    assert len(asked.blocks._tree) == kept
    assert asked.blocks._nodes.keys() == {"a", "b"}


@pytest.mark.parametrize("number", [-1, -(10**30), 0, 1, 10**30])
@pytest.mark.parametrize("timestamp", [0.0, -1e300, 1e300, math.nan, math.inf, 10**400, 95_617_584_000.0])
def test_no_block_is_too_strange(number: int, timestamp: float) -> None:
    asked = Asked(Grown())
    height = healthy(asked, ["a", "b"])
    strange = Block(number, "strange", timestamp, parent="strange")
    blocks = asked.blocks
    for judge in ({"a": True, "b": True, "c": False}, {"c": False}, {"a": True, "c": False}):
        for parent in ("strange", "", asked.chain.block(height).hash):
            blocks.saw("c", replace(strange, parent=parent), BEGAN + 600)
            blocks.wanted("c", BEGAN + 600)
            blocks.told("c", [strange, replace(strange, number=number - 1), asked.chain.block(height)])
            blocks.judge(judge)
            blocks.settled()
            for node in "abcd":
                blocks.lag(node)
                blocks.branch_of(node)
                blocks.reorganisations(node)
            blocks.main.newest_at(timestamp)
            blocks.main.last(10)
    asked.all(asked.chain.made(height + 20), {"a": (height + 20, ""), "b": (height + 20, "")})
    assert blocks.main.tip == asked.chain.block(height + 20)


def test_nothing_known_is_nothing_told() -> None:
    blocks = Blocks()
    blocks.told("a", [])
    blocks.unanswered("a")
    blocks.forget("a")
    blocks.judge({"a": True})
    assert (blocks.wanted("a", BEGAN), blocks.lag("a"), blocks.branch_of("a"), blocks.settled()) == ([], None, None, [])
    assert blocks.branches == ()
