"""Documents whose form changes, and hostile ones: each number has its own name, and nobody waits for long."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from collector.client import LONGEST_ANSWER, decode
from collector.failures import BadAnswer, Failure
from collector.paths import Plan, Selection
from collector.readings import Value
from collector.remarks import Remarks
from collector.shapes import Shapes
from collector.sources.ethereum.raw import RawMetrics
from collector.targets import Target
from tests.helpers import run

KEYS = st.sampled_from(["a", "b", "c", "", "é", "_0", 'q"', "list"])
LEAVES: st.SearchStrategy[Any] = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.none() | st.booleans() | st.text(max_size=3) | st.just([1, 2]) | st.builds(dict),
)


def expected(document: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a nested document by the names of their fields, as plainly as can be."""
    found: dict[str, float] = {}

    def walk(value: object, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for key, below in value.items():
                walk(below, (*path, key))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[".".join(path)] = float(value)

    walk(document, ())
    return found


class Nodes(RuleBasedStateMachine):
    """Two nodes whose documents change in every way, gathered by one selection: plans are shared between them."""

    def __init__(self) -> None:
        super().__init__()
        target = Target("lab", "ethereum", "n", "http://127.0.0.1:1", metrics=("*",))
        remarks = Remarks(logging.getLogger("chainwatch"), "n")
        remarks.once = lambda *_: None  # type: ignore[method-assign]
        self.shapes = [Shapes(target.tags) for _ in range(2)]
        self.raws = [RawMetrics(target, shapes, remarks) for shapes in self.shapes]
        self.documents: list[dict[str, Any]] = [{"system": {"x": 1}, "a": {"b": 1, "c": 2.5}} for _ in range(2)]
        self.loop = asyncio.new_event_loop()

    def teardown(self) -> None:
        """Close the loop."""
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    @rule(node=st.integers(0, 1), path=st.lists(KEYS, min_size=1, max_size=3), leaf=LEAVES)
    def put(self, node: int, path: list[str], leaf: object) -> None:
        """Let a key appear, or hold something else than before."""
        tree = self.documents[node]
        for key in path[:-1]:
            if not isinstance(tree.get(key), dict):
                tree[key] = {}
            tree = tree[key]
        tree[path[-1]] = copy.deepcopy(leaf)

    @rule(node=st.integers(0, 1), leaf=st.sampled_from([None, 1, "text", {"d": 1}]))
    def come_and_go(self, node: int, leaf: object) -> None:
        """Let one value be a number, and none, and a number again."""
        self.documents[node]["gauge"] = copy.deepcopy(leaf)

    @rule(node=st.integers(0, 1), path=st.lists(KEYS, min_size=1, max_size=2))
    def drop(self, node: int, path: list[str]) -> None:
        """Let a key vanish."""
        tree: Any = self.documents[node]
        for key in path[:-1]:
            tree = tree.get(key) if isinstance(tree, dict) else None
        if isinstance(tree, dict):
            tree.pop(path[-1], None)

    @rule(node=st.integers(0, 1), seed=st.integers(0, 99))
    def reorder(self, node: int, seed: int) -> None:
        """Let the keys come in another order."""
        items = list(self.documents[node].items())
        random.Random(seed).shuffle(items)
        self.documents[node] = dict(items)

    @rule(node=st.integers(0, 1))
    def switch(self, node: int) -> None:
        """Switch the metrics off or on."""
        if self.documents[node].pop("system", None) is None:
            self.documents[node]["system"] = {"x": 1}

    @rule()
    def become_the_other(self) -> None:
        """Let one node answer as the other does."""
        self.documents[1] = copy.deepcopy(self.documents[0])

    @invariant()
    def gather_both(self) -> None:
        """Gather after every change."""
        for node in range(2):
            self.gather(node, 1)

    @rule(node=st.integers(0, 1), times=st.integers(3, 6))
    def gather(self, node: int, times: int) -> None:
        """Gather so often that the decoder for the form comes into use, too."""
        document = self.documents[node]
        body = json.dumps(document).encode()  # integers of any size, which orjson does not write
        # Two paths may come to one name; then either number is right.
        by_name: dict[str, set[float]] = {}
        for path, value in expected(document).items():
            by_name.setdefault(path.replace(".", "_").lower(), set()).add(value)
        for _ in range(times):
            self.shapes[node].begin()
            readings = self.loop.run_until_complete(self.raws[node].readings(body, flat=False))
            if "system" not in document:
                assert readings == []
                continue
            taken: dict[str, Value] = readings[0].as_dict()
            assert taken.keys() == by_name.keys()
            assert all(float(value) in by_name[name] for name, value in taken.items())


TestNodes = Nodes.TestCase
TestNodes.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


MOST_SECONDS = 0.5
"""Processor time that one answer may take here, where nothing is measured: what grows with a square takes minutes."""


def _seconds(work: Callable[[], object]) -> float:
    """Return the processor time that some work takes; the best of three if the first is long."""
    took = math.inf
    for _ in range(3):
        began = time.process_time()
        work()
        took = min(took, time.process_time() - began)
        if took < MOST_SECONDS:
            break
    return took


def _decode(body: bytes) -> None:
    try:
        decode(body, "POST /")
    except Failure as failure:
        assert len(str(failure)) < 300  # noqa: PT017 - some of them are JSON


def _repeated(part: bytes, before: bytes = b"[", after: bytes = b"1]", size: int = LONGEST_ANSWER) -> bytes:
    return before + part * ((size - len(before) - len(after)) // len(part)) + after


HOSTILE = {
    "strings without an end": b'"' + b'\\"' * 20_000,
    "strings without an end, large": b'"' + b'\\"' * 2_000_000,
    "words": _repeated(b"NaN,"),
    "words, small": _repeated(b"NaN,", size=2**18),
    "half words": _repeated(b"NaNx-Inf+I", size=2**18),
    "signs": _repeated(b"+-", size=2**18),
    "empty strings and a word": _repeated(b'"",', after=b"NaN]", size=2**18),
    "lists": _repeated(b"[],"),
    "lists, small": _repeated(b"[],", size=2**18),
    "objects": _repeated(b"{},"),
    "nested": _repeated(b"[[[]]],"),
    "objects of one": _repeated(b'{"a":1},'),
    "depth": b"[" * LONGEST_ANSWER,
    "numbers": _repeated(b"1,"),
    "a number": b"1" * LONGEST_ANSWER,
    "no text": b"\xff" * LONGEST_ANSWER,
    "one key again and again": _repeated(b'"a":1,', b"{", b'"b":1}'),
    "keys": orjson.dumps({f"{number:x}": 1 for number in range(400_000)}),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_answer_takes_long_to_decode(body: bytes) -> None:
    assert _seconds(lambda: _decode(body)) < MOST_SECONDS


@pytest.mark.parametrize("keys", [2_000, 30_000])
def test_keys_in_another_order_than_learned_take_no_longer_than_the_square_of_few(keys: int) -> None:
    document = {f"chain/{number:05}": number for number in range(keys)}
    plan = Plan(document, Selection(["*"]), lambda keys: keys)
    for _ in range(3):
        assert plan.take_encoded(orjson.dumps(document)) is None
    for order in (document, dict(reversed(document.items()))):
        body = orjson.dumps(order)
        assert _seconds(lambda body=body: plan.take_encoded(body)) < MOST_SECONDS  # type: ignore[misc]


def test_a_pattern_takes_no_longer_on_a_name_made_for_it() -> None:
    selection = Selection(["*a*a*b"])
    for length in (1_000, 1_000_000):
        assert _seconds(lambda length=length: ("a" * length,) in selection) < MOST_SECONDS  # type: ignore[misc]
        assert ("a" * length + "b",) in selection


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "", True),
        ("a*", "a", True),
        ("a*a", "a", False),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "xab", False),
        ("a*b*c", "a-b-b-c-c", True),
        ("a**c", "abc", True),
        ("a.*", "a.b", False),  # a point is a point, and parts are none
        ("a", "ab", False),
        ("*line*", "a\nline\n", True),
    ],
)
def test_a_star_stands_for_any_run_of_characters(pattern: str, name: str, matches: bool) -> None:
    assert ((name,) in Selection([pattern])) == matches


def test_an_answer_that_is_no_text_in_a_form_that_is_known_is_a_bad_answer() -> None:
    """The decoder for a form does not look at strings that are not taken; at those that it does, it may stumble."""

    async def scenario() -> None:
        target = Target("lab", "ethereum", "n", "http://127.0.0.1:1", metrics=("*",))
        shapes = Shapes(target.tags)
        raw = RawMetrics(target, shapes, Remarks(logging.getLogger("chainwatch"), "n"))
        for _ in range(6):
            shapes.begin()
            assert await raw.readings(b'{"system": "text", "a": 1}', flat=False)
        with pytest.raises(BadAnswer):
            await raw.readings(b'{"system": "\xff", "a": 1}', flat=False)

    run(scenario())
