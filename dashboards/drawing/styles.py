"""How a field is shown: its unit, its thresholds, the words for its values, its colours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dashboards.drawing.asking import Json
from dashboards.drawing.frames import Cell, Series
from dashboards.drawing.units import written

_COLORS: Mapping[str, str] = {
    "green": "#73bf69",
    "yellow": "#fade2a",
    "orange": "#ff9830",
    "red": "#f2495c",
    "blue": "#5794f2",
    "purple": "#b877d9",
    "text": "#ccccdc",
    "gray": "#808080",
    "transparent": "transparent",
    "dark-green": "#37872d",
    "dark-yellow": "#e0b400",
    "dark-orange": "#fa6400",
    "dark-red": "#c4162a",
    "dark-blue": "#1f60c4",
    "dark-purple": "#8f3bb8",
    "semi-dark-green": "#56a64b",
    "semi-dark-yellow": "#f2cc0c",
    "semi-dark-orange": "#ff780a",
    "semi-dark-red": "#e02f44",
    "semi-dark-blue": "#3274d9",
    "light-green": "#96d98d",
    "light-blue": "#8ab8ff",
    "super-light-blue": "#c0d8ff",
}

PALETTE = (
    *("#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a"),
    *("#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62", "#584477", "#b7dbab", "#f4d598", "#70dbed", "#f9ba8f"),
)
"""The colours of lines, one after the other."""


def color(name: str) -> str:
    """Return a colour as browsers know it."""
    return _COLORS.get(name, name if name.startswith(("#", "rgb")) else "#808080")


@dataclass(frozen=True)
class Style:
    """How one field is shown: what holds for all of the panel, with what is said of this one."""

    unit: str = ""
    decimals: int | None = None
    steps: Sequence[tuple[float | None, str]] = ()
    mappings: Sequence[Json] = ()
    display: str = ""
    mode: str = ""
    """How it is coloured: "thresholds", "palette-classic", "fixed"."""
    fixed: str = ""
    least: float | None = None
    most: float | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)

    def text(self, value: Cell, now: float) -> str:
        """Return a value as it is written."""
        mapped = self._mapped(value)
        if mapped and mapped.get("text"):
            return str(mapped["text"])
        return value if isinstance(value, str) else written(value, self.unit, self.decimals, now)

    def color(self, value: Cell, usual: str = "text") -> str:
        """Return the colour of a value: that of its word, else that of the step that it is on."""
        mapped = self._mapped(value)
        if mapped and mapped.get("color"):
            return color(mapped["color"])
        if self.mode == "fixed" and self.fixed:
            return color(self.fixed)
        if value is None or isinstance(value, str) or not self.steps:
            return color(usual)
        reached = [name for least, name in self.steps if least is None or value >= least]
        return color(reached[-1] if reached else usual)

    def _mapped(self, value: Cell) -> Json | None:
        for mapping in self.mappings:
            options = mapping["options"]
            if mapping["type"] == "value" and value is not None:
                key = value if isinstance(value, str) else f"{value:g}"
                if key in options:
                    return dict(options[key])
            elif mapping["type"] == "range" and isinstance(value, (int, float)):
                least, most = options.get("from"), options.get("to")
                if (least is None or value >= least) and (most is None or value <= most):
                    return dict(options["result"])
            elif mapping["type"] == "special" and value is None and options["match"] in ("null", "null+nan", "empty"):
                return dict(options["result"])
        return None


def style(panel: Json, name: str, query: str = "") -> Style:
    """Return how the field of this name, asked for by this query, is shown in a panel."""
    config = panel.get("fieldConfig") or {}
    flat: Json = dict(config.get("defaults") or {})
    custom = dict(flat.pop("custom", {}) or {})
    for override in config.get("overrides") or ():
        if _matches(override["matcher"], name, query):
            for one in override["properties"]:
                if one["id"].startswith("custom."):
                    custom[one["id"].removeprefix("custom.")] = one["value"]
                else:
                    flat[one["id"]] = one["value"]
    how = flat.get("color") or {}
    return Style(
        unit=flat.get("unit") or "",
        decimals=flat.get("decimals"),
        steps=[(step.get("value"), step["color"]) for step in (flat.get("thresholds") or {}).get("steps") or ()],
        mappings=flat.get("mappings") or (),
        display=flat.get("displayName") or "",
        mode=how.get("mode", ""),
        fixed=how.get("fixedColor", ""),
        least=flat.get("min"),
        most=flat.get("max"),
        custom=custom,
    )


def _matches(matcher: Json, name: str, query: str) -> bool:
    kind, options = matcher["id"], str(matcher.get("options", ""))
    if kind == "byName":
        return options == name
    if kind == "byRegexp":
        return bool(re.search(options.strip("/"), name))
    if kind == "byFrameRefID":
        return options == query
    return bool(kind == "byType") and options == "number"


def display(one: Series, how: Style) -> str:
    """Return what a series is called: as the panel says, or as its query does."""
    if not how.display:
        return one.name

    def value(match: re.Match[str]) -> str:
        path = match[1].split(".")
        if path[:2] == ["__field", "labels"] and len(path) > 2:  # noqa: PLR2004 - a label's name is the third part
            return one.labels.get(path[2], "")
        return one.labels.get("_field", one.name) if path[-1] == "name" else match[0]

    return re.sub(r"\$\{([\w.]+)\}", value, how.display)
