"""A real Traefik with the cluster's own configuration: who is behind leaves, who dies leaves, and nobody notices."""

from __future__ import annotations

import asyncio
import http.client
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml

from compose.rendering.ethereum.traefik import LARGEST_REQUEST, dynamic_configuration
from compose.simulated import AnyNode
from tests.command.processes import Settings, collector, free_address, page_at, scraped, seen, settings
from tests.command.surroundings import Cluster, background
from tests.helpers import run
from tests.real.balancing import ASK, Traefik, balancer, dynamic
from tests.real.geth import Network, geth
from tests.real.servers import answers, fetch, free_port, process, wait_for

pytestmark = pytest.mark.real

CHECKED = 3.5
"""Seconds within which Traefik's health check has seen a death: every two seconds, with one of patience."""


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[Cluster]:
    """Run three simulated geth nodes, and others."""
    with background() as loop:
        cluster = Cluster(loop)
        cluster.open()
        yield cluster
        cluster.end()


@pytest.fixture
def geths(running_cluster: Cluster) -> Iterator[list[AnyNode]]:
    """Return the geth nodes without any fault."""
    nodes = [node for node in running_cluster.nodes if node.kind == "ethereum"]
    yield nodes
    for node in nodes:
        running_cluster.heal(node.name)


def address(node: AnyNode) -> str:
    """Return a node's host and port, which is its name where the configuration gives it none."""
    return node.url.removeprefix("http://").rstrip("/")


def watching(tmp_path: Path, nodes: Sequence[AnyNode], page: str, to: Path) -> Settings:
    """Return the configuration of a collector that keeps a rotation."""
    (tmp_path / "clients.yaml").write_text(yaml.safe_dump(dynamic([address(node) for node in nodes])))
    rotation = {"from": "clients.yaml", "to": str(to), "behind": 3}
    configured = settings(nodes, {**page_at(page), "traefik": rotation})
    for server in configured["chains"][0]["servers"]:
        del server["name"]
    return configured


def asked(balancing: Traefik, nodes: Sequence[AnyNode], times: int = 12) -> dict[str, int]:
    """Send requests through the load balancer, and return which nodes had any of them, and how many."""
    before = {node.name: node.requests.counts["test_one"] for node in nodes}
    for _ in range(times):
        assert balancing.ask(ASK.replace(b"eth_blockNumber", b"test_one")).status == 200
    counts = {node.name: node.requests.counts["test_one"] - before[node.name] for node in nodes}
    return {name: count for name, count in counts.items() if count}


@pytest.mark.slow
def test_a_node_that_falls_behind_leaves_and_returns(
    tmp_path: Path, running_cluster: Cluster, geths: list[AnyNode]
) -> None:
    everyone, others = {node.name for node in geths}, {node.name for node in geths[:-1]}
    late = geths[-1]
    page = free_address()
    with balancer(tmp_path) as balancing:
        configured = watching(tmp_path, geths, page, balancing.file)

        def served() -> set[str]:
            return set(asked(balancing, geths))

        with collector(tmp_path, configured) as watched:
            wait_for(lambda: balancing.ask().status == 200, "Traefik has read the file", 5)
            wait_for(lambda: served() == everyone, "all nodes are asked", 5)
            running_cluster.fault(late.name, "lag", blocks=2)
            time.sleep(1.5)
            assert served() == everyone, "two blocks are not three"
            running_cluster.fault(late.name, "lag", blocks=5)
            wait_for(lambda: served() == others, "the late one is asked no more", 5)

            def told() -> float:
                return scraped(page).value("chainwatch_node_in_rotation", node=address(late))

            wait_for(lambda: told() == 0, "it is told to be out", 5)  # the collector's own metrics have their own ticks
            assert watched.stderr.count("left out of Traefik's rotation") == 1
            assert watched.stop() == 0
        time.sleep(1)
        assert served() == others, "the rotation outlives the collector"

        with collector(tmp_path, configured):
            seen(page, "chainwatch_node_in_rotation", node=address(geths[0]))
            for _ in range(5):
                assert served() == others, "nor does it let anybody in who is still behind"
                time.sleep(0.2)
            running_cluster.heal(late.name)
            wait_for(lambda: served() == everyone, "it is back", 5)
            seen(page, "chainwatch_node_in_rotation", node=address(late))
            assert scraped(page).values("chainwatch_output_errors_total", output="traefik") == []
        assert balancing.complaints() == []


