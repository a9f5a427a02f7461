"""The one list of every metric that chainwatch itself defines.

Measurement + `_` + field is the Prometheus name. Sources build their curated readings from these entries, the
collector its own metrics; dashboards and alerts name nothing that is not here. What a node says beyond this list is
exported under `geth_*` and `nodeos_*` and is not catalogued: its names are the node's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from collector.readings import Field, Kind

G, C, INFO, TEXT = Kind.GAUGE, Kind.COUNTER, Kind.INFO, Kind.TEXT

NODE = ("chain", "node", "role")
"""The labels of everything that is said of one node."""


@dataclass(frozen=True)
class Metric:
    """One metric: `labels` in the order in which they are documented, `origin` is where the value comes from."""

    measurement: str
    field: str
    kind: Kind
    unit: str
    help: str
    origin: str
    labels: tuple[str, ...] = NODE

    @property
    def name(self) -> str:
        """The Prometheus name."""
        return f"{self.measurement}_{self.field}"

    @cached_property
    def as_field(self) -> Field:
        """The field that a shape carries for this metric."""
        return Field(self.field, self.kind, self.help)


def _of(measurement: str, labels: tuple[str, ...], *rows: tuple[str, Kind, str, str, str]) -> tuple[Metric, ...]:
    return tuple(
        Metric(measurement, field, kind, unit, text, origin, labels) for field, kind, unit, text, origin in rows
    )


CHAIN = _of(
    "chain",
    NODE,
    # field, kind, unit, help, origin (ethereum; nodeos)
    ("head_block_number", G, "blocks", "Number of the head block.", "eth_getBlockByNumber latest; get_info head_block_num"),
    ("head_block_timestamp_seconds", G, "seconds", "Time of the head block, since the epoch.", "eth_getBlockByNumber latest; get_info head_block_time"),
    ("head_block_hash", TEXT, "", "Hash (nodeos: id) of the head block.", "eth_getBlockByNumber latest; get_info head_block_id"),
    ("head_block_parent_hash", TEXT, "", "Hash of the head block's parent.", "eth_getBlockByNumber latest"),
    ("head_block_producer", TEXT, "", "Account that produced the head block.", "get_info head_block_producer"),
    ("head_block_difficulty", G, "", "Difficulty of the head block; Clique: 2 in turn, 1 out of turn.", "eth_getBlockByNumber latest"),
    ("head_block_total_difficulty", G, "", "Sum of the difficulties up to the head block.", "eth_getBlockByNumber latest"),
    ("head_block_gas_used", G, "gas", "Gas used by the head block.", "eth_getBlockByNumber latest"),
    ("head_block_gas_limit", G, "gas", "Gas limit of the head block.", "eth_getBlockByNumber latest"),
    ("head_block_base_fee_wei", G, "wei", "Base fee of the head block.", "eth_getBlockByNumber latest"),
    ("head_block_size_bytes", G, "bytes", "Size of the head block.", "eth_getBlockByNumber latest"),
    ("head_block_transactions", G, "transactions", "Transactions in the head block.", "eth_getBlockByNumber latest"),
    ("finalized_block_number", G, "blocks", "Number of the last irreversible block.", "get_info last_irreversible_block_num"),
    ("finalized_block_timestamp_seconds", G, "seconds", "Time of the last irreversible block, since the epoch.", "get_info last_irreversible_block_time"),
    ("fork_database_head_block_number", G, "blocks", "Number of the best block known, applied or not.", "get_info fork_db_head_block_num"),
    ("peers", G, "peers", "Peers that the node is connected to.", "net_peerCount; net/connections with a finished handshake"),
    ("peers_inbound", G, "peers", "Peers that connected to the node.", "admin_peers; net/connections"),
    ("syncing", G, "", "1 while the node says that it is syncing, else 0.", "eth_syncing"),
    ("sync_current_block_number", G, "blocks", "Block that a syncing node has reached.", "eth_syncing currentBlock"),
    ("sync_highest_block_number", G, "blocks", "Best block that a syncing node knows of.", "eth_syncing highestBlock"),
    ("gas_price_wei", G, "wei", "Gas price that the node suggests.", "eth_gasPrice"),
    ("txpool_pending", G, "transactions", "Transactions in the pool ready for a block.", "txpool_status pending"),
    ("txpool_queued", G, "transactions", "Transactions in the pool that wait for an earlier one.", "txpool_status queued"),
    ("clique_signers", G, "signers", "Signers that may seal.", "clique_getSigners"),
    ("clique_active_signers", G, "signers", "Signers that sealed one of the last 64 blocks at least.", "clique_status sealerActivity"),
    ("clique_in_turn_ratio", G, "ratio", "Share of the last 64 blocks that were sealed in turn, 0 to 1.", "clique_status inturnPercent"),
    ("producers", G, "producers", "Producers in the active schedule.", "get_producer_schedule active.producers"),
    ("producer_schedule_version", G, "", "Version of the active schedule.", "get_producer_schedule active.version"),
    ("producer_schedule_pending", G, "", "1 while another schedule is pending or proposed, else 0.", "get_producer_schedule pending, proposed"),
    ("producer_paused", G, "", "1 while block production is paused on this node, else 0.", "producer/paused"),
    ("finalizers", G, "finalizers", "Finalizers in the active policy (Savanna).", "get_finalizer_info active_finalizer_policy"),
    ("state_database_size_bytes", G, "bytes", "Size of the state database.", "db_size/get size"),
    ("state_database_used_bytes", G, "bytes", "Used bytes of the state database.", "db_size/get used_bytes"),
    ("state_database_free_bytes", G, "bytes", "Free bytes of the state database: nodeos stops when they run out.", "db_size/get free_bytes"),
    ("node_metrics_enabled", G, "", "1 if the node collects metrics, 0 if it answers but was started without --metrics.", "debug_metrics, /debug/metrics"),
)  # fmt: skip

SIGNER = _of(
    "chain_signer",
    (*NODE, "signer"),
    ("recent_blocks", G, "blocks", "Blocks of the last 64 that the signer sealed, as this node saw them.", "clique_status sealerActivity"),
)  # fmt: skip

PRODUCER = _of(
    "chain_producer",
    (*NODE, "producer"),
    ("scheduled", G, "", "1 for each producer of the active schedule.", "get_producer_schedule active.producers"),
    ("unpaid_blocks", G, "blocks", "Blocks produced since the producer last claimed its pay.", "get_producers unpaid_blocks"),
    ("votes", G, "votes", "Weight of the votes for the producer.", "get_producers total_votes"),
)  # fmt: skip

NODES = (
    *_of(
        "chain_node",
        NODE,
        ("up", G, "", "1 if the last gather of the node succeeded, else 0.", "the gather itself"),
        ("gather_duration_seconds", G, "seconds", "Time that the last gather of the node took.", "the gather itself"),
        ("last_answer_timestamp_seconds", G, "seconds", "When the node last answered, since the epoch.", "the gather itself"),
    ),
    *_of(
        "chain_node",
        (*NODE, "version", "chain_id", "network_id"),
        ("info", INFO, "", "What the node says it is; always 1.", "web3_clientVersion, eth_chainId, net_version; get_info"),
    ),
)  # fmt: skip

SHIELDED = _of(
    "chain_shielded",
    (*NODE, "address"),
    ("port_open", G, "", "1 if the address accepted a connection, which is bad: the node is to be shielded. 0 if it was refused, or not answered in time; missing if it could not be tried.", "the try itself"),
    ("tried", G, "", "1 if the address could be tried, 0 if not (a name without an address, no route): then nothing is known of it.", "the try itself"),
)  # fmt: skip

ETHSTATS = _of(
    "ethstats",
    NODE,
    ("connected", G, "", "1 while the node is connected to push its stats, else 0; of a polled node with a name, too, that never was.", "the connection"),
    ("stale", G, "", "1 while the node is connected, but silent for 45 s, else 0.", "the connection"),
    ("identity_conflicts", G, "nodes", "Further nodes that are connected under the same name.", "the connections"),
    ("head_block_number", G, "blocks", "Number of the head block.", "block"),
    ("head_block_timestamp_seconds", G, "seconds", "Time of the head block, since the epoch.", "block"),
    ("head_arrival_delay_seconds", G, "seconds", "Time from the first sighting of the head block, by any node, until this node had it.", "block, and when it came"),
    ("arrivals_total", C, "blocks", "Blocks whose arrival at the node was seen.", "block"),
    ("arrival_delay_seconds_total", C, "seconds", "Sum of the delays of these blocks.", "block, and when it came"),
    ("latency_seconds", G, "seconds", "Half of the round trip between node and chainwatch.", "latency"),
    ("peers", G, "peers", "Peers that the node is connected to.", "stats"),
    ("pending_transactions", G, "transactions", "Transactions in the pool ready for a block.", "pending, stats"),
    ("gas_price_wei", G, "wei", "Gas price that the node suggests.", "stats"),
    ("clock_skew_seconds", G, "seconds", "How far the node's clock is ahead of chainwatch's; below 0: behind.", "clientTime of node-ping"),
    ("process_start_time_seconds", G, "seconds", "When the node's process began, since the epoch.", "clientTime of node-ping"),
    ("restarts_total", C, "restarts", "Times that the node came back as another process.", "clientTime of node-ping"),
)  # fmt: skip

ETHSTATS_UNREADABLE = _of(
    "ethstats",
    (*NODE, "kind"),
    ("unreadable_total", C, "messages", "Messages of the node that could not be read, or not all of them, by type.", "the messages"),
)  # fmt: skip

ETHSTATS_SEALER = _of(
    "ethstats_sealer",
    ("chain", "sealer"),
    ("blocks_total", C, "blocks", "Blocks of the sealer that any node told of.", "block miner"),
    ("in_turn_blocks_total", C, "blocks", "Those of them that it sealed in turn.", "block difficulty"),
    ("last_block_number", G, "blocks", "Number of the last block that it sealed.", "block number"),
)  # fmt: skip

HEALTH_NODE = _of(
    "chain_health",
    NODE,
    ("head_age_seconds", G, "seconds", "Time since that of the node's head block.", "comparison: head, the clock"),
    ("lag_blocks", G, "blocks", "Blocks that the node's head is behind the best of its branch, of those that were there when it was asked.", "comparison: heads"),
    ("lag_seconds", G, "seconds", "How much older the node's head is than the best of its branch.", "comparison: heads"),
    ("forked", G, "", "1 while the node is on a branch that is not the chain, else 0.", "comparison: heads, headers"),
    ("foreign", G, "", "1 while the node is on another network than the others, else 0.", "comparison: genesis, chain id, network id"),
    ("reorganisations_total", C, "reorganisations", "Times that the node gave up blocks for others.", "comparison: heads, headers"),
    ("deepest_reorganisation_blocks", G, "blocks", "Most blocks that the node gave up at once.", "comparison: heads, headers"),
    ("strangers", G, "peers", "Peers of the node that are none of the nodes watched.", "comparison: peers"),
    ("answer_seconds", G, "seconds", "Time that the node takes to answer: the median of the last 60 gathers.", "the gathers"),
    ("answer_p95_seconds", G, "seconds", "Time that the node takes to answer: the 95th percentile of the last 60 gathers.", "the gathers"),
    ("failed_gathers_ratio", G, "ratio", "Share of the last 60 gathers that failed, 0 to 1.", "the gathers"),
    ("arrival_delay_seconds", G, "seconds", "Time from the first sighting of a block, by any node, until this node had it: the median of the last 128 blocks; nodeos: the least that it was at the last 60 gathers.", "comparison: pushes; heads, block times"),
    ("arrival_delay_p95_seconds", G, "seconds", "Time from the first sighting of a block, by any node, until this node had it: the 95th percentile of the last 128 blocks; nodeos: the least that it was at the last 60 gathers.", "comparison: pushes; heads, block times"),
    ("clock_skew_seconds", G, "seconds", "How far the node's clock is ahead of the collector's; below 0: behind.", "the header Date of its answers; clientTime of node-ping"),
)  # fmt: skip

HEALTH_MAKER = _of(
    "chain_maker",
    ("chain", "maker"),
    ("scheduled", G, "", "1 if the maker is a signer, or in the active schedule, else 0.", "comparison: signers; schedule"),
    ("active", G, "", "1 if the maker made blocks of late when its turns came, else 0.", "comparison: makers of blocks"),
    ("current", G, "", "1 if the maker made the head block, else 0.", "comparison: makers of blocks"),
    ("last_block_number", G, "blocks", "Number of the last block that the maker made.", "comparison: makers of blocks"),
    ("recent_blocks", G, "blocks", "Blocks of the last ones that the maker made: Clique, of 64; nodeos, of twelve rounds.", "comparison: makers of blocks"),
    ("blocks_total", C, "blocks", "Blocks that the maker made.", "comparison: makers of blocks"),
    ("empty_blocks_total", C, "blocks", "Blocks without a transaction that the maker made.", "comparison: blocks"),
    ("in_turn_blocks_total", C, "blocks", "Blocks that the maker sealed in turn (Clique).", "comparison: difficulty"),
    ("missed_blocks_total", C, "blocks", "Blocks that the maker had to make and did not; Clique: turns in which another sealed.", "comparison: makers of blocks, block times"),
    ("missed_rounds_total", C, "rounds", "Rounds that the maker let go by whole (nodeos).", "comparison: makers of blocks, block times"),
    ("missed_rounds_in_a_row", G, "rounds", "Rounds that the maker has let go by whole up to now: 0 once it makes a block again (nodeos).", "comparison: makers of blocks, block times"),
    ("double_productions_total", C, "times", "Times that the maker made more blocks in a row than a turn has (nodeos).", "comparison: makers of blocks"),
    ("empty_ratio", G, "ratio", "Share of the maker's recent blocks without a transaction, 0 to 1.", "comparison: blocks"),
    ("in_turn_ratio", G, "ratio", "Share of the maker's recent blocks that were sealed in turn, 0 to 1 (Clique).", "comparison: difficulty"),
    ("next_turn_timestamp_seconds", G, "seconds", "When the maker's next turn begins, since the epoch (nodeos).", "comparison: schedule"),
)  # fmt: skip

HEALTH_CHAIN = _of(
    "chain_network",
    ("chain",),
    ("nodes", G, "nodes", "Nodes that are known.", "the gathers; pushes"),
    ("nodes_up", G, "nodes", "Nodes that answer, or push, and are on this network.", "the gathers; pushes"),
    ("head_block_number", G, "blocks", "Number of the chain's head, as most nodes have it.", "comparison: heads"),
    ("head_block_timestamp_seconds", G, "seconds", "Time of the chain's head, since the epoch.", "comparison: heads"),
    ("head_age_seconds", G, "seconds", "Time since that of the chain's head.", "comparison: heads, the clock"),
    ("halted", G, "", "1 while no block has come for longer than the network's rules explain, else 0.", "comparison: heads, makers"),
    ("branches", G, "branches", "Branches that nodes are on: 1 where all agree.", "comparison: heads, headers"),
    ("fork_depth_blocks", G, "blocks", "Blocks since the deepest of the branches parted from the chain, 0 where all agree.", "comparison: heads, headers"),
    ("finality_lag_blocks", G, "blocks", "Blocks that the last irreversible one is behind the head.", "get_info"),
    ("finality_lag_expected_least_blocks", G, "blocks", "The least that the lag of the last irreversible block is in health.", "24*floor(2N/3)-11 for N producers, 1 for one; 2 with Savanna"),
    ("finality_lag_expected_blocks", G, "blocks", "The most that the lag of the last irreversible block is in health.", "24*floor(2N/3) for N producers, 1 for one; 3 with Savanna"),
    ("makers", G, "makers", "Signers, or producers of the active schedule.", "signers; schedule"),
    ("makers_active", G, "makers", "Signers, or scheduled producers, that made blocks of late when their turns came.", "comparison: makers of blocks"),
    ("makers_needed", G, "makers", "Active makers that it takes: Clique, to seal at all; nodeos, for finality.", "floor(N/2)+1 of N; floor(2N/3)+1"),
    ("quorum_margin", G, "makers", "Active makers beyond those that it takes: at 0 one more failure halts the chain (nodeos: its finality).", "makers_active - makers_needed"),
    ("in_turn_ratio", G, "ratio", "Share of the last blocks that were sealed in turn, 0 to 1 (Clique).", "comparison: difficulty"),
    ("block_period_seconds", G, "seconds", "Time between blocks, as it should be; 0: blocks come with transactions alone.", "the configuration; the genesis; the blocks"),
    ("block_interval_seconds", G, "seconds", "Time between blocks, as it is: the median of the last blocks.", "block times"),
    ("block_interval_p95_seconds", G, "seconds", "Time between blocks, as it is: the 95th percentile of the last blocks.", "block times"),
    ("transactions_per_second", G, "", "Transactions in the last blocks, over their time.", "blocks"),
    ("peak_transactions_per_second", G, "", "Most transactions in a second, or between two blocks, since the collector began.", "blocks"),
    ("empty_blocks_ratio", G, "ratio", "Share of the last blocks without a transaction, 0 to 1.", "blocks"),
    ("gas_used_ratio", G, "ratio", "Gas that the last blocks used of their limit, 0 to 1.", "blocks"),
    ("block_cpu_seconds", G, "seconds", "CPU time of a block: the mean of the last blocks (nodeos).", "get_block cpu_usage_us"),
    ("block_net_bytes", G, "bytes", "Network bandwidth of a block: the mean of the last blocks (nodeos).", "get_block net_usage_words"),
    ("pool_transactions", G, "transactions", "Most transactions that wait in one node's pool.", "txpool_status"),
    ("peer_parts", G, "parts", "Parts into which the nodes' connections fall: 1 where all reach each other. Only while all tell of all.", "comparison: peers"),
    ("versions", G, "versions", "Releases that the nodes run: 1 where all run the same.", "web3_clientVersion; get_info"),
    ("clock_skew_seconds", G, "seconds", "How far block times are ahead of the collector's clock, beyond what health explains; below 0: behind.", "comparison: block times, first sightings"),
    ("arrival_delay_seconds", G, "seconds", "Time from the first sighting of a block until another node had it: the median of the last 128 blocks at all nodes.", "comparison: pushes; heads, block times"),
    ("arrival_delay_p95_seconds", G, "seconds", "Time from the first sighting of a block until another node had it: the 95th percentile of the last 128 blocks at all nodes.", "comparison: pushes; heads, block times"),
)  # fmt: skip

HEALTH_NETWORK = _of(
    "chain_network",
    ("chain", "genesis", "chain_id", "network_id"),
    ("info", INFO, "", "Which network the chain is, as most nodes have it; always 1.", "eth_getBlockByNumber, admin_nodeInfo, eth_chainId, net_version; get_info"),
)  # fmt: skip

HEALTH_VERSION = _of(
    "chain_network",
    ("chain", "version"),
    ("version_nodes", G, "nodes", "Nodes that run the release.", "web3_clientVersion; get_info"),
)  # fmt: skip

HEALTH_FINDING = _of(
    "chain_health",
    ("chain", "signal", "subject", "severity"),
    ("finding", G, "", "1 while a signal is moved, of a node or maker as subject, or of the chain; 0 when that is over, and soon after no more.", "docs/health.md"),
    ("finding_value", G, "", "What was compared while the signal is moved, in its unit; left out where that is no figure.", "docs/health.md"),
)  # fmt: skip

HEALTH_SEVERITY = _of(
    "chain_health",
    ("chain", "severity"),
    ("findings", G, "findings", "Signals that are moved, by how bad that is.", "docs/health.md"),
)  # fmt: skip

ABOUT = (
    *_of(
        "chainwatch",
        ("chain", "node"),
        ("gathers_total", C, "gathers", "Gathers begun.", "chainwatch"),
        ("gathers_missed_total", C, "gathers", "Ticks at which the gather before was not over yet.", "chainwatch"),
        ("gather_seconds_total", C, "seconds", "Time spent in gathers.", "chainwatch"),
        ("gather_late_seconds_total", C, "seconds", "Sum of the delays between a tick and the start of its gather.", "chainwatch"),
        ("readings_total", C, "readings", "Readings gathered.", "chainwatch"),
        ("fields_total", C, "fields", "Fields gathered.", "chainwatch"),
        ("gather_success_timestamp_seconds", G, "seconds", "When a gather last succeeded, since the epoch.", "chainwatch"),
        ("node_in_rotation", G, "", "1 while Traefik has servers of the node, 0 while it is left out for being behind.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("chain", "node", "kind"),
        ("gather_errors_total", C, "errors", "Gathers, or parts of one, that failed, by kind.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("chain",),
        ("servers", G, "servers", "Servers gathered at present.", "chainwatch"),
        ("discovery_errors_total", C, "errors", "Names or files of servers that could not be read.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("chain", "kind"),
        ("ethstats_logins_total", C, "logins", "Logins of nodes that push, by how they went.", "chainwatch"),
        ("ethstats_messages_total", C, "messages", "Messages from nodes that push, by type.", "chainwatch"),
        ("ethstats_unreadable_total", C, "messages", "Messages that could not be read, or not all of them, by type.", "chainwatch"),
        ("ethstats_dropped_total", C, "messages", "Messages left out, by why.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("chain",),
        ("ethstats_connections", G, "connections", "Nodes connected at present to push.", "chainwatch"),
        ("ethstats_pong_seconds_total", C, "seconds", "Time that pings of nodes waited for their pong; each waits 10 ms at least.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("kind",),
        ("ethstats_refused_connections_total", C, "connections", "Connections ended before a login, by why; nodes without a scheme in their URL try TLS each time.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("output",),
        ("readings_delivered_total", C, "readings", "Readings that the output's server took.", "chainwatch"),
        ("fields_delivered_total", C, "fields", "Fields that the output's server took.", "chainwatch"),
        ("readings_dropped_total", C, "readings", "Readings that the output lost: buffer full, refused, or left at the end.", "chainwatch"),
        ("output_errors_total", C, "errors", "Requests to the output's server that failed.", "chainwatch"),
        ("output_seconds_total", C, "seconds", "Time spent in requests to the output's server.", "chainwatch"),
        ("buffer_readings", G, "readings", "Readings that wait for the output's server.", "chainwatch"),
        ("buffer_bytes", G, "bytes", "Bytes that wait for the output's server.", "chainwatch"),
        ("buffer_limit_bytes", G, "bytes", "Bytes at which the oldest reading is dropped.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("channel", "result"),
        ("notifications_total", C, "alerts", "Alerts that were told, or over, by how telling the channel went: sent, failed (and tried again), dropped.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("channel",),
        ("notifications_waiting", G, "alerts", "Alerts of which the channel is still to be told that they fire, or are over.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        (),
        ("heartbeat_timestamp_seconds", G, "seconds", "When the heartbeat was last called with success, since the epoch; 0: never.", "chainwatch"),
        ("reloads_total", C, "reloads", "Configurations taken over while running.", "chainwatch"),
        ("reload_failures_total", C, "reloads", "Configurations kept out because they were wrong.", "chainwatch"),
        ("configuration_valid", G, "", "1 if the configuration file was right when last read, else 0.", "chainwatch"),
    ),
    *_of(
        "chainwatch",
        ("version",),
        ("build_info", INFO, "", "The version of chainwatch; always 1.", "chainwatch"),
    ),
)  # fmt: skip

CATALOGUE: tuple[Metric, ...] = (
    *CHAIN,
    *SIGNER,
    *PRODUCER,
    *NODES,
    *SHIELDED,
    *ETHSTATS,
    *ETHSTATS_UNREADABLE,
    *ETHSTATS_SEALER,
    *HEALTH_CHAIN,
    *HEALTH_NETWORK,
    *HEALTH_VERSION,
    *HEALTH_NODE,
    *HEALTH_MAKER,
    *HEALTH_SEVERITY,
    *HEALTH_FINDING,
    *ABOUT,
)

BY_NAME = {metric.name: metric for metric in CATALOGUE}


class Names:
    """Metrics by their Prometheus names as attributes: who names one that is not there fails at once."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = {metric.name: metric for metric in metrics}

    def __getattr__(self, name: str) -> Metric:
        """Return the metric of this name. Raises AttributeError, with the nearest name, where there is none."""
        try:
            return self._metrics[name]
        except KeyError:
            near = get_close_matches(name, self._metrics, 1)
            raise AttributeError(f"no metric is called {name}{f'; {near[0]}?' if near else ''}") from None


M = Names(CATALOGUE)
"""`M.chain_health_lag_blocks`: how dashboards and alerts name what they show."""
