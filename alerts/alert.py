"""An alert: when it fires, how bad that is, and what is said of it.

One definition serves Prometheus' rules, Grafana's and the collector's own notifier, so that all of them fire at the
same figures. A condition is held in parts, not as a text in one of their languages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from collector.health.assessment import Severity
from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds
from dashboards.queries.expressions import Expression

Comparison = Literal[">", ">=", "<", "<=", "==", "any"]
"""`any`: it is enough that there is a value at all."""

Unit = Literal["", "block", "second", "ratio", "node", "round", "reading", "time", "maker", "version", "part", "error"]
"""What a value is counted in, as one of it is called; "" where the value is no figure, and not told."""

Group = Literal["chains", "nodes", "makers", "pipeline"]


@dataclass(frozen=True)
class Limits:
    """The thresholds that alerts are made with: those of one chain, and those of the pipeline."""

    chain: Thresholds = field(default_factory=Thresholds)
    pipeline: PipelineThresholds = field(default_factory=PipelineThresholds)


@dataclass(frozen=True)
class Signalled:
    """Health has found that a signal is moved: `chain_health_finding` of it is 1.

    Its value is `chain_health_finding_value` if the signal compares a `figure`, else 1. Nothing is judged anew.
    """

    signal: str
    figure: bool


@dataclass(frozen=True)
class Compared:
    """A value is compared with a limit. Where there is nothing to look at, nothing fires.

    `unless` is a condition under which it does not fire, of the same chain and subject, or of the chain as a whole.
    """

    expression: Expression
    comparison: Comparison
    limit: float = 0.0
    unless: Condition | None = None


Condition: TypeAlias = Signalled | Compared


@dataclass(frozen=True)
class Alert:
    """One alert.

    Its identity is its name, its chain and its subject, and never a text. Texts are templates with `{chain}`,
    `{subject}` and `{value}`, the latter with its unit.
    """

    name: str
    group: Group
    severity: Severity | None
    """None is `none`: nobody is told, and that it fires is all there is to it."""
    condition: Condition
    of_chain: bool
    """Whether it is of a chain, and bears the label `chain`."""
    of: tuple[str, ...]
    """The labels whose values, joined by a space, are its subject; none: the chain, or chainwatch, as a whole."""
    lasts: float
    """Seconds for which the condition has to hold before it fires: Prometheus' `for`."""
    keeps: float
    """Seconds for which it fires on when the condition is gone: Prometheus' `keep_firing_for`."""
    unit: Unit
    summary: str
    """What is wrong, without variables."""
    description: str
    """A template: whom it is of, the value, and what that means."""

    @property
    def signal(self) -> str:
        """The signal of health that it tells of; "" where it is no signal."""
        return self.condition.signal if isinstance(self.condition, Signalled) else ""
