"""Shapes: made when a set of fields is first seen, found again, and let go of when a gather does not use them."""

from __future__ import annotations

import gc
import time
import weakref
from typing import Any

import pytest

from collector.catalogue import CHAIN
from collector.readings import Field, Shape
from collector.shapes import Shapes

FIELDS = (Field("a"), Field("b"))


def shapes() -> Shapes:
    return Shapes({"chain": "lab", "node": "n", "role": ""})


def test_the_same_fields_are_the_same_shape_gather_after_gather() -> None:
    made = shapes()
    first = None
    for number in range(5):
        made.begin()
        reading = made.reading("geth", FIELDS, [number, 2], server="s")
        first = first or reading.shape
        assert reading.shape is first
        # Equal is enough: a source may put its fields together anew.
        assert made.reading("geth", (Field("a"), Field("b")), [1, 2], server="s").shape is first
    assert first is not None
    assert first.tags == (("chain", "lab"), ("node", "n"), ("server", "s"))


def test_other_fields_or_tags_are_another_shape() -> None:
    made = shapes()
    made.begin()
    one = made.reading("geth", FIELDS, [1, 2]).shape
    assert made.reading("geth", FIELDS[:1], [1]).shape is not one
    assert made.reading("geth", FIELDS[::-1], [1, 2]).shape.fields == FIELDS[::-1]
    assert made.reading("geth", FIELDS, [1, 2], signer="x").shape is not one
    assert made.reading("other", FIELDS, [1, 2]).shape is not one


def test_a_shape_that_comes_back_after_another_holds_its_own_names() -> None:
    """Names never stay behind with the values of other fields, whatever order forms come and go in."""
    made = shapes()
    forms = [FIELDS, FIELDS[::-1], FIELDS[:1], (Field("c"), Field("b"))]
    for form in [forms[number * 7 % 4] for number in range(40)]:
        made.begin()
        values = [field.name for field in form]
        assert made.reading("geth", form, values).as_dict() == {name: name for name in values}


def test_a_node_that_makes_up_ever_new_names_costs_one_gather_at_most() -> None:
    made = shapes()
    alive: weakref.WeakSet[Any] = weakref.WeakSet()

    class Watched(Shape):
        __slots__ = ("__weakref__",)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("collector.shapes.Shape", Watched)
        for gather in range(100):
            made.begin()
            for number in range(10):
                alive.add(made.reading("geth", (Field(f"{gather}"),), [1], signer=f"{gather}-{number}").shape)
    gc.collect()
    assert len(alive) <= 20


def test_curated_readings_leave_out_what_has_no_value_and_take_nothing_unknown() -> None:
    made = shapes()
    made.begin()
    reading = made.curated(CHAIN, {"peers": 3, "head_block_number": 7})
    assert reading.as_dict() == {"head_block_number": 7, "peers": 3}
    assert [field.help for field in reading.shape.fields] == [m.help for m in CHAIN if m.field in reading.as_dict()]
    with pytest.raises(AssertionError):
        made.curated(CHAIN, {"peers": 3, "made_up": 1})


def test_readings_of_one_gather_have_one_time() -> None:
    made = shapes()
    made.begin()
    first = made.reading("geth", FIELDS, [1, 2])
    time.sleep(0.002)
    assert made.reading("other", FIELDS, [1, 2]).time_ns == first.time_ns
    made.begin()
    assert made.reading("geth", FIELDS, [1, 2]).time_ns > first.time_ns
