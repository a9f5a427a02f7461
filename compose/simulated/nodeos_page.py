"""The page of nodeos's prometheus_plugin: of Leap 4 as it was recorded, of Leap 5 and Spring as their source has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compose.simulated.nodeos_versions import Version

WITHOUT_PEERS = 30.0
"""Seconds after its start during which the page of Leap 4 lacks the figures of peers."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the page tells: blocks by number and count, connections in both directions, the page's own use."""

    head: int
    irreversible: int
    produced: int
    received: int
    out: int
    incoming: int
    uptime: float
    scrapes: int
    scraped: int


def page_of_4(figures: Figures) -> str:
    """Return the page of Leap 4: bare names, no help."""
    peers = figures.uptime >= WITHOUT_PEERS
    samples: dict[str, tuple[str, int]] = {
        "exposer_transferred_bytes_total": ("counter", figures.scraped),
        "exposer_scrapes_total": ("counter", figures.scrapes),
        **({"dropped_trxs": ("counter", 0)} if peers else {}),
        "blocks_produced": ("counter", figures.produced),
        "trxs_produced": ("counter", figures.produced // 3),
        "num_calls": ("gauge", 0),
        **({"num_peers": ("gauge", figures.out), "num_clients": ("gauge", figures.incoming)} if peers else {}),
        "unapplied_transactions": ("gauge", 0),
        "blacklisted_transactions": ("gauge", 0),
        "last_irreversible": ("gauge", figures.irreversible),
        "head_block_num": ("gauge", figures.head),
        "subjective_bill_account_size": ("gauge", 0),
        "scheduled_trxs": ("gauge", 0),
    }
    return "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, (kind, value) in samples.items())


def page_of_5(figures: Figures, release: Version, chain_id: str, asked: Mapping[str, int]) -> str:
    """Return the page of Leap 5 and Spring: names begin with `nodeos_`; `asked` counts requests by endpoint."""
    info = (
        f'{{chain_id="{chain_id}",earliest_available_block_num="1",'
        f'server_full_version_string="{release.full}",server_version="{release.commit}",'
        f'server_version_string="{release.string}"}}'
    )
    made, got = figures.produced, figures.received
    families: list[tuple[str, str, str, dict[str, int]]] = [
        ("info", "gauge", "static information about the server", {info: 1}),
        ("http_requests_total", "counter", "HTTP requests", {f'{{handler="{path}"}}': n for path, n in asked.items()}),
        (
            "p2p_connections",
            "gauge",
            "open connections between nodes",
            {'{direction="out"}': figures.out, '{direction="in"}': figures.incoming},
        ),
        ("failed_p2p_connections", "counter", "connections that could not be made", {"": 0}),
        ("dropped_trxs_total", "counter", "transactions dropped by the net plugin", {"": 0}),
        (
            "cpu_usage_us_total",
            "counter",
            "processor time billed in blocks, in microseconds",
            {'{block_type="produced"}': made * 150, '{block_type="incoming"}': got * 150},
        ),
        (
            "net_usage_us_total",
            "counter",
            "network use billed in blocks",
            {'{block_type="produced"}': made * 40, '{block_type="incoming"}': got * 40},
        ),
        ("last_irreversible", "gauge", "last irreversible block", {"": figures.irreversible}),
        ("head_block_num", "gauge", "head block", {"": figures.head}),
        ("unapplied_transactions_total", "counter", "unapplied transactions of blocks produced", {"": 0}),
        ("blacklisted_transactions_total", "counter", "blacklisted transactions of blocks produced", {"": 0}),
        ("subjective_bill_account_size_total", "counter", "accounts billed subjectively", {"": 0}),
        ("scheduled_trxs_total", "counter", "scheduled transactions of blocks produced", {"": 0}),
        ("trxs_produced_total", "counter", "transactions produced", {"": made // 3}),
        ("blocks_produced", "counter", "blocks produced", {"": made}),
        ("trxs_incoming_total", "counter", "transactions received", {"": got // 3}),
        ("blocks_incoming", "counter", "blocks received", {"": got}),
        ("exposer_transferred_bytes_total", "counter", "bytes of this page served", {"": figures.scraped}),
        ("exposer_scrapes_total", "counter", "times that this page was served", {"": figures.scrapes}),
    ]
    return "".join(
        f"# HELP nodeos_{name} {text}\n# TYPE nodeos_{name} {kind}\n"
        + "".join(f"nodeos_{name}{labels} {value}\n" for labels, value in samples.items())
        for name, kind, text, samples in families
    )
