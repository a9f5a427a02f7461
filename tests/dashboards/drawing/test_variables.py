"""What stands for variables in queries: what Grafana puts there, so that tests ask what users ask."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.drawing.variables import Chosen, Span, filled, interval, iso

ONE = {"chain": Chosen(("a.b",))}
TWO = {"chain": Chosen(("a.b", "c"))}
EVERY = {"chain": Chosen(("a.b", "c"), every=".+")}


@pytest.mark.parametrize(
    ("text", "variables", "usual", "wanted"),
    [
        ('x{chain=~"$chain"}', ONE, "prometheus", r'x{chain=~"a\\.b"}'),
        ('x{chain=~"$chain"}', TWO, "prometheus", r'x{chain=~"(a\\.b|c)"}'),
        ('x{chain=~"$chain"}', EVERY, "prometheus", 'x{chain=~".+"}'),
        ('x{chain="$chain"}', {"chain": Chosen(('a"b',), several=False)}, "prometheus", r'x{chain="a\"b"}'),
        ("chain =~ /^$chain$/", ONE, "regex", r"chain =~ /^a\.b$/"),
        ("chain =~ /^[[chain]]$/", TWO, "regex", r"chain =~ /^(a\.b|c)$/"),
        ("chain =~ /^${chain:regex}$/", TWO, "glob", r"chain =~ /^(a\.b|c)$/"),
        ("${chain:pipe}", TWO, "glob", "a.b|c"),
        ("${chain:csv}", TWO, "glob", "a.b,c"),
        ("${chain:doublequote}", TWO, "glob", '"a.b","c"'),
        ("${chain}", TWO, "glob", "{a.b,c}"),
        ("${chain:regex}", EVERY, "glob", ".+"),
    ],
)
def test_values_are_written_as_the_language_wants_them(
    text: str, variables: dict[str, Chosen], usual: str, wanted: str
) -> None:
    assert filled(text, variables, {}, usual) == wanted


def test_a_variable_that_there_is_not_fails() -> None:
    with pytest.raises(KeyError, match="no variable nowhere"):
        filled("$nowhere", ONE, {}, "regex")
    assert filled("$nowhere", ONE, {}, "regex", strict=False) == "$nowhere"


def test_a_regex_that_ends_in_a_dollar_is_no_variable() -> None:
    assert filled("/^x$/", {}, {}, "regex") == "/^x$/"


@given(st.lists(st.text("ab.|()[]{}$^*+?/\\-_ ", min_size=1, max_size=6), min_size=1, max_size=3, unique=True))
def test_a_regex_of_values_matches_these_alone(values: list[str]) -> None:
    pattern = filled("^$x$", {"x": Chosen(tuple(values))}, {}, "regex")
    for value in values:
        assert re.search(pattern, value)
        assert not re.search(pattern, value + "z")


def test_rates_reach_over_four_scrapes_at_least() -> None:
    assert Span(0, 3600, 5, 15).builtins()["__rate_interval"] == "60s"
    assert Span(0, 86_400, 120, 15).builtins()["__rate_interval"] == "135s"
    assert Span(0, 3600, 5, 15).builtins()["__range"] == "3600s"


def test_durations_and_moments() -> None:
    assert [interval(2), interval(0.5), interval(1.5)] == ["2s", "500ms", "1500ms"]
    assert iso(1.25) == "1970-01-01T00:00:01.250Z"
