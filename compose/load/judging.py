"""What the figures are worth: whether the node was measured, or the generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from signal import Signals

from compose.load.generator import OWN_LIMIT
from compose.load.plan import Load
from compose.load.processes import Outcome
from compose.load.strain import Strain

_BUSY = 0.9
_LAG = 0.01
_LAG_SHARE = 0.1
_MISSED = 0.95
_SLACK = 0.05
"""Seconds that a schedule may end late without that it was missed."""


@dataclass(frozen=True)
class Judgement:
    """`limit`: the generator was one; `remarks`: sentences; `strain`: the worst of all processes, if any told."""

    limit: bool
    remarks: list[str]
    strain: Strain | None


def judge(load: Load, outcome: Outcome) -> Judgement:
    """Judge a load that is over."""
    strains = outcome.strains
    strain = Strain(*(max(values) for values in zip(*map(_figures, strains), strict=True))) if strains else None
    limits = [*_limits(outcome, strain)]
    missed, own = _rate(load, outcome, strained=bool(limits))
    remarks = [*limits, *missed, *([] if limits else _held_up(outcome, strain))]
    if load.ceiling:
        remarks.append(
            f"No more than {load.ceiling:,.6g} requests a second were made, since {load.hostname} is not this machine. "
            f"Say --rate N or --rate max to make more."
        )
    if outcome.signal:
        remarks.append(f"Ended early, by {Signals(outcome.signal).name}: this is what was counted until then.")
    remarks += [
        f"A process of the generator {how}: what it counted in its last moments is not in here." for how in outcome.lost
    ]
    return Judgement(bool(limits) or own, remarks, strain)


def _figures(strain: Strain) -> tuple[float, float, float]:
    return strain.busy, strain.lag, strain.lag_longest


def _limits(outcome: Outcome, strain: Strain | None) -> Iterator[str]:
    """Yield what kept the generator from doing its work."""
    if strain and strain.busy >= _BUSY:
        yield (
            f"The generator was the limit: one of its processes used a core, or waited for one, {strain.busy:.0%} of "
            f"the time. The node may hold more: take more --processes, more cores, or another machine than the node's."
        )
    if own := outcome.tally.failed[OWN_LIMIT]:
        yield (
            f"{own:,} requests could not be sent, since this machine lacked files, ports or memory: that says nothing "
            f"of the node."
        )


def _held_up(outcome: Outcome, strain: Strain | None) -> Iterator[str]:
    """Yield what of the latencies is the generator's own, though it was not busy."""
    if strain and strain.lag >= max(_LAG, _LAG_SHARE * (outcome.tally.latencies.at(0.99) or 0.0)):
        yield (
            f"The generator was held up itself, by {strain.lag * 1e3:,.0f} ms one time in a hundred and "
            f"{strain.lag_longest * 1e3:,.0f} ms at worst: the highest latencies are partly its own."
        )


def _rate(load: Load, outcome: Outcome, *, strained: bool) -> tuple[list[str], bool]:
    """Return what is to be said if the rate was not reached, and whether that was the generator's doing."""
    tally = outcome.tally
    if not load.rate or tally.begun < 2:  # noqa: PLR2004 - no rate without two
        return [], False
    planned = (tally.begun - 1) / load.rate
    if outcome.until_begun <= planned / _MISSED + _SLACK:
        return [], False
    text = (
        f"The rate was not reached: {(tally.begun - 1) / outcome.until_begun:,.0f} a second instead of {load.rate:,.6g}"
    )
    each = tally.spent / max(tally.made, 1)
    held = load.workers / each if each else load.rate
    if held * _MISSED < load.rate:
        workers = "the worker was" if load.workers == 1 else f"all {load.workers:,} workers were"
        text += (
            f", since {workers} waiting: each request took {each * 1e3:,.3g} ms once it was sent. If the node is to "
        )
        return [f"{text}be asked faster than it answers, take more --workers."], False
    if strained:
        return [f"{text}."], True
    return [f"{text}, though workers were free: the generator was the limit. Take more --processes."], True
