"""A deployed cluster: its containers, and the questions that tests ask of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from compose.rendering.__main__ import default_files
from tests.e2e import images
from tests.e2e.engine import Docker
from tests.e2e.parts import ROOT
from tests.helpers import run
from tests.real.servers import Prometheus, fetch, wait_for

HTTP, WEBSOCKET, STATS = "http://127.0.0.1:8500", "ws://127.0.0.1:8501", "http://127.0.0.1:8502"
PROMETHEUS = "http://127.0.0.1:9090"
"""Where the machine's own ports lead, by default."""


GIVE_AWAY = (
    "admin_nodeInfo",
    "admin_peers",
    "debug_memStats",
    "debug_metrics",
    "debug_setHead",
    "miner_stop",
    "personal_listAccounts",
    "personal_unlockAccount",
)
"""Methods that tell of a node itself, or change it."""


class Refused(Exception):  # noqa: N818 - named for what is told
    """A node or the load balancer did not answer a JSON-RPC request with a result."""


@dataclass(frozen=True)
class Container:
    """A container of the cluster, as `docker inspect` tells of it."""

    service: str
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.about["Name"]).lstrip("/")

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return bool(self.about["State"]["Running"])

    @property
    def health(self) -> str:
        """What its health check says; empty where it has none."""
        return str(self.about["State"].get("Health", {}).get("Status", ""))

    @property
    def ready(self) -> bool:
        """Whether it runs, healthy where it can tell, or has done what it was started for."""
        state = self.about["State"]
        if state["Status"] == "running":
            return self.health in ("", "healthy")
        return bool(state["Status"] == "exited" and state["ExitCode"] == 0)

    @property
    def state(self) -> str:
        """A line of how it is."""
        state = self.about["State"]
        checks = state.get("Health", {}).get("Log") or []
        last = f": {checks[-1]['Output'].strip()[-200:]!r}" if checks and self.health != "healthy" else ""
        ended = "" if self.running else f", status {state['ExitCode']} {state['Error']}"
        return f"{self.service}: {state['Status']}{ended} {self.health}{last}, restarts {self.about['RestartCount']}"


def copy_default(folder: Path) -> None:
    """Copy what the repository holds in compose/, as it is in a fresh clone: no key is made yet."""
    for path in default_files():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "compose" / path, place)


def deploy(folder: Path, options: Mapping[str, object]) -> None:
    """Let the command render these options into the folder."""
    file = folder.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(dict(options)))
    chainwatch("deploy", str(file), "--output", str(folder))


def chainwatch(*arguments: str) -> str:
    """Run the command of the checkout and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "chainwatch", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert not done.returncode, f"chainwatch {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def started(folder: Path) -> dict[str, str]:
    """Return the image of each service that is started: those of a profile are not, nor those without an image here."""
    services = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    return {
        name: service["image"]
        for name, service in services.items()
        if not service.get("profiles") and images.repository(service["image"]) not in images.LEFT_OUT
    }


def containers(docker: Docker) -> dict[str, Container]:
    """Return all containers of docker-compose, by service."""
    ids = docker("ps", "--all", "--quiet", "--filter", "label=com.docker.compose.service").split()
    told = json.loads(docker("inspect", *ids)) if ids else []
    found = [Container(about["Config"]["Labels"]["com.docker.compose.service"], about) for about in told]
    return {container.service: container for container in sorted(found, key=lambda one: one.service)}


def dump(docker: Docker, target: Path) -> str:
    """Write down all that a failure may be explained by, and return the short of it."""
    target.mkdir(parents=True, exist_ok=True)
    short = [docker("ps", "--all", "--format", "table {{.Names}}\t{{.Status}}\t{{.Ports}}", check=False)]
    for service, container in containers(docker).items():
        logs = docker("logs", "--timestamps", "--tail", "2000", container.name, check=False)
        (target / f"{service}.log").write_text(logs)
        (target / f"{service}.json").write_text(json.dumps(container.about, indent=1))
        lines = 3 if container.running and container.health in ("", "healthy") else 20
        short += [f"-- {container.state}", *(f"   {line[:300]}" for line in logs.splitlines()[-lines:])]
    return "\n".join(short)


class Cluster:
    """The cluster that a folder describes."""

    def __init__(self, docker: Docker, folder: Path) -> None:
        self.docker = docker
        self.folder = folder

    def compose(self, *arguments: str, within: float = 300) -> str:
        """Run docker-compose on the cluster."""
        return self.docker.compose(self.folder, "--file", "compose.yaml", "--ansi", "never", *arguments, within=within)

    def up(self) -> None:
        """Start it, and wait until every service is as it should be."""
        self.compose("up", "--detach", "--no-build", *started(self.folder))
        try:
            wait_for(lambda: not self.not_ready(), "every service is as it should be", within=120, every=1)
        except AssertionError as error:
            error.add_note("\n".join(self.not_ready()))
            raise

    def down(self) -> None:
        """End it; the volumes stay."""
        self.compose("down", "--remove-orphans")

    def remove(self) -> None:
        """End it and remove its volumes."""
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "2")

    def not_ready(self) -> list[str]:
        """Return a line for each service that neither runs, healthy where it can tell, nor is done."""
        found = containers(self.docker)
        missing = [f"{name}: no container" for name in started(self.folder) if name not in found]
        return missing + [container.state for container in found.values() if not container.ready]

    def container(self, service: str) -> Container:
        """Return the container of a service."""
        return containers(self.docker)[service]

    def kill(self, service: str) -> None:
        """End a service's container with SIGKILL. Unlike a crash, this keeps Docker from starting it again."""
        self.docker("kill", self.container(service).name)

    def start(self, service: str) -> None:
        """Start a container that was killed."""
        self.docker("start", self.container(service).name)

    def execute(self, service: str, *command: str) -> str:
        """Run a command in a service's container."""
        return self.docker("exec", self.container(service).name, *command)

    def address(self, node: str) -> str:
        """Return the address of a node's account, as JSON-RPC writes it."""
        return (self.folder / "keys" / node / "address").read_text().strip().lower()

    def secrets(self) -> dict[str, str]:
        """Return everything that is to stay secret, by the path of the file that holds it."""
        found = {}
        for file in sorted((self.folder / "keys").rglob("*")):
            if file.is_file() and (file.parent.name == "secrets" or file.name in ("nodekey", "password")):
                found[str(file.relative_to(self.folder))] = file.read_text().strip()
        return found

    def influx(self, query: str) -> list[dict[str, Any]]:
        """Ask InfluxDB, as the user that may do everything, and return the series."""
        secret = (self.folder / "keys" / "secrets" / "influxdb-admin").read_text().strip()
        words = urllib.parse.urlencode({"q": query, "db": "chainwatch"})
        answer = self.docker(
            *("exec", "--interactive", self.container("influxdb").name, "curl", "--silent", "--config", "-"),
            f"http://127.0.0.1:8086/query?{words}",
            said=f'user = "admin:{secret}"',  # on no command line: the cluster keeps it off those, and a test looks
        )
        results: list[dict[str, Any]] = json.loads(answer)["results"]
        assert not any("error" in result for result in results), answer
        return [series for result in results for series in result.get("series", [])]


