"""Health on real geth: a sealer is killed, and a network is parted and joined again. Both are told, and cleared.

Three sealers live in network namespaces: two on the left of a cable, one on its right. The collector sees them all by
other cables, so that it is the sealers alone who lose each other. A Prometheus with the alerts' rules and an
Alertmanager are beside it: whoever is to be told is told as well. That it is over is told sooner
than by default.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from eth_account import Account

from alerts.chosen import by_default
from alerts.rulefile import rules
from tests.alerts.live.monitoring import Pace, alertmanager, hastened, judging
from tests.alerts.live.table import told_table, written
from tests.alerts.live.webhook import Key, Webhook, webhook
from tests.real.collecting import Collector, collector
from tests.real.geth import PERIOD, Network, Node, geth, prepare
from tests.real.namespaces import Namespace, address, cable, namespaces
from tests.real.servers import fetch, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

LEFT, RIGHT = "10.79.0.1", "10.79.0.2"
SEEN_LEFT, SEEN_RIGHT = "10.80.1.1", "10.80.2.1"
INTERVAL = 1.0
WATCHDOG = Key("Watchdog", "", "")
ROUND = 9 * (PERIOD + 1.0)
"""Seconds within which a signer of three that has gone is missed: nine blocks, some of them out of turn."""


@dataclass
class Parted:
    """A network on both sides of a cable, and the collector that sees all of it."""

    network: Network
    right: Node
    sides: tuple[Namespace, Namespace]
    watcher: Namespace
    collector: Collector
    heard: Webhook

    def state(self) -> dict[str, Any]:
        """Return what the collector says of the chain."""
        with self.watcher.entered():
            (chain,) = fetch(self.collector.url.replace("/metrics", "/api/state")).json()["chains"]
        return dict(chain)

    def found(self) -> set[tuple[str, str]]:
        """Return the signals that have moved, with their subjects."""
        return {(finding["signal"], finding["subject"]) for finding in self.state()["findings"]}

    def metric(self, name: str) -> list[float]:
        """Return the values of all series of this name."""
        with self.watcher.entered():
            return self.collector.page().values(name)

    def head(self, node: Node) -> tuple[int, str]:
        """Return the number and the hash of a node's head."""
        with self.watcher.entered():
            block = node.ask("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), block["hash"]

    def until_right_is_next(self) -> None:
        """Wait until it is the turn of the sealer on the right: alone it makes a block only if the last was not its.

        Of moments that come round with the blocks, such as those after a recovery, the same turn may be met each time.
        """
        assert self.right.account
        signers = sorted(str(node.account.address).lower() for node in self.network.sealers if node.account)
        place = signers.index(str(self.right.account.address).lower())
        wait_for(
            lambda: (self.head(self.right)[0] + 1) % len(signers) == place, "it is the turn of the right", within=60
        )

    def connect(self, *, plugged: bool) -> None:
        """Plug the cable between the sides in, or pull it."""
        # On the right, where one node is alone: by a device that is down a machine does not reach itself either.
        self.sides[1].run("ip", "link", "set", "p2p", "up" if plugged else "down")
        with self.watcher.entered():
            for node in self.network.sealers[:2]:
                enode = self.right.ask("admin_nodeInfo")["enode"]
                # What was connected is given up at once, and dialled again at once: geth itself takes half a minute.
                node.ask("admin_removePeer", enode)
                if plugged:
                    node.ask("admin_addPeer", enode)

    def until_found(self, *signals: tuple[str, str], within: float) -> float:
        """Wait until these signals have moved and return how many seconds that took."""
        began = time.monotonic()
        wait_for(lambda: self.found() >= set(signals), f"{signals} are found", within=within)
        return time.monotonic() - began

    def told_since(self, moment: float) -> set[Key]:
        """Return which alerts were told to fire since a moment, in seconds since the epoch."""
        return {told.key for told in self.heard.told if told.firing and told.at >= moment} - {WATCHDOG}

    def until_told(self, *alerts: tuple[str, str], within: float) -> None:
        """Wait until these alerts fire, each with its subject."""
        wanted = {Key(alert, "lab", subject) for alert, subject in alerts}
        self.heard.wait(lambda: self.heard.firing() >= wanted, f"{alerts} are told", within)

    def note(self, name: str, what: str, alerts: Iterable[tuple[str, str]], began: float, mended: float) -> None:
        """Keep how long these alerts took."""
        named = [(what, Key(alert, "lab", subject)) for alert, subject in alerts]
        written(f"alerts-geth-{name}", told_table(self.heard.told, named, began, mended))

    def until_resolved(self, within: float) -> None:
        """Wait until no alert fires but of what happened once."""
        self.heard.wait(
            lambda: {key.alert for key in self.heard.firing()} <= {"NodeReorganised"}, "all is resolved", within
        )

    def until_well(self, within: float) -> None:
        """Wait until nothing is found."""
        wait_for(
            lambda: not self.found() - {("reorganised", node.name) for node in self.network.nodes},
            "all is well",
            within=within,
        )


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parted]:
    binary, tmp_path = geth(), tmp_path_factory.mktemp("parted")
    accounts = [Account.create() for _ in range(3)]
    names = ("sealer-1", "sealer-2", "sealer-3")
    prepare(binary, tmp_path, names, accounts)
    with ExitStack() as stack:
        left, right, watcher = stack.enter_context(namespaces("left", "right", "watcher"))
        cable(left, "p2p", right, "p2p")
        address(left, "p2p", f"{LEFT}/24")
        address(right, "p2p", f"{RIGHT}/24")
        for side, seen, of in ((left, SEEN_LEFT, "left"), (right, SEEN_RIGHT, "right")):
            cable(side, "rpc", watcher, of)
            address(side, "rpc", f"{seen}/24")
            address(watcher, of, f"{seen[:-1]}2/24")
        nodes = []
        for name, account in zip(names, accounts, strict=True):
            side, seen, known = (right, SEEN_RIGHT, RIGHT) if name == "sealer-3" else (left, SEEN_LEFT, LEFT)
            node = Node(binary, tmp_path / name, name, account, host=seen, known_as=known)
            stack.callback(node.close)
            with side.entered():
                node.start()
            nodes.append(node)
        network = Network(nodes[:2], nodes[2])
        with watcher.entered():
            for node in nodes:
                network.connect(node)
            for node in nodes:
                wait_for(partial(node.has_reached, 3), f"{node.name} follows the chain", within=60)
            chain = network.as_configured() | {"block_period": 0, "metrics": []}
            watching = stack.enter_context(collector(tmp_path, chain, INTERVAL, 0.9))
            heard = stack.enter_context(webhook())
            rulefile = tmp_path / "rules.yaml"
            rulefile.write_text(rules(hastened(by_default())))
            telling = stack.enter_context(alertmanager(tmp_path / "alertmanager", heard.url))
            pace = Pace(scrape=1.0, evaluation=1.0)
            stack.enter_context(judging(tmp_path / "prometheus", [watching.address], rulefile, telling, pace, resend=5))
        network = Network(nodes, nodes[2])
        running = Parted(network, nodes[2], (left, right), watcher, watching, heard)
        wait_for(lambda: (running.state()["making"] or {}).get("active") == 3, "three signers are seen", within=60)
        wait_for(lambda: heard.told, "the watchdog is heard", within=60)
        yield running
        with watcher.entered():
            pass


