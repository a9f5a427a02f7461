"""One node, everything that is known of it, whichever kind it is."""

from __future__ import annotations

from collector.catalogue import M
from dashboards.boards.common import SKEW
from dashboards.boards.making import chart, figure, states, table
from dashboards.limits import LIMITS
from dashboards.panels import GREEN, ORANGE, RED, YELLOW, Board, Line, Row, above, below
from dashboards.queries.expressions import Age, Increase, Prom, Rate, Ratio, Value
from dashboards.raw import R

_YES_IS_BAD = ((0, "no", GREEN), (1, "yes", RED))

_NODES = "max by (chain, node) ({1} or {2})"
"""The nodes that are picked: what there is of those that are asked, and of those that push."""

_NOW = Row(
    "Now",
    (
        figure(
            "Answers",
            "Whether the last gather of the node succeeded.",
            "short",
            (Value(M.chain_node_up, fold="min"), "{{node}}"),
            words=((0, "no", RED), (1, "yes", GREEN)),
            width=4,
        ),
        figure(
            "Behind",
            "Blocks that the node's head is behind the best of its branch, of those that were there when it was asked.",
            "short",
            (Value(M.chain_health_lag_blocks), "{{node}}"),
            steps=above(LIMITS.behind_blocks, ORANGE),
            width=4,
        ),
        figure(
            "Head", "Number of the node's head block.", "none", (Value(M.chain_head_block_number), "{{node}}"), width=4
        ),
        figure(
            "Head age",
            "Time since that of the node's head block.",
            "s",
            (Value(M.chain_health_head_age_seconds), "{{node}}"),
            width=4,
        ),
        figure(
            "Peers",
            "Peers that the node is connected to.",
            "short",
            (Value(M.chain_peers, fold="min"), "{{node}}"),
            steps=below(1),
            width=4,
        ),
        figure(
            "Time to answer",
            "The median of the node's last 60 gathers.",
            "s",
            (Value(M.chain_health_answer_seconds), "{{node}}"),
            width=4,
        ),
        table(
            "What it is",
            "What the node says that it is, and how long ago it last answered. One that is down says nothing.",
            Line(
                Prom(
                    "max by (chain, node, role, version, chain_id, network_id) ({1}) "
                    "* on (chain, node) group_left () (time() - max by (chain, node) ({0})) "
                    "or on (chain, node) time() - max by (chain, node, role) ({0})",
                    (M.chain_node_last_answer_timestamp_seconds, M.chain_node_info),
                ),
                "Answered ago",
                "s",
            ),
            labels=("chain", "node", "role", "version", "chain_id", "network_id"),
            width=12,
            height=6,
        ),
        table(
            "What is wrong",
            "What health finds of the node at present. docs/health.md says what each signal means and what to do.",
            Line(
                Prom(
                    "max by (chain, node, severity, signal) "
                    '(label_join({0} == 1, "node", "", "subject")) and on (chain, node) ' + _NODES,
                    (M.chain_health_finding, M.chain_node_up, M.ethstats_connected),
                ),
                "Moved",
                words=((1, "yes", ORANGE),),
            ),
            labels=("chain", "node", "severity", "signal"),
            width=12,
            height=6,
        ),
    ),
)

_STATE = Row(
    "State",
    (
        states(
            "Answers",
            "When the node answered, and, where it pushes as well, when it was connected.",
            (Value(M.chain_node_up, fold="min"), "{{node}} answers"),
            (Value(M.ethstats_connected, fold="min"), "{{node}} pushes"),
            words=((0, "no", RED), (1, "yes", GREEN)),
            width=12,
        ),
        states(
            "Trouble",
            "When the node was syncing, on a branch that is not the chain, on another network, silent while "
            "connected to push, or, as a producer, paused.",
            (Value(M.chain_syncing), "{{node}} syncing"),
            (Value(M.chain_health_forked), "{{node}} on a branch"),
            (Value(M.chain_health_foreign), "{{node}} on another network"),
            (Value(M.ethstats_stale), "{{node}} silent"),
            (Value(M.chain_producer_paused), "{{node}} paused"),
            words=_YES_IS_BAD,
            width=12,
        ),
    ),
)