@pytest.mark.slow
def test_a_file_that_cannot_be_written_disturbs_nobody(tmp_path: Path, geths: list[AnyNode]) -> None:
    page = free_address()
    to = tmp_path / "gone" / "clients.yaml"
    with collector(tmp_path, watching(tmp_path, geths, page, to)) as watched:
        seen(page, "chainwatch_output_errors_total", 3, output="traefik")
        assert [sum(scraped(page).values("chain_node_up"))] == [3]
        assert watched.stderr.count("cannot be written: No such file or directory") == 1
        to.parent.mkdir()
        wait_for(to.exists, "it is written after all", 5)
        watched.said("written again")


@pytest.mark.slow
def test_two_hundred_rewrites_and_not_one_half_read(tmp_path: Path, geths: list[AnyNode]) -> None:
    all_of_them = [address(node) for node in geths]
    both = dynamic(all_of_them), dynamic(all_of_them[:1])
    with balancer(tmp_path, both[0]) as balancing:
        wait_for(lambda: balancing.ask().status == 200, "it routes", 5)
        for number in range(200):
            balancing.write(both[number % 2])
            if number % 10 == 0:
                assert balancing.ask().status == 200
            time.sleep(0.01)
        wait_for(lambda: set(asked(balancing, geths)) == {geths[0].name}, "it has read the last", 5)
        assert balancing.complaints() == []
    assert [path.name for path in balancing.file.parent.iterdir()] == ["clients.yaml"]


