"""The Ethereum board of a real geth: what is drawn of its own metrics is there under the names that it has."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dashboards.drawing.asking import Prometheus
from dashboards.drawing.variables import Span
from tests.dashboards.live.expected import Key
from tests.dashboards.live.looking import BOARDS, empty
from tests.real.collecting import collector
from tests.real.servers import prometheus, wait_for

if TYPE_CHECKING:
    from tests.real.geth import Network

pytestmark = pytest.mark.real

METRICS = ["chain", "db", "eth", "p2p", "rpc", "state", "system", "trie", "txpool"]

MISSING = {
    "ethstats_": "the nodes do not push",
    "arrival_delay": "the nodes do not push",
    "chain_health_finding": "nothing is wrong",
    "gather_errors": "nothing is wrong",
    "geth_system_memory_inuse_overall": "geth 1.8 alone has it",
}
"""What a query without an answer names, and why it has none."""


def test_every_query_of_the_ethereum_board_yields_something(network: Network, tmp_path: Path) -> None:
    chain = {**network.as_configured(), "metrics": METRICS}
    with collector(tmp_path, chain) as running, prometheus(tmp_path, {"chainwatch": running.address}) as server:
        began = time.time()

        def left() -> dict[Key, str]:
            now = time.time()
            if now - began < 12:  # Prometheus begins to scrape after five seconds, and a rate needs some scrapes
                return {("", "", ""): "too early"}
            found = empty(BOARDS["chainwatch-ethereum"], Prometheus(server.url), Span(began, now, 1, 1))
            return {key: text for key, text in found.items() if not any(name in text for name in MISSING)}

        wait_for(lambda: not left(), "every panel is filled", within=60, every=1)