_HEAD = Row(
    "Head",
    (
        chart(
            "Lag",
            "Blocks that the node's head is behind the best of its branch, of those that were there when it was "
            "asked. From the line on it counts as behind.",
            "short",
            (Value(M.chain_health_lag_blocks), "{{node}}"),
            steps=above(LIMITS.behind_blocks, ORANGE),
        ),
        chart(
            "Head age",
            "Time since that of the node's head block: a saw, a tooth for each block.",
            "s",
            (Value(M.chain_health_head_age_seconds), "{{node}}"),
        ),
        chart(
            "Blocks taken over",
            "Blocks per second by which the node's head moves on.",
            "short",
            (Prom("max by (chain, node) (deriv({0}[{window}]))", (M.chain_head_block_number,)), "{{node}}"),
        ),
        chart(
            "Propagation",
            "Time from the first sighting of a block, by any node, until this one had it.",
            "s",
            (Value(M.chain_health_arrival_delay_seconds), "{{node}}: median"),
            (Value(M.chain_health_arrival_delay_p95_seconds), "{{node}}: 95th percentile"),
            width=12,
        ),
        chart(
            "Reorganisations",
            "Times within ten minutes that the node gave up blocks for others, and the most that it gave up at "
            "once. From as many at once as the line shows it is told of.",
            "short",
            (Increase(M.chain_health_reorganisations_total), "{{node}}: times"),
            (Value(M.chain_health_deepest_reorganisation_blocks), "{{node}}: most blocks at once"),
            steps=above(LIMITS.reorganised_blocks, ORANGE),
            width=12,
        ),
    ),
)

_ANSWERS = Row(
    "Answers",
    (
        chart(
            "Time to answer",
            "Time that the node takes to answer: of its last 60 gathers.",
            "s",
            (Value(M.chain_health_answer_seconds), "{{node}}: median"),
            (Value(M.chain_health_answer_p95_seconds), "{{node}}: 95th percentile"),
        ),
        chart(
            "Failed gathers",
            "Share of the node's last 60 gathers that failed. From the line on, if they fail again and again, it is "
            "flaky.",
            "percentunit",
            (Value(M.chain_health_failed_gathers_ratio), "{{node}}"),
            steps=above(LIMITS.flaky_share, ORANGE),
        ),
        chart(
            "Failures by kind",
            "Gathers, or parts of one, that failed within ten minutes, by kind: refused is a node that does not run, "
            "timeout one that hangs. docs/sources.md has them all.",
            "short",
            (Increase(M.chainwatch_gather_errors_total, ("chain", "node", "kind")), "{{node}} {{kind}}"),
            stacked=True,
        ),
        chart(
            "Duration of a gather",
            "The mean time that a gather of the node takes, all its requests together.",
            "s",
            (Ratio(Rate(M.chainwatch_gather_seconds_total), Rate(M.chainwatch_gathers_total)), "{{node}}"),
        ),
        chart(
            "Gathers missed",
            "Gathers within ten minutes that were not begun because the one before was not over.",
            "short",
            (Increase(M.chainwatch_gathers_missed_total), "{{node}}"),
        ),
        chart(
            "Since it last answered",
            "Time since the node's last answer.",
            "s",
            (Age(M.chain_node_last_answer_timestamp_seconds), "{{node}}"),
        ),
    ),
)

_NETWORK = Row(
    "Peers and clock",
    (
        chart(
            "Peers",
            "Peers of the node, those of them that connected to it, and those that are none of the nodes watched.",
            "short",
            (Value(M.chain_peers), "{{node}}: peers"),
            (Value(M.chain_peers_inbound), "{{node}}: inbound"),
            (Value(M.chain_health_strangers), "{{node}}: strangers"),
            width=12,
        ),
        chart(
            "Clock",
            "How far the node's clock is ahead of the collector's; below 0: behind. geth tells it to a second.",
            "s",
            (Value(M.chain_health_clock_skew_seconds), "{{node}}"),
            steps=SKEW,
            width=12,
        ),
    ),
)

