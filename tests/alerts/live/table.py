"""What came of it, in words: tables of seconds, kept in build/."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.alerts.live.webhook import Key, Told

BUILD = Path(__file__).parents[3] / "build"


def written(name: str, table: str) -> None:
    """Keep a table, in Markdown."""
    BUILD.mkdir(exist_ok=True)
    (BUILD / f"{name}.md").write_text(table)


def told_table(told: Iterable[Told], alerts: Iterable[tuple[str, Key]], began: float, mended: float) -> str:
    """Return how long each alert took to fire from `began` on, and to be over from `mended` on; with what happened."""
    told = list(told)
    lines = ["| What happens | Alert | Fires within | Clears within |", "| --- | --- | --: | --: |"]
    for what, key in alerts:
        mine = [each for each in told if each.key == key and each.at >= began]
        fired = next((each.at - began for each in mine if each.firing), None)
        over = next((each.at - mended for each in mine if not each.firing and each.at >= mended), None)
        lines.append(f"| {what} | {key.alert} | {seconds(fired)} | {seconds(over)} |")
    return "\n".join(lines) + "\n"


def seconds(figure: float | None) -> str:
    """Return a time in words, or nothing where there is none."""
    return "" if figure is None else f"{figure:.0f} s"
