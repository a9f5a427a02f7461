"""`python -m dashboards.drawing`: draw the boards from what databases hold, as pictures for the documentation."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboards.drawing.asking import Database, Flux, InfluxQl, Json, Prometheus, RefusedError
from dashboards.drawing.boards import Rows
from dashboards.drawing.page import page
from dashboards.drawing.pictures import browser, shoot
from dashboards.drawing.variables import Span

BOARDS = Path(__file__).parents[1] / "json"

_LARGEST = 800
"""Points of a line: more than that nobody sees."""


TALLEST = 2600
"""Pixels that a picture is high at most: beyond, nobody sees anything on a page of documentation."""


def draw(
    databases: Mapping[str, Database], span: Span, output: Path, wanted: Mapping[str, Mapping[str, Sequence[str]]]
) -> list[Path]:
    """Draw every board whose database is there, by the language of its queries; return the pictures.

    Rows that are folded get a picture of their own, but not in each language: they look the same. `wanted` are the
    values of variables by the board's uid. Raises RefusedError, LookupError and OSError.
    """
    made = []
    with browser() as running:
        for file in sorted(BOARDS.glob("*.json")):
            board: Json = json.loads(file.read_text(encoding="utf-8"))
            database = databases.get(language(board))
            if database is None:
                continue
            folded = language(board) == "promql" and any(panel.get("collapsed") for panel in board["panels"])
            parts: list[tuple[Rows, str]] = [("open", "")]
            if folded:
                parts.append(("folded", "-folded"))
            for rows, name in parts:
                html, height = page(board, database, span, wanted.get(board["uid"], {}), rows=rows, tallest=TALLEST)
                path = output / f"{board['uid']}{name}.png"
                shoot(running, html, height, path)
                made.append(path)
    return made


def language(board: Json) -> str:
    """Return the language of a board's queries."""
    kind = next(one["query"] for one in board["templating"]["list"] if one["type"] == "datasource")
    if kind == "prometheus":
        return "promql"
    return "flux" if board["uid"].endswith("-flux") else "influxql"


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw as the arguments say; return the exit code: 1 if a database refuses a query."""
    options = _parser().parse_args(arguments)
    databases: dict[str, Database] = {}
    if options.prometheus:
        databases["promql"] = Prometheus(options.prometheus)
    if options.influxdb:
        databases["influxql"] = InfluxQl(options.influxdb, options.database)
    if options.flux:
        databases["flux"] = Flux(options.flux, f"{options.database}/autogen")
    end = time.time()
    step = max(options.scrape, options.minutes * 60 / _LARGEST)
    span = Span(end - options.minutes * 60, end, step, options.scrape)
    wanted: dict[str, dict[str, list[str]]] = {}
    for uid, name, value in (text.split(":", 2) for text in options.choose):
        wanted.setdefault(uid, {}).setdefault(name, []).append(value)
    try:
        made = draw(databases, span, options.output, wanted)
    except (RefusedError, LookupError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own error
        return 1
    for path in made:
        print(path, f"{path.stat().st_size / 1000:.0f} kB")  # noqa: T201 - what the command was asked for
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m dashboards.drawing",
        description="Draw the boards from what databases hold. Boards whose database is not named are left out.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--prometheus", metavar="URL", help="Prometheus, or VictoriaMetrics")
    parser.add_argument("--influxdb", metavar="URL", help="InfluxDB 1.x, asked in InfluxQL")
    parser.add_argument("--flux", metavar="URL", help="InfluxDB 1.8 with Flux")
    parser.add_argument("--database", default="chainwatch", metavar="NAME", help="of InfluxDB")
    parser.add_argument("--minutes", type=float, default=15.0, metavar="N", help="that are shown, up to now")
    parser.add_argument("--scrape", type=float, default=15.0, metavar="SECONDS", help="from one scrape to the next")
    parser.add_argument(
        "--choose", action="append", default=[], metavar="UID:VARIABLE:VALUE", help="a value of a board's variable"
    )
    parser.add_argument("--output", type=Path, default=Path("docs/dashboards"), metavar="DIR", help="for the pictures")
    return parser


if __name__ == "__main__":
    sys.exit(main())
