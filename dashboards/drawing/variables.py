"""What Grafana puts in the place of variables: `$chain`, `${node:regex}`, `[[job]]`, and those of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

Format = Callable[[Sequence[str]], str]


@dataclass(frozen=True)
class Chosen:
    """What is chosen of a variable: values, or all of them, where `every` stands for all if it isn't empty."""

    values: Sequence[str]
    every: str = ""
    several: bool = True
    """Whether it is one of which several may be chosen: even one value is then written as a regex."""


@dataclass(frozen=True)
class Span:
    """From when to when, in seconds since the epoch, and the seconds from one point to the next."""

    start: float
    end: float
    step: float
    scrape: float = 15.0
    """Seconds between the readings that the database has."""

    def builtins(self) -> dict[str, str]:
        """Return Grafana's own variables."""
        seconds = round(self.end - self.start)
        rate = max(self.step + self.scrape, 4 * self.scrape)
        return {
            "__interval": interval(self.step),
            "__interval_ms": str(round(self.step * 1000)),
            "__rate_interval": interval(rate),
            "__rate_interval_ms": str(round(rate * 1000)),
            "__range": f"{seconds}s",
            "__range_s": str(seconds),
            "__range_ms": str(seconds * 1000),
            "__from": str(round(self.start * 1000)),
            "__to": str(round(self.end * 1000)),
        }


def interval(seconds: float) -> str:
    """Return a duration as Grafana writes it into queries."""
    return f"{round(seconds)}s" if seconds >= 1 and seconds == round(seconds) else f"{round(seconds * 1000)}ms"


def iso(moment: float) -> str:
    """Return a moment as Flux has it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def filled(
    text: str, variables: Mapping[str, Chosen], builtins: Mapping[str, str], usual: str, *, strict: bool = True
) -> str:
    """Return a query with the variables' values in it.

    `usual` is how values are written where the text does not say: "prometheus", "regex" or "glob". Raises KeyError for
    a variable that there is not, unless `strict` is false: then it stays.
    """

    def value(match: re.Match[str]) -> str:
        name = match["bare"] or match["braced"] or match["old"]
        wanted = match["form"] or match["old_form"] or ""
        if name in builtins:
            return builtins[name]
        if name not in variables:
            if strict:
                raise KeyError(f"no variable {name}: {text}")
            return match[0]
        chosen = variables[name]
        if chosen.every:
            return chosen.every
        if wanted:
            return _FORMATS[wanted](chosen.values)
        if usual == "prometheus" and not chosen.several:
            return chosen.values[0].replace("\\", "\\\\").replace('"', '\\"')
        return _FORMATS[usual](chosen.values)

    return _VARIABLE.sub(value, text)


_VARIABLE = re.compile(
    r"\$(?P<bare>[a-zA-Z_]\w*)"
    r"|\$\{(?P<braced>\w+)(?::(?P<form>\w+))?\}"
    r"|\[\[(?P<old>\w+)(?::(?P<old_form>\w+))?\]\]"
)


def _regex(values: Sequence[str]) -> str:
    escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _prometheus(values: Sequence[str]) -> str:
    escaped = [re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", r"\\\\")) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


_FORMATS: Mapping[str, Format] = {
    "prometheus": _prometheus,
    "regex": _regex,
    "glob": lambda values: values[0] if len(values) == 1 else f"{{{','.join(values)}}}",
    "pipe": "|".join,
    "csv": ",".join,
    "raw": ",".join,
    "text": " + ".join,
    "doublequote": lambda values: ",".join('"' + value.replace('"', '\\"') + '"' for value in values),
    "singlequote": lambda values: ",".join("'" + value.replace("'", "\\'") + "'" for value in values),
    "percentencode": lambda values: quote(",".join(values), safe=""),
}
