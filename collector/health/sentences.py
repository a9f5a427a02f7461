"""The state of a chain in one sentence."""

from __future__ import annotations

from collector.health.assessment import Assessment, State
from collector.health.node import BALANCER_ROLES
from collector.health.words import amount, seconds


def sentence(now: Assessment) -> str:
    """Return the worst that was found, or what health looks like."""
    worse = [finding for finding in now.findings if finding.severity != "info"]
    if worse:
        more = f" And {amount(len(worse) - 1, 'finding')} more." if len(worse) > 1 else ""
        return worse[0].text + more
    known = [node for node in now.nodes if node.role.lower() not in BALANCER_ROLES]
    up = [node for node in known if node.state is State.UP]
    if not up:
        return "Nothing is known yet: no node has answered." if now.nodes else "No nodes are known."
    if now.head_number is None:
        return f"{amount(len(up), 'node')} answered; what the chain is at is not known yet."
    age = f", {seconds(now.head_age)} old" if now.head_age is not None else ""
    if len(up) < len(known):
        verb = "has answered and is" if len(up) == 1 else "have answered and are"
        nodes = f"{len(up):,} of {len(known):,} nodes {verb}"
    else:
        nodes = "The node is" if len(up) == 1 else f"All {len(up):,} nodes are"
    verdict = f" {now.making.verdict}" if now.making and now.making.verdict else ""
    return f"{nodes} well; the head is block {now.head_number:,}{age}.{verdict}"