_PUSHES = Row(
    "What it pushes (ethstats)",
    (
        chart(
            "Delay of blocks",
            "Mean time from the first sighting of a block, by any node that pushes, until this node had it.",
            "s",
            (Ratio(Rate(M.ethstats_arrival_delay_seconds_total), Rate(M.ethstats_arrivals_total)), "{{node}}"),
        ),
        chart(
            "Latency",
            "Half of the round trip between node and chainwatch.",
            "s",
            (Value(M.ethstats_latency_seconds), "{{node}}"),
        ),
        chart(
            "Restarts",
            "Times within an hour that the node came back as another process. From the line on it is told of.",
            "short",
            (Increase(M.ethstats_restarts_total, seconds=3600), "{{node}}"),
            steps=above(LIMITS.restarts, ORANGE),
        ),
        chart(
            "Up for",
            "Time since the node's process began.",
            "dtdurations",
            (Age(M.ethstats_process_start_time_seconds), "{{node}}"),
        ),
        chart(
            "Messages not read",
            "Messages of the node within ten minutes that could not be read, or not all of them, by type.",
            "short",
            (Increase(M.ethstats_unreadable_total, ("chain", "node", "kind")), "{{node}} {{kind}}"),
        ),
        chart(
            "Twins",
            "Further nodes that are connected under the same name: each should have its own.",
            "short",
            (Value(M.ethstats_identity_conflicts), "{{node}}"),
            steps=above(1, YELLOW),
        ),
    ),
)

_GETH = Row(
    "Of geth alone",
    (
        chart(
            "CPU",
            "What the node keeps busy, in per cent of one core (geth from 1.9 on).",
            "percent",
            (Value(R.geth_system_cpu_procload), "{{node}}"),
        ),
        chart(
            "Memory",
            "Memory in use; geth 1.8 tells what it has allocated less what it has freed.",
            "bytes",
            (Value(R.geth_system_memory_used), "{{node}}"),
            (Value(R.geth_system_memory_inuse_overall), "{{node}} (1.8)"),
        ),
        chart(
            "Database",
            "Bytes per second that geth's database reads and writes.",
            "Bps",
            (Rate(R.geth_eth_db_chaindata_disk_read_overall), "{{node}}: read"),
            (Rate(R.geth_eth_db_chaindata_disk_write_overall), "{{node}}: written"),
        ),
        chart(
            "Traffic with peers",
            "Bytes per second that geth exchanges with its peers.",
            "Bps",
            (Rate(R.geth_p2p_inboundtraffic_overall), "{{node}}: received"),
            (Rate(R.geth_p2p_outboundtraffic_overall), "{{node}}: sent"),
        ),
        chart(
            "Time to insert a block",
            "Time that geth takes to insert a block, 95 of 100 times at most.",
            "ns",
            (Value(R.geth_chain_inserts_percentiles_95), "{{node}}"),
        ),
        chart(
            "Transactions in the head block",
            "Transactions in the node's head block at each gather (geth).",
            "short",
            (Value(M.chain_head_block_transactions), "{{node}}"),
        ),
        chart(
            "Pool",
            "Transactions in the node's pool: ready for a block, and waiting for an earlier one (geth).",
            "short",
            (Value(M.chain_txpool_pending), "{{node}}: ready"),
            (Value(M.chain_txpool_queued), "{{node}}: waiting"),
            width=12,
        ),
        chart(
            "Sync",
            "Blocks that a syncing node still lacks, of those that it knows of (geth).",
            "short",
            (
                Prom(
                    "max by (chain, node) ({0} - {1})",
                    (M.chain_sync_highest_block_number, M.chain_sync_current_block_number),
                ),
                "{{node}}",
            ),
            width=12,
        ),
    ),
)

_NODEOS = Row(
    "Of nodeos alone",
    (
        chart(
            "Finality",
            "Blocks between the node's head and the last that it takes to be irreversible (nodeos).",
            "short",
            (
                Prom(
                    "max by (chain, node) ({0} - {1})",
                    (M.chain_head_block_number, M.chain_finalized_block_number),
                ),
                "{{node}}",
            ),
        ),
        chart(
            "State database",
            "Share of the node's state database that is used (nodeos): it stops when nothing is left.",
            "percentunit",
            (Ratio(Value(M.chain_state_database_used_bytes), Value(M.chain_state_database_size_bytes)), "{{node}}"),
            steps=above(LIMITS.state_database_share),
        ),
        chart(
            "Blocks produced",
            "Blocks per second that a nodeos itself has produced.",
            "ops",
            (Rate(R.nodeos_prometheus_blocks_produced), "{{node}}"),
        ),
    ),
)

NODE = Board(
    uid="chainwatch-node",
    title="Node",
    description="One node, or a few beside each other: everything that is known of them.",
    rows=(_NOW, _STATE, _HEAD, _ANSWERS, _NETWORK, _PUSHES, _GETH, _NODEOS),
    every_node=False,
)