def test_what_the_cluster_starts_it_with(tmp_path: Path) -> None:
    """It takes every key, says that it lives, offers metrics, and no dashboard."""
    everything = dynamic_configuration(["client-1", "client-2"], ethstats="ethstats:3000")
    with balancer(tmp_path, everything) as balancing:
        internal = balancing.url("internal")
        page = wait_for(
            lambda: text if "client-ws@file" in (text := fetch(f"{internal}/metrics").text) else "",
            "it knows the services",
        )
        assert "traefik_config_last_reload_success" in page
        for path in ("/", "/api/overview", "/dashboard/"):
            assert fetch(internal + path).status == 404
        done = subprocess.run(
            [balancing.process.argv[0], "healthcheck", f"--configFile={balancing.config}"],
            capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert balancing.complaints() == []
        balancing.write(dynamic_configuration([]))
        wait_for(lambda: balancing.ask().status == 404, "it routes nothing", 5)
        assert balancing.complaints() == []
        # A Traefik that takes its time to end would be killed, with every request that is under way.
        assert balancing.process.stop(within=8) == 0


class Seen(NamedTuple):
    """A request as a server had it."""

    host: str
    size: int


class Server:
    """A server that reads a request whole and then answers, or ends the connection without a word."""

    def __init__(self, answering: bool) -> None:
        server = self
        self.seen: list[Seen] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                size = len(self.rfile.read(int(self.headers["Content-Length"])))
                server.seen.append(Seen(self.headers["Host"], size))
                if answering:
                    self.send_response(200)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")
                else:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05])
        self._thread.start()

    def end(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def served(*servers: Server) -> Iterator[None]:
    """End servers with the block."""
    try:
        yield
    finally:
        for server in servers:
            server.end()


def unchecked(*addresses: str) -> dict[str, Any]:
    """Return a configuration whose servers nobody asks for their health."""
    configuration = dynamic(addresses)
    del configuration["http"]["services"]["client-http"]["loadBalancer"]["healthCheck"]
    return configuration


def announced(balancing: Traefik, size: int) -> int:
    """Return the status with which a request is answered that says how large it is, before it is sent."""
    connection = http.client.HTTPConnection(urlsplit(balancing.url()).netloc, timeout=5)
    with closing(connection):
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        return connection.getresponse().status


def test_a_request_that_a_server_refuses_goes_to_another_with_its_body(tmp_path: Path) -> None:
    server = Server(answering=True)
    nobody = f"127.0.0.1:{free_port()}"
    with served(server), balancer(tmp_path, unchecked(nobody, server.address)) as balancing:
        wait_for(lambda: balancing.ask().status == 200, "it routes", 5)
        server.seen.clear()
        for size in (10, 1_000_000, LARGEST_REQUEST) * 4:
            assert balancing.ask(b"x" * size, {"Host": "balancer.example:8500"}).status == 200
        assert server.seen == [Seen(server.address, size) for size in (10, 1_000_000, LARGEST_REQUEST) * 4]
        assert announced(balancing, LARGEST_REQUEST + 1) == 413


def test_a_request_that_a_server_took_is_not_sent_again(tmp_path: Path) -> None:
    """It may be a transaction: whoever sent it is told, and knows best."""
    silent = Server(answering=False), Server(answering=False)
    with served(*silent), balancer(tmp_path, unchecked(*(server.address for server in silent))) as balancing:
        wait_for(lambda: balancing.ask().status == 502, "it routes", 5)
        for server in silent:
            server.seen.clear()
        assert [balancing.ask().status for _ in range(10)] == [502] * 10
        assert sum(len(server.seen) for server in silent) == 10


class Stream:
    """Requests without end through a load balancer, a few at a time."""

    def __init__(self, url: str, at_a_time: int) -> None:
        self._url = url
        self._at_a_time = at_a_time
        self.asked = 0
        self.failures: list[tuple[float, str]] = []
        """When each began that failed, by the monotonic clock, and how."""

    async def run(self, seconds: float) -> None:
        """Ask for so many seconds."""
        end = time.monotonic() + seconds
        timeout = aiohttp.ClientTimeout(5)
        headers = {"Content-Type": "application/json"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            await asyncio.gather(*(self._ask(session, end) for _ in range(self._at_a_time)))

    async def _ask(self, session: aiohttp.ClientSession, end: float) -> None:
        while (began := time.monotonic()) < end:
            self.asked += 1
            try:
                async with session.post(self._url, data=ASK) as answer:
                    text = await answer.text()
                    if answer.status != 200 or '"result":"0x' not in text:
                        self.failures.append((began, f"{answer.status} {text}"))
            except (aiohttp.ClientError, TimeoutError) as error:
                self.failures.append((began, repr(error)))
            await asyncio.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_a_node_that_dies_costs_no_more_than_what_it_was_answering(
    network: Network, tmp_path: Path, signal_number: signal.Signals
) -> None:
    at_a_time = 8
    with balancer(tmp_path, dynamic([f"127.0.0.1:{node.port}" for node in network.nodes])) as balancing:
        wait_for(lambda: balancing.ask().status == 200, "it routes", 5)
        stream = Stream(balancing.url(), at_a_time)

        async def check() -> float:
            streaming = asyncio.create_task(stream.run(8))
            await asyncio.sleep(2)
            died = time.monotonic()
            network.client.process.signal(signal_number)
            await streaming
            return died

        try:
            died = run(check())
        finally:
            network.client.stop()
            network.restore(network.client)
        assert stream.asked > 1_000
        late = [how for when, how in stream.failures if when > died + CHECKED]
        print(f"{stream.asked} requests, {len(stream.failures)} failed: {stream.failures}")  # noqa: T201 - a figure
        assert late == []
        assert len(stream.failures) <= at_a_time, "each of them asked the dying one at most once"


@pytest.mark.slow
def test_a_node_that_hangs_leaves(network: Network, tmp_path: Path) -> None:
    """It accepts connections and says nothing: within three seconds nobody is sent there any more."""
    with balancer(tmp_path, dynamic([f"127.0.0.1:{node.port}" for node in network.nodes])) as balancing:
        wait_for(lambda: balancing.ask().status == 200, "it routes", 5)
        network.client.process.signal(signal.SIGSTOP)
        try:
            time.sleep(CHECKED)
            assert [balancing.ask().status for _ in range(20)] == [200] * 20
        finally:
            network.client.process.signal(signal.SIGCONT)
        wait_for(lambda: _node_of(balancing, network) == {node.name for node in network.nodes}, "it is back", 10)


def _node_of(balancing: Traefik, network: Network) -> set[str]:
    """Return who answers, told apart by what only one of them is."""
    ask = ASK.replace(b"eth_blockNumber", b"admin_nodeInfo")
    ids = {node.ask("admin_nodeInfo")["id"]: node.name for node in network.nodes}
    return {ids[balancing.ask(ask).json()["result"]["id"]] for _ in range(6)}


class DevelopersGeth(NamedTuple):
    """A geth on its own with both ports open, which answers to the name client-1."""

    http: str
    ws: str


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevelopersGeth]:
    """Run a geth."""
    folder = tmp_path_factory.mktemp("alone")
    http, ws = free_port(), free_port()
    argv = [geth(), "--dev", "--datadir", folder / "data", "--ipcdisable", "--nodiscover", "--port", free_port()]
    argv += ["--authrpc.port", free_port(), "--http", "--http.port", http, "--http.vhosts", "client-1"]
    argv += ["--ws", "--ws.port", ws]
    with process([str(part) for part in argv], ready=lambda: answers(f"http://127.0.0.1:{http}"), log=folder / "log"):
        yield DevelopersGeth(f"127.0.0.1:{http}", f"127.0.0.1:{ws}")


def test_geth_answers_a_health_check_and_to_its_own_name_alone(alone: DevelopersGeth) -> None:
    """What the dynamic configuration relies on."""
    statuses = {
        host: (fetch(f"http://{alone.http}/", headers=named).status, fetch(f"http://{alone.http}/", ASK, typed).status)
        for host in ("client-1:8545", alone.http, "balancer.example")
        for named in [{"Host": host}]
        for typed in [{"Content-Type": "application/json", **named}]
    }
    assert statuses == {"client-1:8545": (200, 200), alone.http: (200, 200), "balancer.example": (403, 403)}
    assert fetch(f"http://{alone.ws}/").status == 404


def test_through_the_balancer_geth_answers_under_any_name(tmp_path: Path, alone: DevelopersGeth) -> None:
    with balancer(tmp_path, dynamic([alone.http])) as balancing:
        wait_for(lambda: balancing.ask().status == 200, "it routes", 5)
        for host in ("balancer.example:8500", "client-1", "192.0.2.1"):
            assert balancing.ask(headers={"Host": host}).json()["result"].startswith("0x")
        assert balancing.ask(headers={"Content-Type": "text/plain"}).status == 415, "geth's own word comes through"


def test_websockets(tmp_path: Path, alone: DevelopersGeth) -> None:
    """They work, geth decides which origins it takes, and one that is open outlives a change of the rotation."""
    subscribe = ASK.replace(b"eth_blockNumber", b"eth_subscribe").replace(b"[]", b'["newHeads"]').decode()
    nobody = f"127.0.0.1:{free_port()}"
    with balancer(tmp_path, dynamic([alone.http], [nobody, alone.ws])) as balancing:
        url = balancing.url("client-ws")

        async def check() -> None:
            async with aiohttp.ClientSession() as session:

                async def opened(**headers: str) -> aiohttp.ClientWebSocketResponse:
                    return await session.ws_connect(url, headers=headers)

                async with asyncio.timeout(5):
                    while True:
                        with suppress(aiohttp.WSServerHandshakeError):
                            first = await opened()
                            break
                        await asyncio.sleep(0.1)
                for headers in ({"Host": "balancer.example"}, {"Origin": "http://localhost:3000"}, {}) * 2:
                    async with await opened(**headers) as socket:
                        await socket.send_str(subscribe)
                        assert '"result":"0x' in (await socket.receive(5)).data
                for origin in ("http://evil.example", "null"):
                    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                        await opened(Origin=origin)
                    assert refused.value.status == 403
                await asyncio.to_thread(balancing.write, dynamic([alone.http], [nobody]))
                async with asyncio.timeout(5):
                    while True:
                        try:
                            await (await opened()).close()
                        except aiohttp.WSServerHandshakeError:
                            break
                        await asyncio.sleep(0.1)
                await first.send_str(subscribe)
                assert '"result":"0x' in (await first.receive(5)).data
                await first.close()

        run(check())
        assert balancing.complaints() == []


def test_the_health_of_a_node_that_offers_websockets_alone(tmp_path: Path, alone: DevelopersGeth) -> None:
    configuration = dynamic_configuration(["any"], http_port=None)
    service = configuration["http"]["services"]["client-ws"]["loadBalancer"]
    del service["healthCheck"]["port"]
    service["servers"] = [{"url": f"http://{alone.ws}"}]
    with balancer(tmp_path, configuration) as balancing:
        # A server is taken for healthy until it was asked, and 503 is what comes without any.
        wait_for(lambda: fetch(balancing.url("client-ws")).text == fetch(f"http://{alone.ws}").text, "it routes", 5)
        time.sleep(CHECKED)
        assert fetch(balancing.url("client-ws")).status == 404, "geth's own"
        assert "Health check failed" not in balancing.process.said()
