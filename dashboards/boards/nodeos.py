"""nodeos: the schedule and who keeps to it, finality, each worker's load, peers, the state database, CPU and NET.

What the nodes themselves tell, `nodeos_*`, is there as far as their plugins are: `db_size_api`, `producer_api`, and
`prometheus`, whose page Leap 4 writes otherwise than later versions. Panels that show it say so.
"""

from __future__ import annotations

from collector.catalogue import M
from dashboards.boards.common import (
    BEHIND,
    BRANCHES,
    BRANCHES_NOW,
    CLOCKS,
    EACH_FINDING,
    FAILED_GATHERS,
    FINDINGS,
    FORKED,
    GATHER_ERRORS,
    HEAD,
    HEAD_AGE,
    HOUR,
    MARGIN,
    NODES,
    NODES_NOW,
    OF_NODE,
    PARTS,
    PEERS,
    PEERS_INBOUND,
    REORGANISATIONS,
    STRANGERS,
    TRANSACTIONS,
)
from dashboards.boards.making import CHAIN, MAKER, NODE, YES_NO, chart, figure, states, table
from dashboards.limits import LIMITS
from dashboards.panels import GREEN, GREY, ORANGE, RED, YELLOW, Board, Line, Row, above
from dashboards.queries.expressions import Increase, Prom, Rate, Ratio, Value
from dashboards.raw import R

_CHAIN = Row(
    "$chain",
    (
        FINDINGS,
        figure(
            "State",
            "Whether blocks come as this network's rules want it.",
            "short",
            (Value(M.chain_network_halted, CHAIN), ""),
            words=((0, "producing", GREEN), (1, "halted", RED)),
        ),
        HEAD,
        HEAD_AGE,
        figure(
            "May fail",
            "Producers that may still fail before finality stands: at 0 it stands with the next, below 0 it does.",
            "none",
            (Value(M.chain_network_quorum_margin, CHAIN, "min"), ""),
            steps=MARGIN,
        ),
        figure(
            "Behind with finality",
            "Blocks that the last irreversible one is behind the head. What the schedule explains stands beside.",
            "none",
            (Value(M.chain_network_finality_lag_blocks, CHAIN), "is"),
            (Value(M.chain_network_finality_lag_expected_blocks, CHAIN), "expected"),
        ),
        NODES_NOW,
        BRANCHES_NOW,
        chart(
            "Finality",
            "Blocks that the last irreversible one is behind the head, and between what the schedule explains it: with "
            "N producers it comes in steps as their turns end. Above the upper line producers are missing.",
            "none",
            (Value(M.chain_network_finality_lag_blocks, CHAIN), "behind the head"),
            (Value(M.chain_network_finality_lag_expected_least_blocks, CHAIN), "expected, least"),
            (Value(M.chain_network_finality_lag_expected_blocks, CHAIN), "expected, most"),
        ),
        chart(
            "Heads",
            "The best head and the hindmost, of the nodes that are picked, and the last irreversible block. Lines that "
            "part mean that a node does not follow, or that finality stands.",
            "none",
            (Value(M.chain_head_block_number, CHAIN, "max"), "best"),
            (Value(M.chain_head_block_number, CHAIN, "min"), "hindmost"),
            (Value(M.chain_finalized_block_number, CHAIN, "max"), "irreversible"),
        ),
        chart(
            "Age of the head",
            "Time since that of the chain's head: well below a second where blocks come twice a second, and seconds "
            "while a producer lets its turn go by.",
            "s",
            (Value(M.chain_network_head_age_seconds, CHAIN), "age"),
        ),
        TRANSACTIONS,
        chart(
            "CPU of a block",
            "CPU time of transactions in a block: the mean of the last ones.",
            "s",
            (Value(M.chain_network_block_cpu_seconds, CHAIN), "CPU"),
        ),
        chart(
            "NET of a block",
            "Network bandwidth of transactions in a block: the mean of the last ones.",
            "bytes",
            (Value(M.chain_network_block_net_bytes, CHAIN), "NET"),
        ),
    ),
    repeat="chain",
)

