"""From figures to findings: which signals have moved, since when, and what is to be said of each.

found.py    a signal that holds now
chain.py    of the chain as a whole
nodes.py    of single nodes
makers.py   of sealers and producers
"""

from __future__ import annotations

from collections.abc import Mapping

from collector.health.assessment import Assessment, Finding, Severity
from collector.health.judging.chain import of_chain
from collector.health.judging.makers import MakersJudge
from collector.health.judging.nodes import of_node
from collector.health.node import Node
from collector.health.signals import SIGNALS
from collector.health.thresholds import Thresholds

_RANK = {severity: place for place, severity in enumerate(Severity)}
_ORDER = {key: place for place, key in enumerate(SIGNALS)}


class Judge:
    """Judges one chain, from one assessment to the next: a finding keeps the moment when it began."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], float] = {}
        self._makers = MakersJudge()

    def findings(self, assessment: Assessment, nodes: Mapping[str, Node], limits: Thresholds) -> list[Finding]:
        """Return what has moved, the worst first. `nodes` is what is remembered of the nodes, by name."""
        found = [
            *of_chain(assessment, nodes, limits),
            *(each for node in assessment.nodes for each in of_node(node, nodes[node.node], assessment, limits)),
            *self._makers.of_makers(assessment, limits),
        ]
        before, self._since = self._since, {}
        findings = []
        for each in found:
            key = (each.signal, each.subject)
            since = self._since[key] = before.get(key, assessment.at)
            severity = SIGNALS[each.signal].severity
            findings.append(Finding(each.signal, severity, each.subject, each.text, since, each.value))
        findings.sort(key=lambda finding: (_RANK[finding.severity], _ORDER[finding.signal], finding.subject))
        return findings


__all__ = ["Judge"]
