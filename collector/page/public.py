"""The view for everybody: what health says without addresses, versions and names.

What is left out is replaced here, before anything is made JSON. Names become places: the second of the sealers in the
order of their names is "sealer 2", the third of the signers "signer 3". Sentences are made of what signals mean, for
their own words hold names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from collector.health.assessment import Assessment, Branch, Finding, MakerHealth, Making, NodeHealth, PeerGraph
from collector.health.signals import SIGNALS

_MAKERS = {"clique": "signer"}
"""What one of the makers is called by the kind of making, so that none sounds like a node: else, an account."""

Names = Mapping[str, str]


def public(assessment: Assessment) -> Assessment:
    """Return what everybody may know of a chain."""
    nodes = numbered((node.node, node.role or "node") for node in assessment.nodes)
    making = assessment.making
    maker = _MAKERS.get(making.kind, "account") if making else ""
    makers = numbered((each.name, maker) for each in making.makers) if making else {}
    findings = [_finding(finding, nodes, makers) for finding in assessment.findings]
    return replace(
        assessment,
        sentence=_sentence(findings),
        nodes=[_node(node, nodes) for node in assessment.nodes],
        branches=[_branch(branch, nodes) for branch in assessment.branches],
        making=making and _making(making, makers),
        peers=assessment.peers and _peers(assessment.peers, nodes),
        versions=None,
        findings=findings,
    )


def numbered(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return for each name what it is, with its place among those of its sort: `{"anna": "sealer 1"}`."""
    places: Counter[str] = Counter()
    result = {}
    for name, sort in sorted(named):
        places[sort] += 1
        result[name] = f"{sort} {places[sort]}"
    return result


def _sentence(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Everything is as it should be."
    more = len(findings) - 1
    return findings[0].text + (f" {more} more finding{'s' * (more != 1)}." if more else "")


def _finding(finding: Finding, nodes: Names, makers: Names) -> Finding:
    signal = SIGNALS.get(finding.signal)
    if signal is None:
        return replace(finding, subject="", text="")
    # A subject that is no longer there has no place either.
    subject = {"node": nodes, "maker": makers}.get(signal.of, {}).get(finding.subject, "")
    return replace(finding, subject=subject, text=signal.meaning)


def _node(node: NodeHealth, names: Names) -> NodeHealth:
    return replace(node, node=names[node.node], address="", version="", forgettable=False)


def _branch(branch: Branch, names: Names) -> Branch:
    return replace(branch, nodes=_known(branch.nodes, names))


def _making(making: Making, names: Names) -> Making:
    return replace(making, makers=[_maker(maker, names) for maker in making.makers], verdict="")


def _maker(maker: MakerHealth, names: Names) -> MakerHealth:
    return replace(maker, name=names[maker.name])


def _peers(peers: PeerGraph, names: Names) -> PeerGraph:
    return replace(
        peers,
        edges=[(names[a], names[b]) for a, b in peers.edges if a in names and b in names],
        parts=[_known(part, names) for part in peers.parts],
    )


def _known(nodes: Sequence[str], names: Names) -> list[str]:
    return [names[node] for node in nodes if node in names]