_PRODUCERS = Row(
    "Producers of $chain",
    (
        states(
            "Who produces",
            "The producer of the head block. In health each has six seconds of every round.",
            (Value(M.chain_maker_current, MAKER), "{{maker}}"),
            words=((0, "", GREY), (1, "produces", GREEN)),
        ),
        chart(
            "Producers",
            "Producers of the schedule, those that made blocks when their turns came, and those that finality takes.",
            "none",
            (Value(M.chain_network_makers, CHAIN), "scheduled"),
            (Value(M.chain_network_makers_active, CHAIN), "active"),
            (Value(M.chain_network_makers_needed, CHAIN), "needed"),
        ),
        chart(
            "Blocks of each producer",
            "Blocks of the last twelve rounds, by producer. In health all have made the same.",
            "none",
            (Value(M.chain_maker_recent_blocks, MAKER), "{{maker}}"),
        ),
        chart(
            "Blocks missed",
            "Blocks within an hour that a producer had to make and did not. A few at the end of a turn are lost on the "
            "way to the next producer.",
            "none",
            (Increase(M.chain_maker_missed_blocks_total, MAKER, seconds=HOUR), "{{maker}}"),
            steps=above(1, ORANGE),
        ),
        chart(
            "Rounds missed",
            "Rounds within an hour that a producer let go by whole, and how many of them in a row up to now.",
            "none",
            (Increase(M.chain_maker_missed_rounds_total, MAKER, seconds=HOUR), "{{maker}}, within an hour"),
            (Value(M.chain_maker_missed_rounds_in_a_row, MAKER), "{{maker}}, in a row"),
            steps=above(1),
        ),
        chart(
            "Blocks produced",
            "Blocks a second, by producer, over some scrapes: together two, where blocks come twice a second.",
            "ops",
            (Rate(M.chain_maker_blocks_total, MAKER), "{{maker}}"),
            stacked=True,
        ),
        chart(
            "Double production",
            "Times within an hour that a producer made more blocks in a row than its turn has: two nodes produce for "
            "one account.",
            "none",
            (Increase(M.chain_maker_double_productions_total, MAKER, seconds=HOUR), "{{maker}}"),
            steps=above(1),
        ),
        chart(
            "Empty blocks",
            "Share of a producer's recent blocks without a transaction.",
            "percentunit",
            (Value(M.chain_maker_empty_ratio, MAKER), "{{maker}}"),
        ),
        chart(
            "Until the next turn",
            "Time until each producer's next turn begins.",
            "s",
            (Prom("max by (chain, maker) ({0}) - time()", (M.chain_maker_next_turn_timestamp_seconds,)), "{{maker}}"),
        ),
        table(
            "Each producer",
            "One producer in a row: whether it is in the schedule and does its work, and what it missed.",
            Line(Value(M.chain_maker_scheduled, MAKER), "Scheduled", words=((0, "no", YELLOW), (1, "yes", GREEN))),
            Line(Value(M.chain_maker_active, MAKER), "Active", words=((0, "no", RED), (1, "yes", GREEN))),
            Line(Value(M.chain_maker_last_block_number, MAKER), "Last block", "none"),
            Line(Value(M.chain_maker_recent_blocks, MAKER), "Of twelve rounds", "none"),
            Line(
                Increase(M.chain_maker_missed_blocks_total, MAKER, seconds=HOUR),
                "Blocks missed in an hour",
                "none",
                above(1, ORANGE),
            ),
            Line(
                Increase(M.chain_maker_missed_rounds_total, MAKER, seconds=HOUR),
                "Rounds missed in an hour",
                "none",
                above(1),
            ),
            Line(Value(M.chain_maker_empty_ratio, MAKER), "Empty", "percentunit"),
            labels=MAKER,
        ),
    ),
    repeat="chain",
)

_HEALTH = Row(
    "Health",
    (
        EACH_FINDING,
        NODES,
        BEHIND,
        chart(
            "Blocks known, not applied",
            "Blocks that a node knows of beyond its head: one that can't follow has more and more.",
            "none",
            (
                Prom(
                    "max by (chain, node) ({0}) - max by (chain, node) ({1})",
                    (M.chain_fork_database_head_block_number, M.chain_head_block_number),
                ),
                OF_NODE,
            ),
        ),
        FORKED,
        states(
            "Paused",
            "Nodes on which block production is paused.",
            (Value(M.chain_producer_paused), OF_NODE),
            words=YES_NO,
        ),
        BRANCHES,
        REORGANISATIONS,
        chart(
            "Blocks reach the node",
            "Time from the first sighting of a block, by any node, until this node had it.",
            "s",
            (Value(M.chain_health_arrival_delay_seconds), f"{OF_NODE}, median"),
            (Value(M.chain_health_arrival_delay_p95_seconds), f"{OF_NODE}, 95th percentile"),
        ),
        CLOCKS,
    ),
)

