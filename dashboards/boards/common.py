"""What the boards of both kinds of chain show alike."""

from __future__ import annotations

from collector.catalogue import M
from dashboards.boards.making import CHAIN, NODE, YES_NO, chart, figure, states, table
from dashboards.limits import LIMITS
from dashboards.panels import GREEN, ORANGE, RED, YELLOW, Line, Step, above, below
from dashboards.queries.expressions import Increase, Ratio, Standing, Value

HOUR = 3600.0

OF_NODE = "{{chain}} {{node}}"
"""The legend of what is said of a node."""

MARGIN = (Step(RED), Step(ORANGE, 0), Step(GREEN, 1))
"""At 0 nothing may fail any more; a chain of one or two makers is never better off."""

SKEW = (Step(ORANGE), Step(GREEN, -LIMITS.clock_seconds), Step(ORANGE, LIMITS.clock_seconds))
"""A clock may be wrong either way."""

_FINDING = ("chain", "signal", "subject", "severity")


def _findings(severity: str) -> Value:
    return Value(M.chain_health_findings, CHAIN, "sum", {"severity": severity})


FINDINGS = figure(
    "Findings",
    "What health finds at present, by how bad it is. The table below names each.",
    "short",
    Line(_findings("critical"), "critical", steps=above(1)),
    Line(_findings("warning"), "warnings", steps=above(1, ORANGE)),
)

HEAD = figure(
    "Head",
    "Number of the head, as most nodes have it.",
    "none",
    (Value(M.chain_network_head_block_number, CHAIN), ""),
)

HEAD_AGE = figure("Head age", "Time since that of the head.", "s", (Value(M.chain_network_head_age_seconds, CHAIN), ""))

NODES_NOW = figure(
    "Nodes",
    "Nodes that answer or push, and are on this network; and all that are known.",
    "none",
    (Value(M.chain_network_nodes_up, CHAIN, "sum"), "up"),
    (Value(M.chain_network_nodes, CHAIN, "sum"), "known"),
)

BRANCHES_NOW = figure(
    "Branches",
    "Branches that nodes are on: 1 where all agree.",
    "none",
    (Value(M.chain_network_branches, CHAIN), ""),
    steps=above(2),
)

TRANSACTIONS = chart(
    "Transactions",
    "Transactions a second in the last blocks, and the most there were since the collector began.",
    "ops",
    (Value(M.chain_network_transactions_per_second, CHAIN), "now"),
    (Value(M.chain_network_peak_transactions_per_second, CHAIN), "peak"),
)

EACH_FINDING = table(
    "Each finding",
    "What health finds at present: `stands` is 1 while it lasts, `value` is what was compared, if that is a figure.",
    Line(Standing(M.chain_health_finding, _FINDING), "stands", "none"),
    # By the finding, which is 1: the value of one that is over goes with it.
    Line(
        Ratio(Value(M.chain_health_finding_value, _FINDING), Value(M.chain_health_finding, _FINDING)), "value", "short"
    ),
    labels=_FINDING,
)

NODES = states(
    "Nodes",
    "Whether the last gather of each node succeeded.",
    (Value(M.chain_node_up, NODE, "min"), OF_NODE),
    words=((0, "down", RED), (1, "up", GREEN)),
)

BEHIND = chart(
    "Behind the best head",
    "Blocks that each node's head is behind the best of its branch.",
    "none",
    (Value(M.chain_health_lag_blocks), OF_NODE),
    steps=above(LIMITS.behind_blocks),
)

FORKED = states(
    "On a branch of its own",
    "Nodes on a branch that is not the chain.",
    (Value(M.chain_health_forked), OF_NODE),
    words=YES_NO,
)

BRANCHES = chart(
    "Branches",
    "Branches that nodes are on, and how many blocks ago the deepest of them parted from the chain.",
    "none",
    (Value(M.chain_network_branches, CHAIN), "{{chain}}, branches"),
    (Value(M.chain_network_fork_depth_blocks, CHAIN), "{{chain}}, depth in blocks"),
    steps=above(LIMITS.fork_blocks),
)

REORGANISATIONS = chart(
    "Reorganisations",
    "Times within an hour that a node gave up blocks for others.",
    "none",
    (Increase(M.chain_health_reorganisations_total, NODE, seconds=HOUR), OF_NODE),
)

CLOCKS = chart(
    "Clocks",
    "How far the clock of a node is ahead of the collector's; below 0 it is behind. A sealer or producer whose clock "
    "differs loses blocks of its turn.",
    "s",
    (Value(M.chain_health_clock_skew_seconds), OF_NODE),
    steps=SKEW,
)

FAILED_GATHERS = chart(
    "Failed gathers",
    "Share of a node's last 60 gathers that failed: a node that refuses because it is busy fails as well.",
    "percentunit",
    (Value(M.chain_health_failed_gathers_ratio), OF_NODE),
    steps=above(LIMITS.flaky_share, ORANGE),
)

GATHER_ERRORS = chart(
    "Gathers that fail",
    "Gathers, or parts of one, that failed within ten minutes, by kind.",
    "none",
    (Increase(M.chainwatch_gather_errors_total, ("chain", "node", "kind")), f"{OF_NODE}, {{{{kind}}}}"),
)

PEERS = chart(
    "Peers",
    "Peers of each node. At 0 it is cut off, and does not know.",
    "none",
    (Value(M.chain_peers), OF_NODE),
    steps=below(1),
)

PEERS_INBOUND = chart(
    "Peers that connected",
    "Of each node's peers those that connected to it.",
    "none",
    (Value(M.chain_peers_inbound), OF_NODE),
)

PARTS = chart(
    "Parts of the network",
    "Parts into which the nodes' connections fall, where all tell of all: 1 where all reach each other.",
    "none",
    (Value(M.chain_network_peer_parts, CHAIN), "{{chain}}"),
    steps=above(2),
)

STRANGERS = chart(
    "Strangers",
    "Peers of a node that are none of the nodes watched. On a private network there are none.",
    "none",
    (Value(M.chain_health_strangers), OF_NODE),
    steps=above(1, YELLOW),
)