def test_three_sealers_are_well(parted: Parted) -> None:
    parted.until_well(within=ROUND)
    state = parted.state()
    making = state["making"]
    assert (making["kind"], making["scheduled"], making["active"], making["needed"], making["margin"]) == (
        "clique", 3, 3, 2, 1,
    )  # fmt: skip
    signers = {str(node.account.address).lower() for node in parted.network.sealers if node.account}
    assert {maker["name"] for maker in making["makers"]} == signers
    assert state["period"] == PERIOD
    assert all(node["peers"] == 2 and node["foreign"] is False for node in state["nodes"])
    assert state["peers"]["complete"]
    assert len(state["peers"]["edges"]) == 3
    parted.until_resolved(within=60)


def test_a_sealer_that_is_killed_is_missed_and_the_margin_is_told(parted: Parted) -> None:
    killed = parted.network.sealers[1]
    assert killed.account
    signer = str(killed.account.address).lower()
    parted.until_resolved(within=60)
    began = time.time()
    with parted.watcher.entered():
        killed.stop()
    alerts = ("NodeDown", killed.name), ("MakerAbsent", signer), ("QuorumAtRisk", "")
    try:
        signals = ("node_down", killed.name), ("maker_absent", signer), ("quorum", "")
        parted.until_found(*signals, within=3 * ROUND)
        assert parted.state()["making"]["margin"] == 0
        assert parted.found() == set(signals)
        parted.until_told(*alerts, within=60)
        assert parted.told_since(began) == {Key(alert, "lab", subject) for alert, subject in alerts}
    finally:
        restarted = time.time()  # from then until it has peers it seals by itself, a branch of its own
        with parted.sides[0].entered():
            killed.start()
        with parted.watcher.entered():
            others = [node for node in parted.network.sealers if node is not killed]
            for other in others:
                killed.ask("admin_addPeer", other.ask("admin_nodeInfo")["enode"])
    parted.until_well(within=90)
    assert parted.state()["making"]["margin"] == 1
    parted.until_resolved(within=60)
    assert {key.subject for key in parted.told_since(restarted)} <= {"", killed.name}
    parted.note("killed", "A sealer of three is killed.", alerts, began, restarted)


