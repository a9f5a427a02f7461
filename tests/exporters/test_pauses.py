"""Pauses: as long as the server asks for, within reason; longer with each failure."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.pauses import Backoff, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("0", 0.0),
        (" 7 ", 7.0),
        ("600", 600.0),
        ("601", 600.0),
        ("999999999999", 600.0),
        ("9" * 5000, 0.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("inf", 0.0),
        ("nan", 0.0),
        ("soon", 0.0),
        ("٣", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 600.0),
        ("Fri, 99 Dec 9999 99:99:99 GMT", 0.0),
    ],
)
def test_retry_after(value: str | None, seconds: float) -> None:
    assert retry_after(value) == seconds


def test_retry_after_takes_a_date() -> None:
    assert 25 < retry_after(formatdate(time.time() + 30, usegmt=True)) <= 30


@given(st.text())
def test_retry_after_survives_anything(value: str) -> None:
    assert 0 <= retry_after(value) <= 600


def test_pauses_grow_to_a_bound_and_begin_anew() -> None:
    backoff = Backoff(first=1.0, longest=60.0)
    pauses = [backoff.pause() for _ in range(10)]
    for pause, most in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60], strict=True):
        assert most / 2 <= pause <= most
    backoff.reset()
    assert backoff.pause() <= 1.0


def test_pauses_differ() -> None:
    assert len({Backoff().pause() for _ in range(10)}) > 1
