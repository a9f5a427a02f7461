"""Whether findings are those that a case expects: exactly these, in time, and none that comes and goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.health.matrix.cases import Step, last


@dataclass
class _Move:
    """One signal that is to show by the gather `by`, and to be over by `until`, if ever."""

    by: int
    until: int | None
    seen: bool = False
    over: bool = False

    def complaint(self, gather: int, *, there: bool) -> str:
        """Take note of whether the signal shows at a gather; say what is wrong with that."""
        if there and self.over:
            return "came back"
        if there:
            self.seen = True
            return "should be over" if self.until is not None and gather >= self.until else ""
        if self.seen:
            self.over = True
            return "went away while its cause lasts" if self.until is None else ""
        return "does not show" if gather >= self.by else ""


@dataclass
class Judge:
    """Compares what shows at each gather with what the steps of a case say.

    `standing` are the signals of earlier steps whose cause lasts.
    """

    standing: set[str] = field(default_factory=set)
    _moves: dict[str, _Move] = field(default_factory=dict)

    def begin(self, step: Step) -> None:
        """Begin a step: what the last one showed stands, unless it was to end, until a step clears it."""
        self.standing |= {name for name, move in self._moves.items() if move.until is None}
        self._moves = {
            name: _Move(within, None) if isinstance(within, int) else _Move(*within)
            for name, within in step.shows.items()
        }
        self._moves |= {name: _Move(1, last(within), seen=True) for name, within in step.clears.items()}
        self.standing -= self._moves.keys()

    def complaints(self, gather: int, shown: Iterable[str]) -> Iterator[str]:
        """Yield what is wrong with these signals at the step's gather of this number, from 1."""
        found = list(shown)
        for name in sorted({name for name in found if found.count(name) > 1}):
            yield f"{name} is told twice"
        for name, move in self._moves.items():
            if complaint := move.complaint(gather, there=name in found):
                yield f"{name} {complaint}"
        for name in sorted(self.standing.difference(found)):
            yield f"{name} went away while its cause lasts"
        for name in sorted(set(found) - self.standing - self._moves.keys()):
            yield f"{name} shows, and nothing explains it"


@dataclass
class Timeline:
    """What showed and when, to be read by whoever wonders why a case fails."""

    lines: list[str] = field(default_factory=list)
    _shown: Mapping[str, str] = field(default_factory=dict)

    def heading(self, text: str) -> None:
        """Say that a step begins."""
        self.lines.append(text)

    def gather(self, number: int, shown: Mapping[str, str]) -> None:
        """Take note of the findings at a gather, each with its sentence: what is new is told, and what is gone."""
        self.lines += [f"  {number:4} + {name}: {text}" for name, text in shown.items() if name not in self._shown]
        self.lines += [f"  {number:4} - {name}" for name in self._shown if name not in shown]
        self._shown = dict(shown)
