"""The one table of signals: everything that health can find, how bad it is, and what it means.

A finding names its signal by these keys, and so do alerts and runbooks: docs/health.md has a section for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collector.health.assessment import Severity

C, W, I = Severity.CRITICAL, Severity.WARNING, Severity.INFO  # noqa: E741 - a table is to be read as one


@dataclass(frozen=True, slots=True)
class Signal:
    """`of` is what it is said of: "chain", "node" or "maker"."""

    key: str
    of: str
    severity: Severity
    meaning: str


_TABLE = (
    ("silent", "chain", C, "No node of the chain answers: nothing is known of it."),
    ("halted", "chain", C, "No block has come for longer than this network's rules explain."),
    ("fork", "chain", C, "Nodes have different blocks at one height, and go on with them."),
    ("finality", "chain", C, "The last irreversible block is further behind than the schedule explains."),
    ("quorum", "chain", C, "Makers are missing, and one failure more halts the chain or its finality, or has done so."),
    ("network_split", "chain", W, "The nodes' connections fall into parts that do not reach each other."),
    ("chain_clock", "chain", W, "Block times differ from the collector's clock."),
    ("mixed_versions", "chain", I, "Nodes run different versions."),
    ("node_down", "node", W, "The node does not answer."),
    ("behind", "node", W, "The node's head is behind the others'."),
    ("foreign", "node", W, "The node is on another network: its genesis, chain id or network id differs."),
    ("forked", "node", W, "The node is on a branch that is not the chain."),
    ("reorganised", "node", W, "The node gave up more blocks than happens in health."),
    ("no_peers", "node", W, "The node is connected to no other."),
    ("strangers", "node", I, "The node is connected to nodes that are not watched."),
    ("clock", "node", W, "The node's clock differs from the collector's."),
    ("outdated", "node", I, "The node runs a version older than wanted."),
    ("slow", "node", W, "The node takes most of the time that it is given to answer."),
    ("flaky", "node", W, "Many of the node's last gathers failed, though not all."),
    ("balancer_behind", "node", W, "The load balancer answers with a head behind that of the nodes behind it."),
    ("maker_absent", "maker", W, "A sealer or producer that has its turns makes no blocks."),
    ("blocks_missed", "maker", W, "A producer made fewer blocks in a round than it had to."),
    ("rounds_missed", "maker", W, "A producer let whole rounds go by."),
    ("double_production", "maker", C, "A producer made more blocks in a row than its turn has."),
    ("unscheduled", "maker", I, "A producer has dropped out of the schedule."),
    ("paused", "node", W, "Block production is paused on a node that is to produce."),
    ("out_of_turn", "chain", I, "Few blocks are sealed in turn, though no signer is missing."),
)

SIGNALS: Mapping[str, Signal] = {key: Signal(key, of, severity, text) for key, of, severity, text in _TABLE}
"""By key, in the order in which they are told."""
