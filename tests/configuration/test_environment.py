"""Values from the environment."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.configuration.environment import expand, mask, unmask

ENVIRON = {"NAME": "value", "EMPTY": "", "_x9": "y", "FORM": "${NAME}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${NAME}", "value"),
        ("a${NAME}b${_x9}c", "avaluebyc"),
        ("${EMPTY}", ""),
        ("${MISSING:-default}", "default"),
        ("${EMPTY:-default}", "default"),
        ("${NAME:-default}", "value"),
        ("${MISSING:-}", ""),
        ("${MISSING:-a b:c, #d}", "a b:c, #d"),
        ("${NAME:?message}", "value"),
        ("$${NAME}", "${NAME}"),
        ("$$${NAME}", "$${NAME}"),
        ("$NAME $ $$ {} }", "$NAME $ $$ {} }"),
        ("${FORM}", "${NAME}"),
        ("${MISSING:-$NAME}", "$NAME"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    assert expand(text, ENVIRON) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${MISSING}", "the environment variable MISSING is not set; set it"),
        ("${MISSING:?ask Ann}", "the environment variable MISSING is not set; ask Ann"),
        ("${EMPTY:?ask Ann}", "the environment variable EMPTY is empty; ask Ann"),
        ("${MISSING:?}", "the environment variable MISSING is not set; set it"),
        ("${}", "begins no variable"),
        ("${NAME", "begins no variable"),
        ("${1}", "begins no variable"),
        ("${NAME:default}", "begins no variable"),
        ("${NAME }", "begins no variable"),
    ],
)
def test_what_cannot_be_replaced(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        expand(f"secret{text}", ENVIRON)


def test_the_text_is_in_no_message() -> None:
    for text in ("${MISSING}", "${", "${EMPTY:?no}"):
        with pytest.raises(ValueError, match=r"environment|begins") as caught:
            expand(f"hunter2{text}hunter2", ENVIRON)
        assert "hunter2" not in str(caught.value)


@given(st.text(), st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]*", fullmatch=True), st.text()))
def test_values_come_through_as_they_are(text: str, environ: dict[str, str]) -> None:
    quoted = text.replace("${", "$${")
    assert expand(quoted, environ) == text
    for name, value in environ.items():
        assert expand(f"{quoted} ${{{name}}}", environ) == f"{text} {value}"
        assert expand(f"${{{name}:-x}}", environ) == (value or "x")


@given(st.text(alphabet=st.sampled_from("${}ab:- #\n\U0001f600'\"[],")) | st.text())
def test_masking_keeps_every_character_in_its_place(text: str) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert masked.count("\n") == text.count("\n")
    assert unmask(masked) == text
