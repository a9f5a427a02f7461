"""The log: a line for a thing, not for each time it happens, and nothing of others' making that could deceive."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.remarks import MOST_IN_THAT, MOST_ONCE, REPEAT_AFTER, Remarks, excerpt


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def remarks(time: Time, caplog: pytest.LogCaptureFixture) -> Remarks:
    caplog.set_level(logging.INFO, "chainwatch")
    return Remarks(logging.getLogger("chainwatch"), "lab/a", time)


def test_a_failure_is_said_at_once_and_again_after_five_minutes_with_the_number_left_out(
    remarks: Remarks, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(70):
        remarks.failed("timeout", "no answer")
        time.now += 10
    assert caplog.messages == [
        "lab/a: no answer",
        "lab/a: no answer (29 more like this)",
        "lab/a: no answer (29 more like this)",
    ]


def test_kinds_are_told_apart(remarks: Remarks, caplog: pytest.LogCaptureFixture) -> None:
    remarks.failed("timeout", "no answer")
    remarks.failed("http", "HTTP 500")
    remarks.failed("timeout", "no answer")
    assert caplog.messages == ["lab/a: no answer", "lab/a: HTTP 500"]


def test_a_new_failure_after_a_recovery_is_said_at_once(
    remarks: Remarks, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    remarks.failed("timeout", "no answer")
    time.now += 42
    remarks.recovered("well again")
    remarks.recovered("well again")
    remarks.failed("timeout", "no answer")
    assert caplog.messages == ["lab/a: no answer", "lab/a: well again after 42 s", "lab/a: no answer"]


def test_what_comes_and_goes_all_the_time_is_said_a_few_times_and_no_more(
    remarks: Remarks, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(int(REPEAT_AFTER) - 1):
        remarks.failed("http", "HTTP 503")
        remarks.recovered("well again")
        time.now += 1
    assert len(caplog.messages) == 2 * MOST_IN_THAT


def test_a_thing_is_said_once_and_the_memory_of_it_is_bounded(
    remarks: Remarks, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(3 * MOST_ONCE):
        remarks.once(f"{number}", "a thing")
        remarks.once(f"{number}", "a thing")
        remarks.failed(f"{number}", "another")
    assert caplog.messages.count("lab/a: a thing") == MOST_ONCE
    assert len(remarks._kinds) <= MOST_ONCE
    remarks.forget()
    assert not remarks.said("1")


@given(st.text() | st.binary(), st.integers(1, 300))
def test_an_excerpt_is_short_and_on_one_line_whatever_it_is_of(text: str | bytes, most: int) -> None:
    shown = excerpt(text, most)
    assert len(shown) <= 10 * most + 1
    assert all(character.isprintable() for character in shown)


def test_an_excerpt_shows_what_is_invisible() -> None:
    assert excerpt(b" a\x00b\nc\x1b[31m\xff ") == r"a\x00b\nc\x1b[31m\xff"
    assert excerpt("x" * 300, 5) == "xxxxx…"
