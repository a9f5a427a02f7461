"""When the pipeline itself is in trouble: what is compared with chainwatch's own metrics, for all chains alike.

The figures that hold for one chain are in `collector.health.thresholds`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PipelineThresholds:
    """The figures, with their defaults."""

    buffer_share: float = 0.8
    """Of the room for readings that wait for an output, which is taken."""
    stale_seconds: float = 300.0
    """A chain of which no gather has succeeded for so long is watched no more."""
    missed_share: float = 0.1
    """Of a node's gathers in ten minutes, which were not begun because the one before was not over."""
    failing_seconds: float = 300.0
    """How long requests to an output may fail, with none that succeeds, before it is told."""