_LOAD = Row(
    "Load of each node",
    (
        chart(
            "Answer",
            "Time that a node takes to answer a gather: the median of the last 60. Workers behind one name that share "
            "their load are alike; from Spring 1.1 on it tells little of the main thread.",
            "s",
            (Value(M.chain_health_answer_seconds), OF_NODE),
        ),
        chart(
            "Answer, slow ones",
            "Time that a node takes to answer a gather: the 95th percentile of the last 60.",
            "s",
            (Value(M.chain_health_answer_p95_seconds), OF_NODE),
        ),
        FAILED_GATHERS,
        GATHER_ERRORS,
        chart(
            "HTTP requests",
            "Requests a second that a node answered. From Leap 5 on, of nodes with the prometheus plugin.",
            "reqps",
            (Rate(R.nodeos_prometheus_http_requests_total, NODE), OF_NODE),
        ),
        chart(
            "HTTP requests by endpoint",
            "Requests a second at all nodes that are picked, by endpoint. From Leap 5 on, of nodes with the prometheus "
            "plugin.",
            "reqps",
            (Rate(R.nodeos_prometheus_http_requests_total, ("chain", "handler")), "{{chain}} {{handler}}"),
            stacked=True,
        ),
        chart(
            "Transactions waiting",
            "Transactions that wait to be applied, that are scheduled for later, and that are kept out. Of Leap 4 with "
            "the prometheus plugin.",
            "none",
            (Value(R.nodeos_prometheus_unapplied_transactions), f"{OF_NODE}, to be applied"),
            (Value(R.nodeos_prometheus_scheduled_trxs), f"{OF_NODE}, scheduled"),
            (Value(R.nodeos_prometheus_blacklisted_transactions), f"{OF_NODE}, kept out"),
        ),
        chart(
            "Transactions at nodes",
            "Transactions a second in blocks that a node produced or received, and those that it dropped. Of nodes "
            "with the prometheus plugin; Leap 4 does not tell of those received.",
            "ops",
            (Rate(R.nodeos_prometheus_trxs_produced_total, NODE), f"{OF_NODE}, produced"),
            (Rate(R.nodeos_prometheus_trxs_produced, NODE), f"{OF_NODE}, produced (Leap 4)"),
            (Rate(R.nodeos_prometheus_trxs_incoming_total, NODE), f"{OF_NODE}, received"),
            (Rate(R.nodeos_prometheus_dropped_trxs_total, NODE), f"{OF_NODE}, dropped"),
            (Rate(R.nodeos_prometheus_dropped_trxs, NODE), f"{OF_NODE}, dropped (Leap 4)"),
        ),
        chart(
            "Blocks at nodes",
            "Blocks a second that a node produced or received. Of nodes with the prometheus plugin; Leap 4 does not "
            "tell of those received.",
            "ops",
            (Rate(R.nodeos_prometheus_blocks_produced, NODE), f"{OF_NODE}, produced"),
            (Rate(R.nodeos_prometheus_blocks_incoming, NODE), f"{OF_NODE}, received"),
        ),
        states(
            "In rotation",
            "Whether Traefik has servers of the node, where the collector provides them; a node that is behind is left "
            "out.",
            (Value(M.chainwatch_node_in_rotation), OF_NODE),
            words=((0, "left out", ORANGE), (1, "in", GREEN)),
        ),
    ),
)

_PEERS = Row(
    "Peers",
    (
        PEERS,
        PEERS_INBOUND,
        chart(
            "Connections by nodeos's own count",
            "Connections that a node made, and that were made to it. Of nodes with the prometheus plugin.",
            "none",
            (Value(R.nodeos_prometheus_num_peers), f"{OF_NODE}, made (Leap 4)"),
            (Value(R.nodeos_prometheus_num_clients), f"{OF_NODE}, taken (Leap 4)"),
            (Value(R.nodeos_prometheus_p2p_connections, (*NODE, "direction")), f"{OF_NODE}, {{{{direction}}}}"),
        ),
        chart(
            "Connections that failed",
            "Connections a second that a node could not make. From Leap 5 on, of nodes with the prometheus plugin.",
            "ops",
            (Rate(R.nodeos_prometheus_failed_p2p_connections, NODE), OF_NODE),
        ),
        PARTS,
        STRANGERS,
        states(
            "Shielded addresses",
            "Addresses of shielded nodes that accepted a connection, which none should.",
            (Value(M.chain_shielded_port_open, (*NODE, "address")), f"{OF_NODE} {{{{address}}}}"),
            words=((0, "closed", GREEN), (1, "open", RED)),
        ),
    ),
    collapsed=True,
)

