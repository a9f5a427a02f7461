"""YAML for people says the same as the data that it was made of."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from compose.rendering.document import Octal, Shared, based_on, document, whole

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | TEXTS
    | st.sampled_from(["<<", "no", "1:30", "a 'b' \"c\"", "# x: y", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_whatever_goes_in_comes_out(content: dict[str, Any]) -> None:
    assert yaml.safe_load(document(content, "A header.")) == (content or {})


def test_what_is_shared_stands_there_once_and_is_taken_over() -> None:
    base = Shared("base", {"image": "a:1", "labels": {"x": "y"}})
    more = Shared("more", based_on(base, {"command": ["run"]}))
    content = {
        "x-base": base,
        "x-more": more,
        "services": {"one": based_on(more, {"image": "b:2"}), "two": {"same": base}},
    }
    text = document(content, "A header.")
    assert text.count("a:1") == 1
    assert "x-base: &base\n" in text
    assert "<<: *more" in text
    read = yaml.safe_load(text)["services"]
    assert (
        read["one"] == {"image": "b:2", "labels": {"x": "y"}, "command": ["run"]} == whole(content["services"]["one"])
    )
    assert read["two"] == {"same": {"image": "a:1", "labels": {"x": "y"}}}


def test_comments_stand_above_what_they_are_about() -> None:
    text = document({"a": {"b": 1, "c": {"d": 2}, "e": 3}}, "A header.", {"a.b": "Of b.", "a.c.d": "Of d.", "a.e": ""})
    assert text == "# A header.\n\na:\n  # Of b.\n  b: 1\n  c:\n    # Of d.\n    d: 2\n\n  e: 3\n"


def test_long_comments_are_broken_between_words_and_nowhere_else() -> None:
    text = document({"a": 1}, "word " * 60 + "\n  indented\n\nlast")
    lines = text.splitlines()
    assert all(len(line) <= 110 for line in lines)
    assert lines[-5:] == ["#   indented", "#", "# last", "", "a: 1"]


def test_a_comment_on_what_is_not_there_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="not there"):
        document({"a": 1}, "A header.", {"b": "Of b."})


def test_modes_of_files_are_written_as_people_write_them() -> None:
    text = document({"mode": Octal(0o400)}, "A header.")
    assert text.endswith("mode: 0400\n")
    assert yaml.safe_load(text) == {"mode": 0o400}
