"""An assessment as readings: what is known of a chain, its nodes and its makers, under the names of the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from collector.catalogue import (
    HEALTH_CHAIN,
    HEALTH_FINDING,
    HEALTH_MAKER,
    HEALTH_NETWORK,
    HEALTH_NODE,
    HEALTH_SEVERITY,
    HEALTH_VERSION,
)
from collector.health.assessment import Assessment, Finding, MakerHealth, Making, NodeHealth, Severity, State
from collector.readings import Reading, Value
from collector.shapes import Group, Shapes

Values = dict[str, int | float | bool | None]
"""By the catalogue's fields; None is unknown."""

_CHAIN = Group(HEALTH_CHAIN)
_NETWORK = Group(HEALTH_NETWORK)
_VERSION = Group(HEALTH_VERSION)
_NODE = Group(HEALTH_NODE)
_MAKER = Group(HEALTH_MAKER)
_SEVERITY = Group(HEALTH_SEVERITY)
_FINDING = Group(HEALTH_FINDING)


class HealthReadings:
    """Makes the readings of one chain; names are made when something is first told, and kept while it is told."""

    def __init__(self, chain: str) -> None:
        self._shapes = Shapes({"chain": chain})
        self._labels: dict[str, dict[str, str]] = {}
        self._found: set[tuple[tuple[str, str], ...]] = set()

    def follow(self, labels: Mapping[str, Mapping[str, str]]) -> None:
        """Give nodes these labels from now on, by name, beyond chain, node and role."""
        self._labels = {node: {**more} for node, more in labels.items()}

    def readings(self, assessment: Assessment) -> list[Reading]:
        """Return what the assessment says; what is unknown is left out.

        A finding is 1 while it is one, and 0 at the first assessment without it: so whoever keeps the last value of a
        series learns that it is over.
        """
        self._shapes.begin()
        network = {
            "genesis": assessment.genesis,
            "chain_id": assessment.chain_id,
            "network_id": assessment.network_id,
        }
        made = [
            self._made(_CHAIN, _of_chain(assessment)),
            self._made(_NETWORK, {"info": 1 if any(network.values()) else None}, **network),
            *(
                self._made(_VERSION, {"version_nodes": count}, version=version)
                for version, count in (assessment.versions or {}).items()
            ),
            *(
                self._made(_NODE, _of_node(node), **self._labels.get(node.node, {}), node=node.node, role=node.role)
                for node in assessment.nodes
            ),
            *self._of_makers(assessment.making),
            *self._of_findings(assessment.findings),
        ]
        return [reading for reading in made if reading is not None]

    def _of_makers(self, making: Making | None) -> Iterable[Reading | None]:
        for maker in making.makers if making else ():
            yield self._made(_MAKER, _of_maker(maker, making.kind if making else ""), maker=maker.name)

    def _of_findings(self, findings: Iterable[Finding]) -> Iterable[Reading | None]:
        counted = Counter(finding.severity for finding in findings)
        for severity in Severity:
            yield self._made(_SEVERITY, {"findings": counted[severity]}, severity=severity.value)
        before, self._found = self._found, set()
        for finding in findings:
            tags = {"signal": finding.signal, "subject": finding.subject, "severity": finding.severity.value}
            self._found.add(tuple(tags.items()))
            value = None if finding.value is None else float(finding.value)  # one type for all, as InfluxDB wants it
            yield self._made(_FINDING, {"finding": 1, "finding_value": value}, **tags)
        for over in sorted(before - self._found):
            yield self._made(_FINDING, {"finding": 0}, **dict(over))

    def _made(self, group: Group, values: Values, /, **tags: str) -> Reading | None:
        known = {field: _number(value) for field, value in values.items()}
        return group.reading(self._shapes, known, **tags)


def _of_chain(now: Assessment) -> Values:
    known = bool(now.branches)
    values: Values = {
        "nodes": len(now.nodes),
        "nodes_up": sum(node.state is State.UP and not node.foreign for node in now.nodes),
        "head_block_number": now.head_number,
        "head_block_timestamp_seconds": now.head_time,
        "head_age_seconds": now.head_age,
        "halted": now.halted,
        "branches": len(now.branches) if known else None,
        "fork_depth_blocks": max((branch.depth for branch in now.branches[1:]), default=0) if known else None,
        "block_period_seconds": now.period,
        "pool_transactions": now.pool,
        "peer_parts": len(now.peers.parts) if now.peers and now.peers.complete else None,
        "versions": len(now.versions) if now.versions else None,
        "clock_skew_seconds": now.clock_skew,
        "arrival_delay_seconds": now.delay_p50,
        "arrival_delay_p95_seconds": now.delay_p95,
    }
    if finality := now.finality:
        values |= {
            "finality_lag_blocks": finality.lag,
            "finality_lag_expected_least_blocks": finality.expected_least,
            "finality_lag_expected_blocks": finality.expected_most,
        }
    if making := now.making:
        values |= {
            "makers": making.scheduled,
            "makers_active": making.active,
            "makers_needed": making.needed,
            "quorum_margin": making.margin,
            "in_turn_ratio": making.in_turn_share,
        }
    if traffic := now.traffic:
        values |= {
            "block_interval_seconds": traffic.interval,
            "block_interval_p95_seconds": traffic.interval_p95,
            "transactions_per_second": traffic.transactions_per_second,
            "peak_transactions_per_second": traffic.peak_transactions_per_second,
            "empty_blocks_ratio": traffic.empty_share,
            "gas_used_ratio": traffic.gas_share,
            "block_cpu_seconds": traffic.cpu_per_block,
            "block_net_bytes": traffic.net_bytes_per_block,
        }
    return values


def _of_node(node: NodeHealth) -> Values:
    up = node.state is State.UP  # of one that is down they aren't told
    return {
        "head_age_seconds": node.head_age,
        "lag_blocks": node.lag_blocks,
        "lag_seconds": node.lag_seconds,
        "forked": None if node.branch is None else node.branch > 0,
        "foreign": node.foreign,
        "reorganisations_total": node.reorganisations if up else None,
        "deepest_reorganisation_blocks": node.deepest_reorganisation if up else None,
        "strangers": node.strangers,
        "answer_seconds": node.latency,
        "answer_p95_seconds": node.latency_p95,
        "failed_gathers_ratio": node.failed_share,
        "arrival_delay_seconds": node.delay_p50,
        "arrival_delay_p95_seconds": node.delay_p95,
        "clock_skew_seconds": node.clock_skew,
    }


def _of_maker(maker: MakerHealth, kind: str) -> Values:
    values: Values = {
        "scheduled": maker.scheduled,
        "active": maker.active,
        "current": maker.current,
        "last_block_number": maker.last_block,
        "recent_blocks": maker.recent_blocks,
        "blocks_total": maker.blocks,
        "empty_blocks_total": None if maker.empty_share is None else maker.empty_blocks,
        "missed_blocks_total": maker.missed_blocks,
        "empty_ratio": maker.empty_share,
    }
    if kind == "clique":
        return {**values, "in_turn_blocks_total": maker.in_turn_blocks, "in_turn_ratio": maker.in_turn_share}
    return {
        **values,
        "missed_rounds_total": maker.missed_rounds,
        "missed_rounds_in_a_row": maker.missed_rounds_in_a_row,
        "double_productions_total": maker.doubles,
        "next_turn_timestamp_seconds": maker.next_turn,
    }


def _number(value: float | None) -> Value | None:
    """Return a number as readings hold it: no boolean, finite, of 64 bits; None of any other."""
    if value is None or not abs(value) < 2**63:
        return None
    return int(value) if isinstance(value, bool) else value