_STATE = Row(
    "State database",
    (
        chart(
            "Used",
            "Share of the state database that is used. nodeos stops when it is full, and the other nodes of the chain "
            "fill alike. With the db_size_api plugin.",
            "percentunit",
            (Ratio(Value(M.chain_state_database_used_bytes), Value(M.chain_state_database_size_bytes)), OF_NODE),
            steps=above(LIMITS.state_database_share),
        ),
        chart(
            "Free",
            "Bytes of the state database that are free.",
            "bytes",
            (Value(M.chain_state_database_free_bytes), OF_NODE),
        ),
        chart(
            "Rows by index",
            "Rows of the state database, by index: the most that any node that is picked has. What grows is here.",
            "short",
            (Value(R.nodeos_db_size_index_rows, ("chain", "index")), "{{chain}} {{index}}"),
        ),
    ),
    collapsed=True,
)

_RESOURCES = Row(
    "CPU and NET",
    (
        chart(
            "CPU that accounts share in",
            "CPU time of a block by which accounts' shares are reckoned: it grows to a thousandfold while blocks are "
            "empty, and falls to what a block may take when they are full.",
            "µs",
            (Value(R.nodeos_get_info_virtual_block_cpu_limit, CHAIN), "{{chain}}"),
        ),
        chart(
            "NET that accounts share in",
            "Bytes of a block by which accounts' shares are reckoned, likewise.",
            "bytes",
            (Value(R.nodeos_get_info_virtual_block_net_limit, CHAIN), "{{chain}}"),
        ),
        chart(
            "CPU left in the block",
            "CPU time that is left in the block at hand: the least that any node that is picked has.",
            "µs",
            (Value(R.nodeos_get_info_block_cpu_limit, CHAIN, "min"), "{{chain}}"),
        ),
        chart(
            "NET left in the block",
            "Bytes that are left in the block at hand: the least that any node that is picked has.",
            "bytes",
            (Value(R.nodeos_get_info_block_net_limit, CHAIN, "min"), "{{chain}}"),
        ),
        chart(
            "CPU billed",
            "CPU time billed in blocks, each second, by whether the node produced or received them. From Leap 5 on, of "
            "nodes with the prometheus plugin.",
            "µs",
            (Rate(R.nodeos_prometheus_cpu_usage_us_total, (*NODE, "block_type")), f"{OF_NODE}, {{{{block_type}}}}"),
        ),
        chart(
            "NET billed",
            "Bytes billed in blocks, each second, likewise. From Leap 5 on, of nodes with the prometheus plugin.",
            "Bps",
            (Rate(R.nodeos_prometheus_net_usage_us_total, (*NODE, "block_type")), f"{OF_NODE}, {{{{block_type}}}}"),
        ),
        chart(
            "Accounts billed for failures",
            "Accounts that a node bills for transactions that failed. Leap 4 with the prometheus plugin.",
            "none",
            (Value(R.nodeos_prometheus_subjective_bill_account_size), OF_NODE),
        ),
    ),
    collapsed=True,
)

_VOTES = Row(
    "Votes and schedule",
    (
        chart(
            "Votes",
            "Weight of the votes for each producer, as any node that is picked tells it.",
            "short",
            (Value(M.chain_producer_votes, ("chain", "producer")), "{{chain}} {{producer}}"),
        ),
        chart(
            "Unpaid blocks",
            "Blocks produced since a producer last claimed its pay.",
            "none",
            (Value(M.chain_producer_unpaid_blocks, ("chain", "producer")), "{{chain}} {{producer}}"),
        ),
        chart(
            "Version of the schedule",
            "Version of the active schedule: a step is another set of producers.",
            "none",
            (Value(M.chain_producer_schedule_version, CHAIN), "{{chain}}"),
        ),
        states(
            "Another schedule waits",
            "Whether another schedule is pending or proposed.",
            (Value(M.chain_producer_schedule_pending, CHAIN), "{{chain}}"),
            words=((0, "no", GREEN), (1, "yes", YELLOW)),
        ),
        chart(
            "Finalizers",
            "Finalizers in the active policy: of chains with Savanna.",
            "none",
            (Value(M.chain_finalizers, CHAIN), "{{chain}}"),
        ),
    ),
    collapsed=True,
)

NODEOS = Board(
    "chainwatch-nodeos",
    "nodeos",
    "Chains of EOSIO and Antelope: schedule, missed blocks, finality, each worker's load, peers, state database, HTTP.",
    (_CHAIN, _PRODUCERS, _HEALTH, _LOAD, _PEERS, _STATE, _RESOURCES, _VOTES),
    kinds=("nodeos",),
    languages=("promql", "influxql", "flux"),
)
