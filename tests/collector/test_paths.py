"""Selection by dotted paths, and plans that take the selected numbers and nothing else."""

from __future__ import annotations

import gc
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.paths import DEEPEST, MOST_NUMBERS, Path, Plan, Plans, Selection, field_name, nearest, offered

DOCUMENT = {
    "chain": {"inserts": {"Overall": 56, "Percentiles": {"5": 1.5, "50": 2.5}}, "write": {"Overall": 28}},
    "p2p": {"InboundTraffic": {"Overall": 7}, "note": "Unknown metric type", "flag": True, "list": [1]},
}


def select(*paths: str, document: Any = DOCUMENT) -> dict[str, float]:  # noqa: ANN401 - JSON can be anything
    plan = Plan(document, Selection(paths), lambda keys: keys)
    values = plan.take(document)
    assert values is not None
    return dict(zip([field.name for field in plan.fields], values, strict=True))


@pytest.mark.parametrize(
    ("paths", "fields"),
    [
        (["chain.inserts"], ["chain_inserts_overall", "chain_inserts_percentiles_5", "chain_inserts_percentiles_50"]),
        (["chain.inserts.Overall"], ["chain_inserts_overall"]),  # a number; Telegraf's plugin could not
        (["CHAIN.INSERTS.overall"], ["chain_inserts_overall"]),
        (["chain.*.Overall"], ["chain_inserts_overall", "chain_write_overall"]),
        (["*.*.Overall"], ["chain_inserts_overall", "chain_write_overall", "p2p_inboundtraffic_overall"]),
        (["p2p"], ["p2p_inboundtraffic_overall"]),  # no strings, booleans or lists
        (["p2p.In*"], ["p2p_inboundtraffic_overall"]),
        (["chain.in"], []),  # whole parts, not beginnings
        ([], []),
    ],
)
def test_a_path_selects_all_below_it(paths: list[str], fields: list[str]) -> None:
    assert sorted(select(*paths, document=DOCUMENT) if fields else {}) == fields
    if not fields:
        assert Plan(DOCUMENT, Selection(paths), lambda keys: keys).fields == ()


def test_what_was_not_selected_is_not_looked_at_again() -> None:
    """A value that was not selected may become anything; only its key has to stay."""
    plan = Plan(DOCUMENT, Selection(["chain.write"]), lambda keys: keys)
    changed = {**DOCUMENT, "p2p": "gone mad"}
    assert plan.take(changed) == [28]


def test_a_number_that_was_none_before_is_noticed() -> None:
    """A gauge that was NaN once, which the decoder makes null, must not be missing for ever."""
    once = {"chain": {"a": None, "b": 1}, "p2p": {}}
    plan = Plan(once, Selection(["chain", "p2p.in"]), lambda keys: keys)
    assert plan.take(once) == [1]
    assert plan.take({"chain": {"a": 2, "b": 1}, "p2p": {}}) is None
    assert plan.take({"chain": {"a": None, "b": 1}, "p2p": {"in": 5}}) is None


def test_plans_are_shared_by_those_that_answer_alike_and_no_others() -> None:
    selection = Selection(["chain"])
    plans = Plans()
    plan = plans.add(Plan({"chain": {"a": None, "b": 1}}, selection, lambda keys: keys))
    assert plans.find({"chain": {"a": None, "b": 7}}) is plan
    assert plans.find({"chain": {"a": 1, "b": 1}}) is None
    assert plans.find({"chain": {"b": 1}}) is None
    del plan
    gc.collect()
    assert plans.find({"chain": {"a": None, "b": 7}}) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"chain": DOCUMENT["chain"]},  # a key less
        {**DOCUMENT, "new": {"Overall": 1}},  # a key more
        {**DOCUMENT, "chain": 5},  # a number where a tree was
        {**DOCUMENT, "chain": {**DOCUMENT["chain"], "write": {"Overall": "28"}}},
        {**DOCUMENT, "chain": {**DOCUMENT["chain"], "write": {"Overall": None}}},
        {**DOCUMENT, "chain": {**DOCUMENT["chain"], "write": {"Overall": True}}},
        [],
        None,
    ],
)
def test_a_document_of_another_form_is_noticed(changed: object) -> None:
    plan = Plan(DOCUMENT, Selection(["chain"]), lambda keys: keys)
    assert plan.take(DOCUMENT) is not None
    assert plan.take(changed) is None


def test_paths_that_match_nothing_are_named_with_what_was_meant() -> None:
    paths = offered(DOCUMENT, lambda keys: keys)
    assert Selection(["chain.insert", "p2p", "zzz"]).unmatched(paths) == ["chain.insert", "zzz"]
    assert nearest("chain.insert", paths)[0] == "chain.inserts"
    assert nearest("zzz", paths) == []


def test_a_document_that_is_too_deep_or_too_long_is_cut() -> None:
    deep: Any = 1
    for _ in range(500):
        deep = {"a": deep, "b": 1}
    plan = Plan(deep, Selection(["*"]), lambda keys: keys)
    assert len(plan.fields) == DEEPEST - 0 or len(plan.fields) < DEEPEST + 2
    long = {f"k{number}": number for number in range(3 * MOST_NUMBERS)}
    assert len(Plan(long, Selection(["*"]), lambda keys: keys).fields) == MOST_NUMBERS


def test_two_numbers_whose_fields_would_be_one_are_one() -> None:
    document = {"a": {"B": 1}, "A": {"b": 2}}
    plan = Plan(document, Selection(["*"]), lambda keys: keys)
    assert plan.take(document) == [1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, JSON)
def test_any_document_is_taken_whole_and_any_other_refused_or_of_the_same_form(one: Any, other: Any) -> None:  # noqa: ANN401
    def leaves(value: Any, keys: Path = ()) -> list[tuple[str, Any]]:  # noqa: ANN401
        if isinstance(value, dict):
            return [pair for key, below in value.items() for pair in leaves(below, (*keys, key))]
        return [(field_name(keys), value)] if type(value) in (int, float) and keys else []

    plan = Plan(one, Selection(["*"]), lambda keys: keys)
    expected: dict[str, set[float]] = {}
    for name, value in leaves(one):
        expected.setdefault(name, set()).add(value)
    values = plan.take(one)
    if isinstance(one, dict):
        assert values is not None
        taken_of_one = dict(zip([field.name for field in plan.fields], values, strict=True))
        assert taken_of_one.keys() == expected.keys()
        assert all(value in expected[name] for name, value in taken_of_one.items())
    taken = plan.take(other)
    assert taken is None or len(taken) == len(plan.fields)
    # By the decoder that is made for the form it is the same.
    for _ in range(4):
        encoded = plan.take_encoded(orjson.dumps(one))
    if encoded is not None:
        assert encoded == values
        assert plan.take_encoded(orjson.dumps(other)) == taken
