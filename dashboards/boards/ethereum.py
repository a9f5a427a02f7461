"""Ethereum: the chain, its sealers, and all that geth tells of itself, of 1.8 and newer alike.

What geth itself tells is left out where a node has no metrics: geth without `--metrics`, or a collector that is told to
take none. Where 1.8 has a figure under another name a panel asks for both, and each node shows in one of them.
"""

from __future__ import annotations

from collector.catalogue import M, Metric
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
    SKEW,
    STRANGERS,
    TRANSACTIONS,
)
from dashboards.boards.making import CHAIN, MAKER, NODE, YES_NO, chart, figure, states, table
from dashboards.limits import LIMITS
from dashboards.panels import GREEN, ORANGE, RED, YELLOW, Board, Line, Panel, Row, above, below
from dashboards.queries.expressions import Increase, Rate, Ratio, Value
from dashboards.raw import R


def _quantiles(metric: str) -> tuple[tuple[Value, str], tuple[Value, str]]:
    """Return the median and the 95th percentile of a timer of geth."""
    median: Metric = getattr(R, f"geth_{metric}_percentiles_50")
    high: Metric = getattr(R, f"geth_{metric}_percentiles_95")
    return (Value(median), f"{OF_NODE}, median"), (Value(high), f"{OF_NODE}, 95th percentile")


def _timer(title: str, description: str, metric: str) -> Panel:
    return chart(title, f"{description} By geth's own clock, over its last blocks.", "ns", *_quantiles(metric))


def _flow(title: str, description: str, unit: str, *metrics: tuple[Metric, str]) -> Panel:
    """Return what flows at each node, per second."""
    legend = f"{OF_NODE}, {{}}" if len(metrics) > 1 else OF_NODE
    # Not str.format: a legend's own braces have to stay.
    lines = [(Rate(metric, NODE), legend.replace(", {}", f", {name}")) for metric, name in metrics]
    return chart(title, description, unit, *lines)


_CHAIN = Row(
    "$chain",
    (
        FINDINGS,
        figure(
            "State",
            "Whether blocks come as this network's rules want it.",
            "short",
            (Value(M.chain_network_halted, CHAIN), ""),
            words=((0, "sealing", GREEN), (1, "halted", RED)),
        ),
        HEAD,
        HEAD_AGE,
        figure(
            "May fail",
            "Sealers that may still fail before the chain halts: at 0 it halts with the next, below 0 it has.",
            "none",
            (Value(M.chain_network_quorum_margin, CHAIN, "min"), ""),
            steps=MARGIN,
        ),
        NODES_NOW,
        BRANCHES_NOW,
        figure(
            "Transactions now",
            "Transactions a second, in the last blocks.",
            "ops",
            (Value(M.chain_network_transactions_per_second, CHAIN), ""),
        ),
        chart(
            "Heads",
            "The best head and the hindmost, of the nodes that are picked. Lines that part mean that a node does not "
            "follow; flat lines that none comes any further.",
            "none",
            (Value(M.chain_head_block_number, CHAIN, "max"), "best"),
            (Value(M.chain_head_block_number, CHAIN, "min"), "hindmost"),
        ),
        chart(
            "Age of the head",
            "Time since that of the chain's head: a saw that returns to 0 at each block. A tooth that grows is a chain "
            "that waits.",
            "s",
            (Value(M.chain_network_head_age_seconds, CHAIN), "age"),
            (Value(M.chain_network_block_period_seconds, CHAIN), "period"),
        ),
        chart(
            "Block interval",
            "Time between blocks, of the last ones, and as it should be. It grows when sealers seal out of turn.",
            "s",
            (Value(M.chain_network_block_interval_seconds, CHAIN), "median"),
            (Value(M.chain_network_block_interval_p95_seconds, CHAIN), "95th percentile"),
            (Value(M.chain_network_block_period_seconds, CHAIN), "as it should be"),
        ),
        TRANSACTIONS,
        chart(
            "How full blocks are",
            "Share of their gas limit that the last blocks used, and share of blocks without any transaction.",
            "percentunit",
            (Value(M.chain_network_gas_used_ratio, CHAIN), "gas used"),
            (Value(M.chain_network_empty_blocks_ratio, CHAIN), "empty blocks"),
        ),
        chart(
            "Blocks on their way",
            "Time from the first sighting of a block, by any node, until another had it: of the last 128 blocks.",
            "s",
            (Value(M.chain_network_arrival_delay_seconds, CHAIN), "median"),
            (Value(M.chain_network_arrival_delay_p95_seconds, CHAIN), "95th percentile"),
        ),
    ),
    repeat="chain",
)

