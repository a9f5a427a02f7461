"""What goes wrong with monitoring itself is told as well, live: each of it with a collector of its own, all at once."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from alerts.chosen import by_default, scoped
from alerts.rulefile import rules
from collector.configuration import read_configuration
from compose.simulated import SimulatedCluster
from tests.alerts.live.monitoring import HEARD_AT_ONCE, Pace, alertmanager, judging, watching
from tests.alerts.live.table import told_table, written
from tests.alerts.live.webhook import Key, webhook
from tests.command.surroundings import Background
from tests.real.databases import influxdb
from tests.real.servers import Process, answers, free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

PACE = Pace(scrape=2.0, evaluation=2.0)

FAILING = 130.0
"""Seconds for which an output fails before it is told: the alert looks at two minutes anyway."""

WELL = 45.0
"""Seconds in health before anything happens."""

LONGEST = 330.0
"""Seconds within which all of it is told, and later resolved: two minutes of each are the alerts' own patience."""

DROPPED, UNREADABLE = "ReadingsDropped", "DiscoveryFailing"
LASTING = {DROPPED, UNREADABLE}
"""Alerts on what happened within ten minutes, which nobody waits for here."""


class Monitored:
    """A chain of three sealers and two clients, and a collector of its own that watches it, in a folder."""

    def __init__(self, name: str, tmp_path: Path, surroundings: Background, settings: Mapping[str, Any]) -> None:
        self.folder = tmp_path / name
        self.folder.mkdir()
        self.file = self.folder / "chainwatch.yaml"
        self.servers = self.folder / "servers.yaml"
        self.address = f"127.0.0.1:{free_port()}"
        self._surroundings = surroundings
        self._cluster = SimulatedCluster(newer=0, producers=0, workers=0, ethereum_chain=name)
        self._settings = {
            "agent": {"state_dir": "state"},
            "chains": [{"name": name, "kind": "ethereum", "servers": [{"file": str(self.servers)}]}],
            "outputs": {"prometheus": {"listen": self.address}, **settings.get("outputs", {})},
            "alerts": settings.get("alerts", {}),
        }
        self._settings["chains"][0] |= settings.get("chain", {})
        self._process: Process

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Run the chain and the collector."""
        self._surroundings.run(self._cluster.__aenter__())
        nodes = self._cluster.nodes.values()
        self.servers.write_text(json.dumps([{"name": n.name, "url": n.url, "role": n.role} for n in nodes]))
        try:
            with watching(self.folder, self._settings) as self._process:
                yield
        finally:
            self._surroundings.run(self._cluster.__aexit__(None, None, None))

    def kill(self) -> None:
        """Kill the collector."""
        self._process.signal(signal.SIGKILL)

    def start(self) -> None:
        """Start it again."""
        self._process.stop()
        self._process.start(lambda: answers(f"http://{self.address}/metrics"))

    def configure(self, text: str) -> None:
        """Change its configuration."""
        self.file.write_text(text)
        self._process.signal(signal.SIGHUP)

    def spoil(self, node: str, fault: str, **parameters: float | str) -> None:
        """Give a node a fault."""
        self._surroundings.run(self._cluster.nodes[node].fault(fault, **parameters))

    def heal(self, node: str) -> None:
        """Take a node's faults away."""
        self._surroundings.run(self._cluster.nodes[node].heal())


class Trouble(NamedTuple):
    """Something that goes wrong, how it is mended, and what is told of it."""

    what: str
    cause: Callable[[], object]
    mend: Callable[[], object]
    alerts: tuple[Key, ...]


class Door:
    """An address that should not answer."""

    def __init__(self) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._listening: socket.socket | None = None

    def open(self) -> None:
        """Accept connections."""
        self._listening = socket.create_server(("127.0.0.1", int(self.address.rpartition(":")[2])))

    def close(self) -> None:
        """Accept none."""
        if self._listening:
            self._listening.close()