def rpc(method: str, *params: object, url: str = HTTP, timeout: float = 5) -> Any:  # noqa: ANN401 - JSON is anything
    """Call a method of JSON-RPC over HTTP. Raises Refused where no result comes, OSError where no answer does."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = fetch(url, json.dumps(asked).encode(), {"Content-Type": "application/json"}, timeout)
    if answer.status != 200 or "result" not in (told := answer.json()):
        raise Refused(f"{method}: {answer.status} {answer.text[:300]}")
    return told["result"]


def answered(method: str) -> str | None:
    """Return what a client answers; None while none does."""
    try:
        return str(rpc(method))
    except (Refused, OSError):
        return None


def has_passed(number: int) -> bool:
    """Tell whether there are newer blocks than this one, through the load balancer."""
    found = answered("eth_blockNumber")
    return found is not None and int(found, 16) > number


def sealed_in_turn(cluster: Cluster, *sealers: str) -> bool:
    """Tell whether each of the newest blocks is of the sealer whose turn it was, twice around, and these are all."""
    blocks = [rpc("eth_getBlockByNumber", hex(number), False) for number in _newest(2 * len(sealers))]
    return {block["difficulty"] for block in blocks} == {"0x2"} and sealed_alternately(cluster, *sealers)


def sealed_alternately(cluster: Cluster, *sealers: str) -> bool:
    """Tell whether the newest blocks are of these sealers, one after the other, twice around.

    That may be all there is: of two sealers neither may seal two blocks in a row, so that they seal each other's turns
    for ever if the first block was not sealed in turn.
    """
    around = len(sealers)
    # geth 1.8 has no clique_getSigner.
    newest = _newest(2 * around)
    signers = [rpc("clique_getSnapshot", hex(number))["recents"][str(number)] for number in newest]
    return signers[:around] == signers[around:] and set(signers) == {cluster.address(name) for name in sealers}


def _newest(count: int) -> range:
    """Return the numbers of so many newest blocks; none before there are as many."""
    head = height()
    return range(head - count + 1, head + 1) if head >= count else range(0)


def rpc_by_websocket(method: str, *params: object) -> Any:  # noqa: ANN401 - JSON is anything
    """Call a method of JSON-RPC over a WebSocket of its own."""

    async def ask() -> Any:  # noqa: ANN401 - as above
        async with aiohttp.ClientSession() as session, session.ws_connect(WEBSOCKET, timeout=_CLOSING) as socket:
            await socket.send_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            return (await socket.receive_json(timeout=5))["result"]

    return run(ask())


_CLOSING = aiohttp.ClientWSTimeout(ws_close=2)


def figure(query: str) -> float | None:
    """Return the one figure that Prometheus answers a query with; None if there is none yet."""
    samples = Prometheus(PROMETHEUS).query(query)
    assert len(samples) <= 1, samples
    return samples[0].value if samples else None


def height() -> int:
    """Return the number of the newest block, through the load balancer."""
    return int(rpc("eth_blockNumber"), 16)