_SEALERS = Row(
    "Sealers of $chain",
    (
        chart(
            "Sealers",
            "Sealers that may seal, those that did when their turns came, and those that it takes. At the line of what "
            "it takes one more failure halts the chain.",
            "none",
            (Value(M.chain_network_makers, CHAIN), "may seal"),
            (Value(M.chain_network_makers_active, CHAIN), "active"),
            (Value(M.chain_network_makers_needed, CHAIN), "needed"),
        ),
        chart(
            "Blocks of each sealer",
            "Of the last 64 blocks, how many each sealer sealed. In health all have the same share; one that thins out "
            "is leaving.",
            "none",
            (Value(M.chain_maker_recent_blocks, MAKER), "{{maker}}"),
            stacked=True,
        ),
        chart(
            "Sealed in turn",
            "Share of the last blocks that were sealed in turn. A chain that lacks nobody stays near 100 %; below the "
            "limit sealers do not hear of blocks in time.",
            "percentunit",
            (Value(M.chain_network_in_turn_ratio, CHAIN), "all"),
            (Value(M.chain_maker_in_turn_ratio, MAKER), "{{maker}}"),
            steps=below(LIMITS.in_turn_share, ORANGE),
        ),
        chart(
            "Turns missed",
            "Turns of a sealer in which another sealed, within an hour.",
            "none",
            (Increase(M.chain_maker_missed_blocks_total, MAKER, seconds=HOUR), "{{maker}}"),
        ),
        chart(
            "Blocks sealed",
            "Blocks a second, by sealer: together one per block period.",
            "ops",
            (Rate(M.chain_maker_blocks_total, MAKER), "{{maker}}"),
            stacked=True,
        ),
        chart(
            "Empty blocks",
            "Share of a sealer's recent blocks without a transaction. One that stands out does not hear of them.",
            "percentunit",
            (Value(M.chain_maker_empty_ratio, MAKER), "{{maker}}"),
        ),
        table(
            "Each sealer",
            "One sealer in a row: whether it may seal and does, its last block, and how it fared of late.",
            Line(Value(M.chain_maker_scheduled, MAKER), "May seal", words=((0, "no", YELLOW), (1, "yes", GREEN))),
            Line(Value(M.chain_maker_active, MAKER), "Active", words=((0, "no", RED), (1, "yes", GREEN))),
            Line(Value(M.chain_maker_last_block_number, MAKER), "Last block", "none"),
            Line(Value(M.chain_maker_recent_blocks, MAKER), "Of the last 64", "none"),
            Line(
                Value(M.chain_maker_in_turn_ratio, MAKER),
                "In turn",
                "percentunit",
                below(LIMITS.in_turn_share, ORANGE),
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
            "Behind the best head in time",
            "How much older each node's head is than the best of its branch.",
            "s",
            (Value(M.chain_health_lag_seconds), OF_NODE),
        ),
        FORKED,
        BRANCHES,
        REORGANISATIONS,
        chart(
            "Blocks reach the node",
            "Time from the first sighting of a block, by any node, until this node had it: the 95th percentile.",
            "s",
            (Value(M.chain_health_arrival_delay_p95_seconds), OF_NODE),
        ),
        CLOCKS,
        FAILED_GATHERS,
    ),
)

_POOL = Row(
    "Pool and gas",
    (
        chart(
            "Pending",
            "Transactions of a node's pool that are ready for a block. A pool that grows while blocks come means that "
            "they are full, or too cheap.",
            "none",
            (Value(M.chain_txpool_pending), OF_NODE),
        ),
        chart(
            "Queued",
            "Transactions of a node's pool that wait for an earlier one of their account.",
            "none",
            (Value(M.chain_txpool_queued), OF_NODE),
        ),
        chart(
            "Slots",
            "Slots of a node's pool that are taken: a large transaction takes several. From geth 1.9 on.",
            "none",
            (Value(R.geth_txpool_slots), OF_NODE),
        ),
        chart(
            "Gas of the head block",
            "Gas that the head block used, and what it may use.",
            "short",
            (Value(M.chain_head_block_gas_used, CHAIN), "{{chain}}, used"),
            (Value(M.chain_head_block_gas_limit, CHAIN), "{{chain}}, limit"),
        ),
        chart(
            "Gas price",
            "Gas price that nodes suggest, and the base fee of the head block where the chain has one: in wei.",
            "short",
            (Value(M.chain_gas_price_wei), OF_NODE),
            (Value(M.chain_head_block_base_fee_wei, CHAIN), "{{chain}}, base fee"),
        ),
        chart(
            "Transactions in the head block",
            "Transactions in the head block, as it was at each gather.",
            "none",
            (Value(M.chain_head_block_transactions, CHAIN), "{{chain}}"),
        ),
        chart(
            "Size of the head block",
            "Bytes of the head block, as it was at each gather.",
            "bytes",
            (Value(M.chain_head_block_size_bytes, CHAIN), "{{chain}}"),
        ),
        _flow(
            "Pending transactions dropped",
            "Transactions a second that a node drops from its pool though they were ready, by why.",
            "ops",
            (R.geth_txpool_pending_discard_overall, "pool full"),
            (R.geth_txpool_pending_ratelimit_overall, "account's limit"),
            (R.geth_txpool_pending_nofunds_overall, "no funds"),
            (R.geth_txpool_pending_replace_overall, "replaced"),
        ),
        _flow(
            "Queued transactions dropped",
            "Transactions a second that a node drops while they wait for an earlier one, by why.",
            "ops",
            (R.geth_txpool_queued_discard_overall, "pool full"),
            (R.geth_txpool_queued_ratelimit_overall, "account's limit"),
            (R.geth_txpool_queued_nofunds_overall, "no funds"),
        ),
        _flow(
            "Transactions refused",
            "Transactions a second that a node does not take at all, by why; and of geth from 1.9 on those it takes.",
            "ops",
            (R.geth_txpool_invalid_overall, "invalid"),
            (R.geth_txpool_underpriced_overall, "too cheap"),
            (R.geth_txpool_overflowed_overall, "pool full"),
            (R.geth_txpool_known_overall, "known"),
            (R.geth_txpool_valid_overall, "taken"),
        ),
    ),
)

_PEERS = Row(
    "Peers and traffic",
    (
        PEERS,
        PEERS_INBOUND,
        PARTS,
        STRANGERS,
        _flow("Received", "Bytes a second from peers.", "Bps", (R.geth_p2p_inboundtraffic_overall, "")),
        _flow("Sent", "Bytes a second to peers.", "Bps", (R.geth_p2p_outboundtraffic_overall, "")),
        _flow(
            "Connections made",
            "New connections a second. Many of them mean that peers do not stay.",
            "ops",
            (R.geth_p2p_inboundconnects_overall, "from peers"),
            (R.geth_p2p_outboundconnects_overall, "to peers"),
        ),
        _flow(
            "Blocks announced and sent",
            "Blocks a second that peers announce, or send unasked, and those of the latter that are dropped.",
            "ops",
            (R.geth_eth_fetcher_prop_announces_in_overall, "announced"),
            (R.geth_eth_fetcher_prop_broadcasts_in_overall, "sent"),
            (R.geth_eth_fetcher_prop_broadcasts_drop_overall, "dropped"),
        ),
        _flow(
            "Downloads",
            "Headers, bodies and receipts a second that a node fetches to catch up, and requests that time out.",
            "ops",
            (R.geth_eth_downloader_headers_in_overall, "headers"),
            (R.geth_eth_downloader_bodies_in_overall, "bodies"),
            (R.geth_eth_downloader_receipts_in_overall, "receipts"),
            (R.geth_eth_downloader_headers_timeout_overall, "headers too late"),
            (R.geth_eth_downloader_bodies_timeout_overall, "bodies too late"),
        ),
    ),
    collapsed=True,
)

_INSERTS = Row(
    "Blocks in geth",
    (
        _timer("Insert", "Time that it takes to insert a block: all of what stands beside.", "chain_inserts"),
        _timer("Validation", "Time of it for the validation of the state.", "chain_validation"),
        _timer("Execution", "Time of it for the execution of transactions.", "chain_execution"),
        _timer("Writing", "Time of it for the writing.", "chain_write"),
        chart(
            "Heads by geth's own count",
            "Head block, best header and best block of a fast synchronisation. From geth 1.9 on. They are the same "
            "on a node that is cut off, too: they do not tell whether it is behind.",
            "none",
            (Value(R.geth_chain_head_block), f"{OF_NODE}, block"),
            (Value(R.geth_chain_head_header), f"{OF_NODE}, header"),
            (Value(R.geth_chain_head_receipt), f"{OF_NODE}, fast"),
        ),
        _flow(
            "Reorganisations by geth's own count",
            "Reorganisations a second, and the blocks given up in them. From geth 1.9 on.",
            "ops",
            (R.geth_chain_reorg_executes_overall, "reorganisations"),
            (R.geth_chain_reorg_drop_overall, "blocks given up"),
        ),
        _timer("Accounts read", "Time of an insert for reading accounts. From geth 1.9 on.", "chain_account_reads"),
        _timer("Accounts hashed", "Time of an insert for hashing accounts. From geth 1.9 on.", "chain_account_hashes"),
        _timer(
            "Accounts committed",
            "Time of an insert for committing accounts. From geth 1.9 on.",
            "chain_account_commits",
        ),
        _timer("Storage read", "Time of an insert for reading storage. From geth 1.9 on.", "chain_storage_reads"),
        _timer("Storage hashed", "Time of an insert for hashing storage. From geth 1.9 on.", "chain_storage_hashes"),
        _timer(
            "Storage committed", "Time of an insert for committing storage. From geth 1.9 on.", "chain_storage_commits"
        ),
    ),
    collapsed=True,
)

_DATABASE = Row(
    "Database",
    (
        _flow(
            "Read", "Bytes a second that the database reads.", "Bps", (R.geth_eth_db_chaindata_disk_read_overall, "")
        ),
        _flow(
            "Written",
            "Bytes a second that the database writes.",
            "Bps",
            (R.geth_eth_db_chaindata_disk_write_overall, ""),
        ),
        chart(
            "Size",
            "Bytes of the chain's data, and of old blocks kept beside it. From geth 1.9 on.",
            "bytes",
            (Value(R.geth_eth_db_chaindata_disk_size), f"{OF_NODE}, database"),
            (Value(R.geth_eth_db_chaindata_ancient_size), f"{OF_NODE}, old blocks"),
        ),
        _flow(
            "Time for compaction",
            "Time in each second that the database compacts: near 1 s the disk can't follow.",
            "ns",
            (R.geth_eth_db_chaindata_compact_time_overall, ""),
        ),
        _flow(
            "Compacted",
            "Bytes a second that compaction reads and writes.",
            "Bps",
            (R.geth_eth_db_chaindata_compact_input_overall, "read"),
            (R.geth_eth_db_chaindata_compact_output_overall, "written"),
        ),
        _flow(
            "Writes held back",
            "Time in each second that writes wait for compaction. In health 0.",
            "ns",
            (R.geth_eth_db_chaindata_compact_writedelay_duration_overall, ""),
        ),
    ),
    collapsed=True,
)

_PROCESS = Row(
    "Processor, memory, disk",
    (
        chart(
            "Processor",
            "Processor use of geth, in percent of one core. From geth 1.9 on.",
            "percent",
            (Value(R.geth_system_cpu_procload), OF_NODE),
        ),
        chart(
            "Processor of the machine",
            "Processor use of the machine, and its wait for disks, in percent of one core. From geth 1.9 on.",
            "percent",
            (Value(R.geth_system_cpu_sysload), f"{OF_NODE}, use"),
            (Value(R.geth_system_cpu_syswait), f"{OF_NODE}, wait"),
        ),
        chart(
            "Threads",
            "Goroutines, and threads of the system. From geth 1.9 on. Goroutines that only grow are a leak.",
            "none",
            (Value(R.geth_system_cpu_goroutines), f"{OF_NODE}, goroutines"),
            (Value(R.geth_system_cpu_threads), f"{OF_NODE}, threads"),
        ),
        chart(
            "Memory",
            "Memory in use. geth 1.8 tells what was allocated less what was freed, since it began.",
            "bytes",
            (Value(R.geth_system_memory_used), OF_NODE),
            (Value(R.geth_system_memory_inuse_overall), f"{OF_NODE}, 1.8"),
            (Value(R.geth_system_memory_held), f"{OF_NODE}, held"),
        ),
        _flow(
            "Allocations",
            "Objects a second that are allocated and freed.",
            "ops",
            (R.geth_system_memory_allocs_overall, "allocated"),
            (R.geth_system_memory_frees_overall, "freed"),
        ),
        _flow(
            "Disk",
            "Bytes a second that the process reads from and writes to disks, as the system counts them.",
            "Bps",
            (R.geth_system_disk_readbytes_overall, "read"),
            (R.geth_system_disk_writebytes_overall, "written"),
        ),
    ),
    collapsed=True,
)

_RPC = Row(
    "RPC",
    (
        chart(
            "Answer to the collector",
            "Time that a node takes to answer a gather: the median of the last 60.",
            "s",
            (Value(M.chain_health_answer_seconds), OF_NODE),
        ),
        chart(
            "Answer to the collector, slow ones",
            "Time that a node takes to answer a gather: the 95th percentile of the last 60.",
            "s",
            (Value(M.chain_health_answer_p95_seconds), OF_NODE),
        ),
        GATHER_ERRORS,
        _flow(
            "Requests",
            "Requests a second, and failures. From geth 1.9 on, and only where the chain's `metrics` name `rpc`.",
            "reqps",
            (R.geth_rpc_requests, "all"),
            (R.geth_rpc_failure, "failed"),
        ),
        chart(
            "Failures",
            "Share of requests that fail. From geth 1.9 on, and only where the chain's `metrics` name `rpc`.",
            "percentunit",
            (Ratio(Rate(R.geth_rpc_failure, NODE), Rate(R.geth_rpc_requests, NODE)), OF_NODE),
        ),
        chart(
            "Time of requests",
            "Time that requests take, by geth's own clock. From geth 1.9 on, and only where the chain's `metrics` name "
            "`rpc`.",
            "ns",
            *_quantiles("rpc_duration_all"),
        ),
    ),
    collapsed=True,
)

_ETHSTATS = Row(
    "Ethstats",
    (
        states(
            "Connected",
            "Nodes that are connected to push their stats.",
            (Value(M.ethstats_connected, NODE), OF_NODE),
            words=((0, "no", RED), (1, "yes", GREEN)),
        ),
        states(
            "Silent",
            "Nodes that are connected and have said nothing for 45 s.",
            (Value(M.ethstats_stale, NODE), OF_NODE),
            words=YES_NO,
        ),
        chart(
            "Restarts",
            "Times within an hour that a node came back as another process.",
            "none",
            (Increase(M.ethstats_restarts_total, NODE, seconds=HOUR), OF_NODE),
            steps=above(LIMITS.restarts, ORANGE),
        ),
        chart(
            "Latency",
            "Half of the round trip between node and collector.",
            "s",
            (Value(M.ethstats_latency_seconds), OF_NODE),
        ),
        chart(
            "Head arrives",
            "Time from the first sighting of the head block, by any node, until this node had it.",
            "s",
            (Value(M.ethstats_head_arrival_delay_seconds), OF_NODE),
        ),
        chart(
            "Arrival of blocks",
            "Time from the first sighting of a block until the node had it, as a mean.",
            "s",
            (Ratio(Rate(M.ethstats_arrival_delay_seconds_total, NODE), Rate(M.ethstats_arrivals_total, NODE)), OF_NODE),
        ),
        chart(
            "Pending",
            "Transactions in a node's pool that are ready for a block, as it pushes them.",
            "none",
            (Value(M.ethstats_pending_transactions), OF_NODE),
        ),
        chart(
            "Clocks, as they push",
            "How far a node's clock is ahead of the collector's; below 0 it is behind.",
            "s",
            (Value(M.ethstats_clock_skew_seconds), OF_NODE),
            steps=SKEW,
        ),
        chart(
            "Blocks of sealers",
            "Blocks a second of each sealer that any node told of.",
            "ops",
            (Rate(M.ethstats_sealer_blocks_total, ("chain", "sealer")), "{{chain}} {{sealer}}"),
            stacked=True,
        ),
    ),
    collapsed=True,
)

ETHEREUM = Board(
    "chainwatch-ethereum",
    "Ethereum",
    "Chains of Ethereum: blocks, sealers, pool, gas, peers, geth's database, processor and memory, RPC.",
    (_CHAIN, _SEALERS, _HEALTH, _POOL, _PEERS, _INSERTS, _DATABASE, _PROCESS, _RPC, _ETHSTATS),
    kinds=("ethereum",),
    languages=("promql", "influxql", "flux"),
)