def test_a_network_that_is_parted_is_a_fork_until_it_is_joined(parted: Parted) -> None:
    parted.until_resolved(within=60)
    began = time.time()
    for _ in range(6):
        parted.until_right_is_next()
        parted.connect(plugged=False)
        if _parts(parted):
            break
        parted.connect(plugged=True)
        parted.until_well(within=90)
    else:
        pytest.fail("the right side never sealed a block of its own")
    parted.until_found(("fork", ""), ("forked", "sealer-3"), ("no_peers", "sealer-3"), within=60)
    state = parted.state()
    assert [set(branch["nodes"]) for branch in state["branches"]] == [{"sealer-1", "sealer-2"}, {"sealer-3"}]
    assert state["branches"][1]["depth"] == 1
    assert state["branches"][1]["parted_at"] == parted.head(parted.right)[0] - 1
    parted.until_found(("quorum", ""), within=3 * ROUND)
    assert parted.right.account
    alone = str(parted.right.account.address).lower()
    alerts = {
        ("ChainForked", ""),
        ("NodeForked", "sealer-3"),
        ("NodeWithoutPeers", "sealer-3"),
        ("MakerAbsent", alone),
        ("QuorumAtRisk", ""),
    }
    parted.until_told(*alerts, within=60)

    joined = time.time()
    parted.connect(plugged=True)
    parted.until_well(within=90)
    state = parted.state()
    assert len(state["branches"]) == 1
    assert state["making"]["margin"] == 1
    right = next(node for node in state["nodes"] if node["node"] == "sealer-3")
    assert right["reorganisations"] >= 1
    parted.until_resolved(within=60)
    parted.note("parted", "A sealer of three is cut off.", alerts, began, joined)
    told = parted.told_since(began) - {Key("NodeReorganised", "lab", "sealer-3")}
    assert told == {Key(alert, "lab", subject) for alert, subject in alerts}


def _parts(parted: Parted) -> bool:
    """Tell whether each side goes on from the last common block in its own way."""
    deadline = time.monotonic() + 8 * PERIOD
    left = parted.network.sealers[0]
    while time.monotonic() < deadline:
        number, block = parted.head(parted.right)
        with parted.watcher.entered():
            same = left.ask("eth_getBlockByNumber", hex(number), False)
        if same is not None and same["hash"] != block:
            return True
        time.sleep(0.2)
    return False
