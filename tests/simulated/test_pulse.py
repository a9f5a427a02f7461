"""The figures of a simulated geth: the recorded documents at the recorded moment, and plausible at any other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import hypothesis
from hypothesis import strategies as st

from compose.simulated import documents
from compose.simulated.geth import PAGES, TREE
from compose.simulated.pulse import Pulse


def leaves(tree: object, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(tree, (int, float)):
        yield path, tree


def written(pulse: Pulse, now: float, head: int) -> dict[str, float]:
    return dict(leaves(json.loads(TREE.write(pulse.figures(now, head, 2, 1, 1)))))


def test_at_the_recorded_moment_it_is_the_recorded_document() -> None:
    now = written(Pulse(0, 0), 93.07, 56)
    then = dict(leaves(documents.GETH_METRICS))
    assert list(now) == list(then)
    for path, value in then.items():
        if path.endswith(("Overall", "Measurements")):
            assert now[path] == value, path
            assert isinstance(now[path], int)
        elif "MeanRate" in path or "Percentiles" in path:
            assert abs(now[path] - value) <= 0.06 * value + 0.01, path


def test_pages_have_the_recorded_names_in_their_order_and_lines() -> None:
    for version, page in PAGES.items():
        body = page.write(Pulse(0, 0).figures(93.07, 56, 2, 1, 1))
        recorded = documents.GETH_PAGES[version]
        assert list(json.loads(body)) == list(recorded)
        assert body.startswith(b"{\n")
        assert body.endswith(b"\n}\n")
        assert body.count(b"\n") == len(recorded) + 2
    assert {version: len(page) for version, page in documents.GETH_PAGES.items()} == {"1.8.27": 612, "1.10.26": 2300}


@hypothesis.given(st.lists(st.tuples(st.floats(0, 60), st.integers(-5, 20)), min_size=1, max_size=8))
@hypothesis.settings(max_examples=25)
def test_counters_never_fall_and_numbers_are_finite(steps: list[tuple[float, int]]) -> None:
    pulse = Pulse(0, 100)
    now, head = 0.0, 100
    before: dict[str, float] = {}
    for elapsed, blocks in steps:
        now, head = now + elapsed, max(head + blocks, 0)
        figures = written(pulse, now, head)
        for path, value in figures.items():
            assert abs(value) < 1e15
            if path.endswith("Overall"):
                assert value >= before.get(path, 0), path
        before = figures


def test_reading_empties_the_resetting_timers() -> None:
    pulse = Pulse(0, 0)
    timer = "/trie/memcache/commit/time/"
    assert written(pulse, 93, 56)[timer + "Measurements"] == 57
    again = written(pulse, 94, 56)
    assert {again[path] for path in again if path.startswith(timer)} == {0}
    assert written(pulse, 99, 58)[timer + "Measurements"] == 2


def test_in_a_stall_the_rates_decay_slowly() -> None:
    pulse = Pulse(0, 0)
    rate = "/chain/inserts/AvgRate01Min"
    moving = written(pulse, 90, 30)[rate]
    assert abs(moving - 1 / 3) < 0.01
    figures = written(pulse, 120, 30)
    later = figures[rate]
    assert figures["/chain/inserts/AvgRate15Min"] > 0.95 * moving
    assert 0.55 * moving < later < 0.65 * moving
    assert written(pulse, 121, 30)[rate] == later, "between two ticks nothing moves"
    assert written(pulse, 900, 30)[rate] < 0.001


def test_a_node_that_has_seen_no_block_has_timed_none() -> None:
    figures = written(Pulse(1000, 77), 1001, 77)
    assert figures["/chain/inserts/Overall"] == 0
    assert figures["/chain/inserts/Percentiles/95"] == 0
    assert figures["/system/memory/allocs/Overall"] > 0
