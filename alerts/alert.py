"""An alert: when it fires, how bad that is, and what is said of it.

One definition serves Prometheus' rules, Grafana's and the collector's own notifier, so that all of them fire at the
same figures. Texts are templates: `{chain}`, `{subject}` (node, sealer, producer, output; whatever `of` says) and
`{value}`, written in the alert's unit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from collector.health.assessment import Severity
from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds
from dashboards.queries.expressions import Expression

Comparison = Literal[">", ">=", "<", "<=", "==", "any"]
"""`any`: it is enough that there is a value at all."""

Unit = Literal["", "blocks", "seconds", "ratio", "peers", "rounds", "readings", "times", "nodes"]


@dataclass(frozen=True)
class Limits:
    """The thresholds that alerts are made with: those of one chain, and those of the pipeline."""

    chain: Thresholds = field(default_factory=Thresholds)
    pipeline: PipelineThresholds = field(default_factory=PipelineThresholds)


@dataclass(frozen=True)
class Condition:
    """What is looked at and what it is compared with. Where there is nothing to look at, nothing fires."""

    expression: Expression
    comparison: Comparison
    limit: float = 0.0


@dataclass(frozen=True)
class Alert:
    """One alert. `of` is the label that tells whom it is of: "" for the chain, or for chainwatch as a whole."""

    name: str
    severity: Severity
    condition: Condition
    of: Literal["", "node", "subject", "output", "address"]
    lasts: float
    """Seconds for which the condition has to hold before it fires: Prometheus' `for`."""
    keeps: float
    """Seconds for which it fires on when the condition is gone: Prometheus' `keep_firing_for`."""
    unit: Unit
    summary: str
    """What is wrong, without variables."""
    description: str
    """A template: whom it is of, the value, and what that means."""
    signal: str = ""
    """The signal of health that it tells of; "" where it is no signal."""
