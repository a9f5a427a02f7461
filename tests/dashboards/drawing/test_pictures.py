"""Boards as pages: where panels stand, what is in them, and that nothing breaks out of them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dashboards.drawing import charts
from dashboards.drawing.asking import Json, Variables
from dashboards.drawing.boards import Place, Rows, shown
from dashboards.drawing.frames import Column, Frame, Series, Table
from dashboards.drawing.page import marking, page
from dashboards.drawing.panels import Room, drawn
from dashboards.drawing.pictures import png, shoot
from dashboards.drawing.variables import Chosen, Span
from tests.browser.chromium import chromium

SPAN = Span(0, 60, 2, 2)
ROOM = Room(600, 200, SPAN)
HOSTILE = "<script>alert('x')</script>"


class Told:
    """A database that answers every query with the same frames."""

    kind = "prometheus"

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames

    def ask(self, target: Json, span: Span, variables: Variables) -> list[Frame]:
        """Return the frames."""
        del target, span, variables
        return list(self._frames)

    def values(self, query: Any, span: Span, variables: Variables) -> list[str]:  # noqa: ANN401 - as the protocol has it
        """Return two chains."""
        del query, span, variables
        return ["one", "two"]

    def text(self, target: Json, span: Span, variables: Variables) -> str:
        """Return the query as it stands there."""
        del span, variables
        return str(target["expr"])


def panel(kind: str, x: int, y: int, **more: object) -> Json:
    """Return a panel, 12 wide and 4 high."""
    defaults = {"unit": "s", "thresholds": {"steps": [{"color": "green"}, {"color": "red", "value": 10}]}}
    return {
        "type": kind,
        "title": f"{kind} of $chain",
        "gridPos": {"x": x, "y": y, "w": 12, "h": 4},
        "targets": [{"refId": "A", "expr": "x"}],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        **more,
    }


BOARD: Json = {
    "title": "Board",
    "uid": "board",
    "templating": {
        "list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data Source"},
            {"name": "chain", "type": "query", "query": "q", "multi": True, "includeAll": True, "allValue": ".+"},
        ]
    },
    "annotations": {
        "list": [
            {"builtIn": 1, "name": "Grafana's own", "enable": True, "target": {}},
            {"name": "off", "enable": False, "expr": "x"},
            {"name": "on", "enable": True, "expr": "x", "iconColor": "red"},
        ]
    },
    "panels": [
        panel("stat", 0, 0),
        {"type": "row", "title": "$chain", "repeat": "chain", "gridPos": {"x": 0, "y": 4, "w": 24, "h": 1}},
        panel("timeseries", 0, 5),
        panel("table", 12, 5),
        {
            "type": "row",
            "title": "more",
            "collapsed": True,
            "gridPos": {"x": 0, "y": 9, "w": 24, "h": 1},
            "panels": [panel("bargauge", 0, 10), panel("state-timeline", 12, 10)],
        },
    ],
}

OPEN_AND_FOLDED: tuple[Rows, ...] = ("open", "folded")

ALL = {"chain": Chosen(("one", "two"), every=".+")}


def test_rows_are_repeated_below_each_other_and_unfolded() -> None:
    placed = [(one.panel["type"], one.place, one.variables["chain"].values) for one in shown(BOARD, ALL)]
    assert placed == [
        ("stat", Place(0, 0, 12, 4), ("one", "two")),
        ("row", Place(0, 4, 24, 1), ("one",)),
        ("timeseries", Place(0, 5, 12, 4), ("one",)),
        ("table", Place(12, 5, 12, 4), ("one",)),
        ("row", Place(0, 9, 24, 1), ("two",)),
        ("timeseries", Place(0, 10, 12, 4), ("two",)),
        ("table", Place(12, 10, 12, 4), ("two",)),
        ("row", Place(0, 14, 24, 1), ("one", "two")),
        ("bargauge", Place(0, 15, 12, 4), ("one", "two")),
        ("state-timeline", Place(12, 15, 12, 4), ("one", "two")),
    ]


def test_rows_that_are_folded_show_their_heading_alone_or_are_shown_alone() -> None:
    kinds = {rows: [one.panel["type"] for one in shown(BOARD, ALL, rows)] for rows in OPEN_AND_FOLDED}
    assert kinds["open"] == ["stat", *["row", "timeseries", "table"] * 2, "row"]
    assert kinds["folded"] == ["row", "bargauge", "state-timeline"]


@pytest.mark.parametrize(
    ("tallest", "panels", "headings"), [(10_000.0, 7, 3), (96 + 16 + 13 * 38, 3, 1), (96 + 16 + 14 * 38, 5, 2)]
)
def test_a_page_that_is_too_tall_ends_after_a_whole_line(tallest: float, panels: int, headings: int) -> None:
    database = Told([Series("node-1", [(0.0, 1.0)])])
    html, height = page(BOARD, database, SPAN, {}, tallest=tallest)
    assert html.count("<h2>") == panels
    assert height <= tallest
    assert html.count('<div class="row"') == headings


def test_annotations_that_are_switched_on_are_asked() -> None:
    assert [one["name"] for one in marking(BOARD)] == ["on"]


def test_a_page_shows_every_panel_under_its_title() -> None:
    database = Told([Series("node-1", [(0.0, 1.0), (2.0, 12.0), (4.0, 3.0)])])
    html, height = page(BOARD, database, SPAN, {})
    assert html.count("<h2>") == 1 + 2 * 2 + 2
    assert html.count("<h2>timeseries of one</h2>") == 1
    assert 'stroke="#f2495c"' in html  # the annotation
    assert height > 19 * 38


@pytest.mark.parametrize("kind", ["timeseries", "stat", "table", "bargauge", "state-timeline"])
@pytest.mark.parametrize(
    "frames",
    [
        pytest.param([Series(HOSTILE, [(0.0, 1.0), (2.0, 1.0)], {"node": HOSTILE})], id="series"),
        pytest.param([Table([Column("Time", [1.0]), Column(HOSTILE, [HOSTILE]), Column("v", [2.0])])], id="table"),
        pytest.param([Series("a", [(2.0, 0.0)]), Series("b", [(2.0, None)]), Series("c", [])], id="holes"),
        pytest.param([Series("a", [(0.0, 1e300), (2.0, -1e300)])], id="huge"),
        pytest.param([Series("a", [(0.0, float("inf"))]), Series("b", [(0.0, 1.0)])], id="infinite"),
        pytest.param([Series(f"n-{i}", [(0.0, i), (2.0, i)]) for i in range(300)], id="many"),
        pytest.param([], id="none"),
    ],
)
def test_whatever_is_answered_is_drawn(kind: str, frames: list[Frame]) -> None:
    options = {"legend": {"displayMode": "table", "calcs": ["lastNotNull", "max"]}}
    html = drawn(panel(kind, 0, 0, options=options), frames, ROOM)
    assert "<script" not in html
    assert "nan" not in html
    assert len(html) < 400_000


def test_a_panel_without_data_says_so() -> None:
    assert "No data" in drawn(panel("stat", 0, 0), [], ROOM)


def styled(**defaults: object) -> Json:
    return panel("stat", 0, 0, fieldConfig={"defaults": defaults, "overrides": []})


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(9.0, "#73bf69"), (10.0, "#f2495c"), (11.0, "#f2495c")],
)
def test_a_threshold_colours_from_its_value_on(value: float, wanted: str) -> None:
    html = drawn(panel("stat", 0, 0), [Series("a", [(0.0, value)])], ROOM)
    assert f"color:{wanted}" in html


def test_words_stand_for_values() -> None:
    mappings = [{"type": "value", "options": {"1": {"text": "up", "color": "green"}, "0": {"text": "down"}}}]
    assert ">up</b>" in drawn(styled(mappings=mappings), [Series("a", [(0.0, 1.0)])], ROOM)
    assert ">down</b>" in drawn(styled(mappings=mappings), [Series("a", [(0.0, 0.0)])], ROOM)
    assert ">2</b>" in drawn(styled(mappings=mappings), [Series("a", [(0.0, 2.0)])], ROOM)


def test_lines_that_are_stacked_reach_their_sum() -> None:
    frame, points = charts.Frame(400, 200, 0, 10), [(0.0, 30.0), (10.0, 30.0)]
    these = [charts.Line(points, "red"), charts.Line(points, "blue")]
    assert ">60<" in charts.lines(these, frame, charts.Look("{:g}".format, stacked=True))
    assert ">60<" not in charts.lines(these, frame, charts.Look("{:g}".format))


@pytest.mark.browser
def test_a_page_is_taken_as_it_looks(tmp_path: Path) -> None:
    html, height = page(BOARD, Told([Series("node-1", [(0.0, 1.0), (60.0, 12.0)])]), SPAN, {})
    with chromium() as running:
        shoot(running, html, height, tmp_path / "made" / "board.png")
    chunks = chunks_of((tmp_path / "made" / "board.png").read_bytes())
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (1600, height)
    palette = chunks[b"PLTE"]
    colors = {palette[at : at + 3].hex() for at in range(0, len(palette), 3)}
    assert {"111217", "181b1f", "73bf69"} <= colors  # the page, a panel, a line
    corner = zlib.decompress(chunks[b"IDAT"])[1]
    assert palette[3 * corner : 3 * corner + 3].hex() == "111217"


def chunks_of(picture: bytes) -> dict[bytes, bytes]:
    """Return the chunks of a PNG by their names, each one's sum checked."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        name, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        assert struct.unpack(">I", picture[at + 8 + length : at + 12 + length])[0] == zlib.crc32(name + data)
        chunks[name] = data
        at += 12 + length
    return chunks


def test_a_bar_stands_where_a_line_of_one_point_would_show_nothing() -> None:
    frame = charts.Frame(400, 200, 0, 10)
    drawn_bars = charts.lines([charts.Line([(5.0, 3.0)], "red", bars=True)], frame, charts.Look("{:g}".format))
    assert drawn_bars.count("<rect") == 1
    many = [(float(moment), 3.0) for moment in range(5)]
    assert charts.lines([charts.Line(many, "red", bars=True)], frame, charts.Look("{:g}".format)).count("<rect") == 5


def test_a_picture_is_a_png_of_its_pixels() -> None:
    chunks = chunks_of(png(2, [1, 2, 3, 4, 5, 6], b"\0\1\1\0\0\0"))
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (2, 3)
    assert zlib.decompress(chunks[b"IDAT"]) == b"\0\0\1\0\1\0\0\0\0"