def test_trouble_of_monitoring_itself_is_told_and_resolved(tmp_path: Path) -> None:
    with ExitStack() as stack:
        surroundings = Background()
        stack.callback(surroundings.end)
        heard = stack.enter_context(webhook())
        database = stack.enter_context(influxdb(tmp_path))
        history = {"name": "history", "url": database.url, "database": "cw", "create_database": True, "buffer": "1MiB"}
        door = Door()
        stack.callback(door.close)
        settings: dict[str, dict[str, Any]] = {
            "killed": {},
            "stored": {"outputs": {"influxdb": [history]}, "alerts": {"failing": FAILING}, "chain": {"interval": 1}},
            "misconfigured": {},
            "listed": {},
            "served": {"chain": {"timeout": 8, "shielded": [{"name": "gate", "addresses": [door.address]}]}},
        }
        made = [Monitored(name, tmp_path, surroundings, more) for name, more in settings.items()]
        killed, stored, misconfigured, listed, served = made
        for each in made:
            stack.enter_context(each.watched())
        (tmp_path / "rules.yaml").write_text(rules(scoped(read_configuration(stored.file))))
        telling = stack.enter_context(alertmanager(tmp_path / "alertmanager", heard.url))
        addresses = [each.address for each in made]
        stack.enter_context(
            judging(tmp_path / "prometheus", addresses, tmp_path / "rules.yaml", telling, PACE, resend=10)
        )
        wait_for(lambda: heard.told, "the watchdog is heard", within=60)
        time.sleep(WELL)
        assert heard.firing() == set()

        right, servers = misconfigured.file.read_text(), listed.servers.read_text()
        troubles = (
            Trouble("The collector is killed.", killed.kill, killed.start, (Key("CollectorDown", "", killed.address),)),
            Trouble(
                "InfluxDB is away.",
                database.stop,
                database.start,
                tuple(Key(name, "", "history") for name in ("OutputFailing", "OutputBufferFilling", DROPPED)),
            ),
            Trouble(
                "The configuration is spoilt, and read again.",
                lambda: misconfigured.configure("chains: none\n"),
                lambda: misconfigured.configure(right),
                (Key("ConfigurationInvalid", "", ""),),
            ),
            Trouble(
                "The list of servers cannot be read.",
                lambda: listed.servers.write_text("- nothing: of use\n"),
                lambda: listed.servers.write_text(servers),
                (Key(UNREADABLE, "listed", ""),),
            ),
            Trouble(
                "A node accepts connections and never answers.",
                lambda: served.spoil("client-1", "hang"),
                lambda: served.heal("client-1"),
                (Key("NodeDown", "served", "client-1"),),
            ),
            Trouble(
                "A node answers late.",
                lambda: served.spoil("client-2", "some", every=1, delay=10_000, seconds=4.5),
                lambda: served.heal("client-2"),
                (Key("NodeSlow", "served", "client-2"),),
            ),
            Trouble(
                "A shielded port is open.",
                door.open,
                door.close,
                (Key("ShieldedPortOpen", "served", f"gate {door.address}"),),
            ),
        )
        expected = {alert for trouble in troubles for alert in trouble.alerts}
        began = time.time()
        for trouble in troubles:
            trouble.cause()
        heard.wait(lambda: heard.firing() >= expected, "all of it is told", LONGEST)
        assert heard.firing() == expected
        mended = time.time()
        for trouble in troubles:
            trouble.mend()
        heard.wait(lambda: {key.alert for key in heard.firing()} <= LASTING, "all of it is resolved", LONGEST)
        assert {told.key for told in heard.told if told.name != "Watchdog"} == expected
        alerts = [(trouble.what, key) for trouble in troubles for key in trouble.alerts]
        written("alerts-pipeline", told_table(heard.told, alerts, began, mended))


def test_the_watchdog_comes_no_more_when_prometheus_dies(tmp_path: Path) -> None:
    """It is told again and again until then, and afterwards no more: whoever waits for it has to raise the alarm."""
    (tmp_path / "rules.yaml").write_text(rules(each for each in by_default() if each.alert.name == "Watchdog"))
    with (
        webhook() as heard,
        alertmanager(tmp_path / "alertmanager", heard.url, {**HEARD_AT_ONCE, "repeat_interval": "1s"}) as telling,
        judging(tmp_path / "prometheus", [], tmp_path / "rules.yaml", telling, PACE, resend=3.0) as (_, prometheus),
    ):
        wait_for(lambda: heard.calls > 5, "the watchdog is heard again and again", within=30)
        prometheus.signal(signal.SIGKILL)
        killed = time.time()
        wait_for(lambda: not heard.told[-1].firing, "it is over", within=40)
        calls = heard.calls
        time.sleep(5)
        assert heard.calls == calls
        assert heard.told[-1].at - killed < 4 * 3 + 10
