"""The harness itself: a judge who lets everything pass would make the matrix green for ever."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.health.matrix.cases import Moves, Step, read
from tests.health.matrix.judging import Judge, Timeline


def _judged(shown: Sequence[Sequence[str]], shows: Moves = {}, clears: Moves = {}) -> list[str]:  # noqa: B006 - never changed
    """Return the complaints about a step in which these signals show; those that it clears stood before."""
    judge = Judge()
    judge.begin(Step(1, shows=dict.fromkeys(clears, 1)))
    assert list(judge.complaints(1, clears)) == []
    judge.begin(Step(len(shown), shows=shows, clears=clears))
    return [f"{i}: {each}" for i, found in enumerate(shown, 1) for each in judge.complaints(i, found)]


def test_a_signal_that_shows_in_time_and_stays_is_as_it_should_be() -> None:
    assert _judged([[], ["fork"], ["fork"]], {"fork": 2}) == []


def test_a_signal_may_show_early() -> None:
    assert _judged([["fork"], ["fork"]], {"fork": 2}) == []


def test_a_signal_that_shows_late_is_told() -> None:
    assert _judged([[], [], ["fork"]], {"fork": 2}) == ["2: fork does not show"]


def test_a_signal_that_nothing_explains_is_told() -> None:
    assert _judged([[], ["slow other-1"]]) == ["2: slow other-1 shows, and nothing explains it"]


def test_a_signal_about_another_node_is_another_signal() -> None:
    assert _judged([["behind other-2"]], {"behind other-1": 1}) == [
        "1: behind other-1 does not show",
        "1: behind other-2 shows, and nothing explains it",
    ]


def test_a_signal_that_goes_away_though_its_cause_lasts_is_told_and_so_is_its_return() -> None:
    assert _judged([["fork"], [], ["fork"]], {"fork": 1}) == [
        "2: fork went away while its cause lasts",
        "3: fork came back",
    ]


def test_what_happened_once_is_over_in_time() -> None:
    once = {"reorganised other-1": (1, 3)}
    assert _judged([["reorganised other-1"], ["reorganised other-1"], []], once) == []
    assert _judged([["reorganised other-1"], [], []], once) == []
    assert _judged([["reorganised other-1"]] * 3, once) == ["3: reorganised other-1 should be over"]


def test_a_signal_that_clears_late_or_comes_back_is_told() -> None:
    assert _judged([["fork"], [], []], clears={"fork": 2}) == []
    assert _judged([["fork"], ["fork"]], clears={"fork": 2}) == ["2: fork should be over"]
    assert _judged([[], ["fork"]], clears={"fork": 1}) == ["2: fork came back"]


def test_what_stands_from_an_earlier_step_has_to_stay() -> None:
    judge = Judge()
    judge.begin(Step(1, shows={"fork": 1}))
    assert list(judge.complaints(1, ["fork"])) == []
    judge.begin(Step(2))
    assert list(judge.complaints(1, ["fork"])) == []
    assert list(judge.complaints(2, [])) == ["fork went away while its cause lasts"]


def test_what_is_told_twice_is_told() -> None:
    assert _judged([["fork", "fork"]], {"fork": 1}) == ["1: fork is told twice"]


def test_the_timeline_tells_what_changed() -> None:
    timeline = Timeline()
    timeline.heading("step 1")
    for gather, shown in enumerate([{}, {"fork": "It parted."}, {"fork": "It parted, by 3."}, {}], 1):
        timeline.gather(gather, shown)
    assert timeline.lines == ["step 1", "     2 + fork: It parted.", "     4 - fork"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("gathers: 3\n    shows: {halted: 4}", "halted takes 4 gathers, and there are but 3"),
        ("gathers: 3\n    shows: {stopped: 1}", "stopped is no signal; there are silent"),
        ("gathers: 3\n    clears: {halted: 1}", "halted did not show before"),
        ("gathers: 3\n    does: []", "unknown field `does`"),
        ("gathers: many", "Expected `int`"),
    ],
)
def test_a_case_with_a_mistake_says_which(tmp_path: Path, change: str, says: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(f"what: nothing\nkinds: [nodeos]\nmakers: 1\nsteps:\n  - {change}\n")
    with pytest.raises(ValueError, match=r"case\.yaml") as caught:
        read(path)
    assert says in str(caught.value)
