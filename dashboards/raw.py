"""What nodes say of themselves beyond the catalogue, as far as boards show it: `geth_*` and `nodeos_*`, as symbols.

The names are the nodes' own, and change with their versions. Each metric here says in which it was found, and a test
holds it to the recorded answers of those. Figures that changed their names after geth 1.8 have one name here already
(`collector.sources.ethereum.metrics`); those that changed what they are stand here under both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from collector.catalogue import NODE, Metric, Names
from collector.readings import Kind

G, C = Kind.GAUGE, Kind.COUNTER

GETH_8, GETH_10, GETH_13 = "geth 1.8", "geth 1.10", "geth 1.13"
LEAP_4, LEAP_5 = "nodeos 4", "nodeos 5"

_ALL_GETH = (GETH_8, GETH_10, GETH_13)
_NEWER_GETH = (GETH_10, GETH_13)
_ALL_NODEOS = (LEAP_4, LEAP_5)
_RAW = (*NODE, "server", "port")


@dataclass(frozen=True)
class Raw(Metric):
    """A metric of a node's own; `kind` is what it is, which the node itself does not always tell."""

    versions: tuple[str, ...] = ()
    """Those that it was found in."""


def _of(
    measurement: str,
    versions: tuple[str, ...],
    *rows: tuple[str, Kind, str, str],
    labels: tuple[str, ...] = (),
) -> Iterable[Raw]:
    for field, kind, unit, text in rows:
        yield Raw(measurement, field, kind, unit, text, ", ".join(versions), (*_RAW, *labels), versions)


def _timers(*rows: tuple[str, str]) -> Iterable[tuple[str, Kind, str, str]]:
    for field, text in rows:
        yield f"{field}_percentiles_50", G, "nanoseconds", f"{text}: the median."
        yield f"{field}_percentiles_95", G, "nanoseconds", f"{text}: the 95th percentile."


GETH = (
    *_of(
        "geth",
        _ALL_GETH,
        *_timers(
            ("chain_inserts", "Time that it takes to insert a block"),
            ("chain_validation", "Of it, the validation of the state"),
            ("chain_execution", "Of it, the execution of transactions"),
            ("chain_write", "Of it, the writing"),
        ),
        ("p2p_inboundtraffic_overall", C, "bytes", "Bytes received from peers."),
        ("p2p_outboundtraffic_overall", C, "bytes", "Bytes sent to peers."),
        ("p2p_inboundconnects_overall", C, "connections", "Connections from peers."),
        ("p2p_outboundconnects_overall", C, "connections", "Connections to peers."),
        ("eth_fetcher_prop_announces_in_overall", C, "announcements", "Blocks that peers announced."),
        ("eth_fetcher_prop_broadcasts_in_overall", C, "blocks", "Blocks that peers sent unasked."),
        ("eth_fetcher_prop_broadcasts_drop_overall", C, "blocks", "Blocks sent unasked that were dropped."),
        ("eth_downloader_headers_in_overall", C, "headers", "Headers that the downloader received."),
        ("eth_downloader_bodies_in_overall", C, "bodies", "Bodies that the downloader received."),
        ("eth_downloader_receipts_in_overall", C, "receipts", "Receipts that the downloader received."),
        ("eth_downloader_headers_timeout_overall", C, "requests", "Requests for headers that timed out."),
        ("eth_downloader_bodies_timeout_overall", C, "requests", "Requests for bodies that timed out."),
        ("eth_db_chaindata_disk_read_overall", C, "bytes", "Bytes that the database read."),
        ("eth_db_chaindata_disk_write_overall", C, "bytes", "Bytes that the database wrote."),
        ("eth_db_chaindata_compact_time_overall", C, "nanoseconds", "Time that the database compacted."),
        ("eth_db_chaindata_compact_input_overall", C, "bytes", "Bytes that compaction read."),
        ("eth_db_chaindata_compact_output_overall", C, "bytes", "Bytes that compaction wrote."),
        ("eth_db_chaindata_compact_writedelay_duration_overall", C, "nanoseconds", "Time that writes waited for it."),
        ("system_disk_readbytes_overall", C, "bytes", "Bytes that the process read from disks."),
        ("system_disk_writebytes_overall", C, "bytes", "Bytes that the process wrote to disks."),
        ("system_memory_allocs_overall", C, "objects", "Objects that were allocated."),
        ("system_memory_frees_overall", C, "objects", "Objects that were freed."),
        ("txpool_pending_discard_overall", C, "transactions", "Pending transactions dropped because the pool is full."),
        ("txpool_pending_replace_overall", C, "transactions", "Pending transactions replaced by a dearer one."),
        ("txpool_pending_ratelimit_overall", C, "transactions", "Pending transactions dropped for an account's limit."),
        ("txpool_pending_nofunds_overall", C, "transactions", "Pending transactions dropped for want of funds."),
        ("txpool_queued_discard_overall", C, "transactions", "Queued transactions dropped because the pool is full."),
        ("txpool_queued_ratelimit_overall", C, "transactions", "Queued transactions dropped for an account's limit."),
        ("txpool_queued_nofunds_overall", C, "transactions", "Queued transactions dropped for want of funds."),
        ("txpool_invalid_overall", C, "transactions", "Transactions refused as invalid."),
        ("txpool_underpriced_overall", C, "transactions", "Transactions refused as too cheap."),
    ),
    *_of(
        "geth",
        (GETH_8,),
        ("system_memory_inuse_overall", G, "bytes", "Memory in use: what was allocated less what was freed."),
    ),
    *_of(
        "geth",
        _NEWER_GETH,
        *_timers(
            ("chain_account_reads", "Of an insert, the reading of accounts"),
            ("chain_account_hashes", "Of an insert, the hashing of accounts"),
            ("chain_account_commits", "Of an insert, the committing of accounts"),
            ("chain_storage_reads", "Of an insert, the reading of storage"),
            ("chain_storage_hashes", "Of an insert, the hashing of storage"),
            ("chain_storage_commits", "Of an insert, the committing of storage"),
            ("rpc_duration_all", "Time that requests took"),
        ),
        ("chain_head_block", G, "blocks", "Number of the head block."),
        ("chain_head_header", G, "blocks", "Number of the best header."),
        ("chain_head_receipt", G, "blocks", "Number of the best block of a fast synchronisation."),
        ("chain_reorg_executes_overall", C, "reorganisations", "Reorganisations."),
        ("chain_reorg_drop_overall", C, "blocks", "Blocks that were given up in them."),
        ("eth_db_chaindata_disk_size", G, "bytes", "Size of the database."),
        ("eth_db_chaindata_ancient_size", G, "bytes", "Size of the old blocks beside it."),
        ("system_memory_used", G, "bytes", "Memory in use."),
        ("system_memory_held", G, "bytes", "Memory held from the system."),
        ("system_cpu_sysload", G, "percent", "Processor use of the machine, in percent of one core."),
        ("system_cpu_syswait", G, "percent", "Wait of the machine for disks, in percent of one core."),
        ("system_cpu_procload", G, "percent", "Processor use of geth, in percent of one core."),
        ("system_cpu_goroutines", G, "goroutines", "Goroutines."),
        ("system_cpu_threads", G, "threads", "Threads of the system."),
        ("txpool_valid_overall", C, "transactions", "Transactions that were taken."),
        ("txpool_known_overall", C, "transactions", "Transactions that were there already."),
        ("txpool_overflowed_overall", C, "transactions", "Transactions refused because the pool is full."),
        ("txpool_slots", G, "slots", "Slots of the pool that are taken."),
        ("rpc_requests", C, "requests", "Requests."),
        ("rpc_failure", C, "requests", "Requests that failed."),
    ),
)  # fmt: skip

