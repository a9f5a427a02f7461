"""Which alerts a scene is to give, from when until when, and what of what was told is otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alerts.alert import Alert, Limits
from alerts.table import alerts
from tests.alerts.live.scenes import Scene
from tests.alerts.live.webhook import Told
from tests.health.matrix.cases import Step, last

BY_SIGNAL: Mapping[str, Alert] = {alert.signal: alert for alert in alerts(Limits()) if alert.signal}

BEHIND, FORKED, FORK, REORGANISED = (BY_SIGNAL[signal].name for signal in ("behind", "forked", "fork", "reorganised"))

HAPPENED = frozenset({"reorganised", "blocks_missed", "rounds_missed", "double_production"})
"""Signals of what happened once: they are told for a while that is known, long enough to be seen."""

OF_ROUNDS = frozenset({"blocks_missed", "rounds_missed", "maker_absent", "quorum", "finality", "halted"})
"""Signals for which it matters whose turn it is when something happens."""

HALVES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "split-nodeos-even": (("maker-1", "maker-2", "other-1"), ("maker-3", "maker-4", "other-2")),
}
"""Scenes in which a network falls into halves that are alike: either may be taken for the chain."""

SEALED_LAST = ("split-ethereum-stands",)
"""Scenes in which those who are cut off sealed last. If they did not, they seal a block more: they aren't behind, but
on a branch."""

SEALED_BEFORE = ("split-ethereum",)
"""Scenes in which those who are cut off did not seal last. If they did, they can seal no more: they aren't on a branch,
but behind, and have nothing to give up later."""

Key = tuple[str, str]
"""An alert and its subject, makers by the names of their nodes."""


@dataclass(frozen=True)
class Lateness:
    """How late an alert may be beyond what cases and rules say: a scrape, an evaluation, a notification, and a margin.

    `margin` is for a busy machine. It says when alerts come and go, and never which.
    """

    pipeline: float
    margin: float

    @property
    def whole(self) -> float:
        """All of it, in seconds."""
        return self.pipeline + self.margin


@dataclass(frozen=True)
class Span:
    """A time for which an alert has reason to fire. All moments are in seconds since the epoch.

    It fires not before `begins`, and by `by` if it `must` fire at all. What ends it happens at `ends`, and by `over` it
    is resolved; None where nothing ends it, or where it ends by itself at an unknown moment. Where nothing ends it, it
    lasts until the moment `until` at least.
    """

    begins: float
    by: float
    must: bool
    ends: float | None = None
    over: float | None = None
    until: float = math.inf


Expected = Mapping[Key, Sequence[Span]]


@dataclass(frozen=True)
class Firing:
    """That an alert was told, and that it was resolved, if it was."""

    fired: float
    resolved: float | None = None


@dataclass(frozen=True)
class Row:
    """What one alert of a scene did: the worst of all its subjects, in seconds. None: it did not, or was not to."""

    alert: str
    fires: float | None
    clears: float | None


def expectations(scene: Scene, began: Sequence[float], late: Lateness) -> Iterator[Expected]:
    """Yield what is expected of a scene, given when each of its steps began; one of these has to be met."""
    expected = _expected(scene, began, late)
    yield expected
    if sides := HALVES.get(scene.name):
        other = dict(zip((*sides[0], *sides[1]), (*sides[1], *sides[0]), strict=True))
        yield {(alert, other.get(subject, subject)): spans for (alert, subject), spans in expected.items()}
    if scene.name in SEALED_LAST:
        aside = {subject: spans for (alert, subject), spans in expected.items() if alert == BEHIND}
        rest = {key: spans for key, spans in expected.items() if key[0] != BEHIND}
        yield {
            **rest,
            **{(FORKED, subject): spans for subject, spans in aside.items()},
            (FORK, ""): next(iter(aside.values())),
        }
    if scene.name in SEALED_BEFORE:
        aside = {subject: spans for (alert, subject), spans in expected.items() if alert == FORKED}
        rest = {key: spans for key, spans in expected.items() if key[0] not in (FORKED, FORK, REORGANISED)}
        patience = BY_SIGNAL["behind"].lasts
        yield {
            **rest,
            **{(BEHIND, who): [replace(span, by=span.by + patience) for span in spans] for who, spans in aside.items()},
        }


def _expected(scene: Scene, began: Sequence[float], late: Lateness) -> Expected:
    found: dict[Key, list[Span]] = {}
    for number, (step, at) in enumerate(zip(scene.steps, began, strict=False)):
        turns = scene.turns(step)
        wait = scene.interval * any(deed.watch or deed.unwatch for deed in step.do)  # files are read at ticks
        for move, within in step.shows.items():
            signal, _, subject = move.partition(" ")
            alert = BY_SIGNAL[signal]
            longer = wait + (scene.round if turns and signal in OF_ROUNDS else 0.0)
            gone = alert.keeps + longer + late.whole
            first = within if isinstance(within, int) else within[0]
            shown = at + first * scene.interval + longer
            span = Span(at, shown + alert.lasts + late.whole, must=isinstance(within, int) or signal in HAPPENED)
            if not isinstance(within, int):
                span = replace(
                    span,
                    must=span.must and not (turns and scene.kind == "nodeos"),
                    over=at + within[1] * scene.interval + gone,
                )
            elif cleared := _cleared(scene, began, number, move):
                ends, gathers = cleared
                told = ends - shown > alert.lasts + late.pipeline
                span = replace(span, must=told, ends=ends, over=ends + gathers * scene.interval + gone)
            else:
                span = replace(span, until=began[-1] + scene.steps[-1].gathers * scene.interval)
            found.setdefault((alert.name, subject), []).append(span)
        over = at + float(scene.case.thresholds.get("event_seconds", 600.0)) + 3 * scene.round + 3 * scene.interval
        for signal, subject in _by_chance(turns, step, scene):
            alert = BY_SIGNAL[signal]
            end = over + alert.keeps + late.whole
            found.setdefault((alert.name, subject), []).append(Span(at, end, must=False, over=end))
    return found


def _cleared(scene: Scene, began: Sequence[float], number: int, move: str) -> tuple[float, int] | None:
    """Return when something is done that clears what a step shows, and within how many gathers; None if nothing is."""
    for step, at in list(zip(scene.steps, began, strict=False))[number + 1 :]:
        if move in step.clears:
            return at, last(step.clears[move])
    return None


def _by_chance(turns: Sequence[str], step: Step, scene: Scene) -> Iterator[tuple[str, str]]:
    """Yield the signals, with their subjects, that may move beside those of the case, as chance has it."""
    if scene.kind != "nodeos":
        return
    signals = ["blocks_missed", "rounds_missed"]
    if any(deed.split or deed.join for deed in step.do):
        signals.append("maker_absent")
    for name in turns:
        yield from ((signal, name) for signal in signals)
    if turns and any(deed.join for deed in step.do):  # which side's blocks are given up
        yield from (
            ("reorganised", name) for name in (*turns, *(f"other-{i}" for i in range(1, scene.case.others + 1)))
        )


def firings(told: Iterable[Told], accounts: Mapping[str, str]) -> dict[Key, list[Firing]]:
    """Return what was told of one chain, by alert and subject; `accounts` names the nodes of its makers."""
    found: dict[Key, list[Firing]] = {}
    for each in told:
        known = found.setdefault((each.name, accounts.get(each.subject, each.subject)), [])
        if each.firing:
            known.append(Firing(each.at))
        elif known and known[-1].resolved is None:
            known[-1] = Firing(known[-1].fired, each.at)
    return found


def complaints(expected: Expected, told: Mapping[Key, Sequence[Firing]], end: float) -> Iterator[str]:
    """Yield what is not as it should be; nothing was heard any more after the moment `end`."""
    for key in {**expected, **told}:
        reasons, fired = expected.get(key, ()), told.get(key, ())
        wrong = [
            *(_unexplained(firing, reasons, end) for firing in fired),
            *(_missing(span, fired) for span in reasons),
        ]
        if len(fired) > len(reasons):
            wrong.append(f"was told {len(fired)} times")
        yield from (f"{' '.join(key).strip()} {what}" for what in dict.fromkeys(wrong) if what)


def _unexplained(firing: Firing, reasons: Sequence[Span], end: float) -> str:
    """Say what is wrong with a firing, given all reasons for it; one may take over from another."""
    over = begins = None
    for span in sorted(reasons, key=lambda span: span.begins):
        if span.begins <= firing.fired <= (span.over or math.inf) and begins is None:
            begins, over = span.begins, span.over or math.inf
        elif over is not None and span.begins <= over:
            over = max(over, span.over or math.inf)
    if over is None:
        return "was told, and nothing explains it"
    if firing.resolved is None:
        return "" if over > end else "was not resolved"
    return f"was resolved {firing.resolved - over:.1f} s late" if firing.resolved > over else ""


def _missing(span: Span, fired: Sequence[Firing]) -> str:
    """Say what is missing of a span: an alert in time, that stays until its cause ends."""
    if not span.must:
        return ""
    until = span.over if span.over is not None else math.inf
    mine = [f for f in fired if f.fired <= until and (f.resolved or math.inf) >= span.begins]
    if not mine:
        return "was not told"
    first, latest = mine[0], mine[-1]
    if first.fired > span.by:
        return f"was told {first.fired - span.by:.1f} s late"
    stays = span.over is None or span.ends is not None
    if stays and latest.resolved is not None and latest.resolved < (span.ends or span.until):
        return "was resolved while its cause lasts"
    return ""


def rows(expected: Expected, told: Mapping[Key, Sequence[Firing]]) -> Iterator[Row]:
    """Yield what each alert did that was to fire."""
    names = dict.fromkeys(name for name, _ in expected)
    for name in names:
        fires, clears = [], []
        for key, reasons in expected.items():
            for firing in told.get(key, ()) if key[0] == name else ():
                begun = [span.begins for span in reasons if span.begins <= firing.fired]
                ended = [span.ends for span in reasons if span.ends is not None and span.ends <= (firing.resolved or 0)]
                fires += [firing.fired - begun[-1]] if begun else []
                clears += [firing.resolved - ended[-1]] if ended and firing.resolved else []
        if fires or any(span.must for key, reasons in expected.items() if key[0] == name for span in reasons):
            yield Row(name, max(fires, default=None), max(clears, default=None))
