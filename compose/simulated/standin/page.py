"""The page of Leap 4's prometheus_plugin, on its own listener: bare names, no help."""

from __future__ import annotations

import time

from .api import NOT_FOUND
from .chain import Chain
from .peers import Peers
from .producing import Producing
from .web import Answer, Asked

PATH = "/v1/prometheus/metrics"
WITHOUT_PEERS = 30.0
"""Seconds after its start during which the page lacks the figures of peers."""


class Page:
    """Answers scrapes."""

    def __init__(self, chain: Chain, peers: Peers, producing: Producing) -> None:
        self._chain = chain
        self._peers = peers
        self._producing = producing
        self._began = time.monotonic()
        self._scrapes = 0
        self._bytes = 0

    def answer(self, asked: Asked) -> Answer:
        """Answer the one path there is."""
        if asked.path != PATH:
            return NOT_FOUND
        dialled, incoming = self._peers.counts()
        peers = time.monotonic() - self._began >= WITHOUT_PEERS
        samples = [
            ("exposer_transferred_bytes_total", "counter", self._bytes),
            ("exposer_scrapes_total", "counter", self._scrapes),
            *([("dropped_trxs", "counter", 0)] if peers else []),
            ("blocks_produced", "counter", self._producing.made),
            ("trxs_produced", "counter", 0),
            ("num_calls", "gauge", 0),
            *([("num_peers", "gauge", dialled), ("num_clients", "gauge", incoming)] if peers else []),
            ("unapplied_transactions", "gauge", 0),
            ("blacklisted_transactions", "gauge", 0),
            ("last_irreversible", "gauge", self._chain.root.number),
            ("head_block_num", "gauge", self._chain.head.number),
            ("subjective_bill_account_size", "gauge", 0),
            ("scheduled_trxs", "gauge", 0),
        ]
        body = "".join(f"# TYPE {name} {kind}\n{name} {value}\n" for name, kind, value in samples).encode()
        self._scrapes += 1
        self._bytes += len(body)
        return Answer(body, kind="text/plain")