NODEOS = (
    *_of(
        "nodeos",
        (LEAP_4,),
        ("get_info_virtual_block_cpu_limit", G, "microseconds", "CPU time of a block that accounts share in."),
        ("get_info_block_cpu_limit", G, "microseconds", "CPU time that is left in the block."),
        ("get_info_virtual_block_net_limit", G, "bytes", "Bytes of a block that accounts share in."),
        ("get_info_block_net_limit", G, "bytes", "Bytes that are left in the block."),
        ("prometheus_num_peers", G, "connections", "Connections that the node made."),
        ("prometheus_num_clients", G, "connections", "Connections made to the node."),
        ("prometheus_dropped_trxs", C, "transactions", "Transactions dropped by the net plugin."),
        ("prometheus_trxs_produced", C, "transactions", "Transactions in blocks that the node produced."),
        ("prometheus_unapplied_transactions", G, "transactions", "Transactions that wait to be applied."),
        ("prometheus_scheduled_trxs", G, "transactions", "Transactions that are scheduled for later."),
        ("prometheus_blacklisted_transactions", G, "transactions", "Transactions that are kept out."),
        ("prometheus_subjective_bill_account_size", G, "accounts", "Accounts that are billed for what failed."),
    ),
    *_of(
        "nodeos",
        _ALL_NODEOS,
        ("prometheus_blocks_produced", C, "blocks", "Blocks that the node produced."),
    ),
    *_of(
        "nodeos",
        (LEAP_4,),
        ("db_size_index_rows", G, "rows", "Rows of an index of the state database."),
        labels=("index",),
    ),
    *_of(
        "nodeos",
        (LEAP_5,),
        ("prometheus_dropped_trxs_total", C, "transactions", "Transactions dropped by the net plugin."),
        ("prometheus_failed_p2p_connections", C, "connections", "Connections that could not be made."),
        ("prometheus_trxs_produced_total", C, "transactions", "Transactions in blocks that the node produced."),
        ("prometheus_trxs_incoming_total", C, "transactions", "Transactions in blocks that the node received."),
        ("prometheus_blocks_incoming", C, "blocks", "Blocks that the node received."),
    ),
    *_of(
        "nodeos",
        (LEAP_5,),
        ("prometheus_http_requests_total", C, "requests", "Requests, by endpoint."),
        labels=("handler",),
    ),
    *_of(
        "nodeos",
        (LEAP_5,),
        ("prometheus_p2p_connections", G, "connections", "Open connections, by direction."),
        labels=("direction",),
    ),
    *_of(
        "nodeos",
        (LEAP_5,),
        ("prometheus_cpu_usage_us_total", C, "microseconds", "CPU time billed in blocks, by whose they are."),
        ("prometheus_net_usage_us_total", C, "bytes", "Bytes billed in blocks, by whose they are."),
        labels=("block_type",),
    ),
)  # fmt: skip

RAW: tuple[Raw, ...] = (*GETH, *NODEOS)

R = Names(RAW)
"""`R.geth_chain_inserts_percentiles_50`: how boards name them."""
