"""A real Traefik before workers of a nodeos network: it lets reads through, and whatever dies, they are answered.

The workers are processes at addresses of loopback, behind a DNS name that a small name server knows; the collector's
own parts find them, ask them, and tell Traefik.
"""

from __future__ import annotations

import asyncio
import http.client
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from collector import configuration as conf
from collector.about import About
from collector.agent import Agent, Chain
from collector.discovery import Discovery
from collector.sources.nodeos import Nodeos
from compose.rendering.eos.traefik import (
    LARGEST_REQUEST,
    MORE_APIS,
    dynamic_configuration,
    http_provider,
    static_configuration,
)
from exporters.traefik import Address, Settings
from exporters.traefik import Traefik as Exporter
from tests.discovery.nameserver import NameServer, name_server
from tests.helpers import run
from tests.real.balancing import Traefik, balancer
from tests.real.servers import Process, answers, fetch, free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.slow]

CHECKED = 2.5
"""Seconds within which Traefik's health check has seen a death, or that somebody is back."""

STUCK_WITHIN = 10.0
"""Seconds that requests may reach a worker that takes no more blocks."""

TASK = "q0vyrgyfnr4pk5s8pjqcw13ac"
"""The id of a task of a swarm, as it stands in the names of addresses."""

READ = "/v1/chain/get_table_rows"
WRITE = "/v1/chain/send_transaction"

FILES = {"file": {"directory": "/etc/traefik/dynamic", "watch": True}}
"""Traefik's provider that watches files, which an operator may have in place of the one that polls a page."""


class Workers:
    """Processes that answer as workers, by slot; each start is at an address of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last = 10
        self.port = free_port()
        self.addresses: dict[int, str] = {}
        self.processes: dict[int, Process] = {}

    def start(self, *slots: int) -> None:
        """Start workers, and wait until they answer."""
        for slot in slots:
            self._last += 1
            address = self.addresses[slot] = f"127.0.0.{self._last}"
            argv = [sys.executable, "-m", "tests.real.worker", address, str(self.port), f"worker-{slot}"]
            process = self.processes[slot] = Process(argv, self._folder / f"worker-{slot}.log")
            process.start(lambda there=address: answers(f"http://{there}:{self.port}/told"))  # type: ignore[misc]

    def kill(self, slot: int) -> None:
        """End a worker at once, with all that it has in hand."""
        self.processes[slot].signal(signal.SIGKILL)
        self.processes[slot].stop()

    def told(self, slot: int) -> Any:  # noqa: ANN401 - JSON
        """Return what a worker was asked."""
        return fetch(f"http://{self.addresses[slot]}:{self.port}/told").json()

    def wait_for_a_death(self) -> None:
        """Wait until one of them has died; its connections end a moment before."""
        processes = self.processes.values()
        wait_for(lambda: [process.running for process in processes].count(False) == 1, "one worker has died")

    def asked(self, path: str) -> int:
        """Return how often those that live were asked for a path."""
        return sum(
            self.told(slot)["counts"].get(path, 0) for slot, process in self.processes.items() if process.running
        )

    def revive(self) -> None:
        """Start those again that have died."""
        for slot, process in self.processes.items():
            if not process.running:
                self.start(slot)

    def end(self) -> None:
        """End all."""
        for process in self.processes.values():
            process.stop()


@contextmanager
def running_workers(folder: Path) -> Iterator[Workers]:
    """Run three workers."""
    workers = Workers(folder)
    try:
        workers.start(1, 2, 3)
        yield workers
    finally:
        workers.end()


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workers, Traefik]]:
    """Run three workers that stay where they are, and a Traefik before them."""
    folder = tmp_path_factory.mktemp("fixed")
    with running_workers(folder) as workers:
        routed = dynamic_configuration(list(workers.addresses.values()), workers.port, MORE_APIS)
        with balancer(folder, routed, static_configuration(FILES)) as balancing:
            wait_for(lambda: ask(balancing, READ) == 200, "it routes", 5)
            yield workers, balancing
            assert [line for line in balancing.complaints() if "request body over limit" not in line] == []


@pytest.fixture
def before(fixed: tuple[Workers, Traefik]) -> tuple[Workers, Traefik]:
    """Return the three, all of them well. One that had died is where it was before."""
    workers, balancing = fixed
    if not all(process.running for process in workers.processes.values()):
        for slot, process in workers.processes.items():
            if not process.running:
                process.stop()
                there = f"http://{workers.addresses[slot]}:{workers.port}/told"
                process.start(lambda url=there: answers(url))  # type: ignore[misc]
        time.sleep(CHECKED)
    return workers, balancing


def ask(balancing: Traefik, target: str, body: bytes | None = None, method: str = "") -> int:
    """Send a request with a target that is written just so, and return the status."""
    connection = http.client.HTTPConnection(balancing.url("api").removeprefix("http://"), timeout=10)
    with closing(connection):
        connection.putrequest(method or ("GET" if body is None else "POST"), target)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def fault(tmp_path: Path, name: str) -> bytes:
    """Return a body that has a fault befall the first worker that gets it."""
    file = tmp_path / name
    file.touch()
    return f"{name} {file}".encode()


@pytest.mark.parametrize(
    "target",
    [
        "/v1/chain/get_info",
        "/v1/chain/abi_json_to_bin",
        "/v1/chain/compute_transaction",
        "/v1/chain/push_transaction",
        "/v1/chain/push_transactions",
        "/v1/chain/send_transaction2",
        "/v1/history/get_actions",
        "/v1/trace_api/get_block",
    ],
)
def test_what_is_let_through(before: tuple[Workers, Traefik], target: str) -> None:
    workers, balancing = before
    asked = workers.asked(target)
    for method in ("GET", "POST"):
        assert ask(balancing, target, b"{}", method) == 200
    assert workers.asked(target) >= asked + 2, "as it was written"


@pytest.mark.parametrize(
    "target",
    [
        "/v1/net/connect",
        "/v1/net/connections",
        "/v1/producer/pause",
        "/v1/producer/create_snapshot",
        "/v1/db_size/get",
        "/v1/node/get_supported_apis",
        "/v1/prometheus/metrics",
        "/v1/chain/push_block",
        "/v1/chain/",
        "/v1/chain/../net/connect",
        "/v1/chain/%2e%2e/net/connect",
        "/v1/chain/..%2fnet/connect",
        "/v1/chain/%2e%2e%2fnet%2fconnect",
        "/v1/chain/..\\net\\connect",
        "/v1/chain/get_info/../../net/connect",
        "/v1/chain/get_info/..;/..;/net/connect",
        "/v1/chain/get_info;/../../net/connect",
        "/v1/chain/get_info%00/net/connect",
        "/v1/chain/get_info%0a",
        "/v1/chain/get_info%23/../../net/connect",
        "/v1/chain/get_info%3f/../../net/connect",
        "//v1//net//connect",
        "/./v1/net/connect",
        "/v1/%6eet/connect",
        "/%76%31/%6e%65%74/%63onnect",
        "/V1/net/connect",
        "/v1/history/../net/connect",
        "http://127.0.0.1/v1/net/connect",
        "/",
        "/told",
    ],
)
def test_what_is_not(before: tuple[Workers, Traefik], target: str) -> None:
    workers, balancing = before
    for method in ("GET", "POST", "PUT"):
        assert ask(balancing, target, b"{}", method) in (400, 404)
    for slot in workers.processes:
        counts = workers.told(slot)["counts"]
        assert not [path for path in counts if not path.startswith(("/v1/chain/", "/v1/history/", "/v1/trace_api/"))]


def test_what_was_judged_is_what_is_forwarded(before: tuple[Workers, Traefik]) -> None:
    workers, balancing = before
    assert ask(balancing, "/v1/chain/%67et_info?x=1") == 200
    assert ask(balancing, "/v1//chain/./get_info?x=1") == 200
    assert workers.asked("/v1/chain/get_info?x=1") == 2


def test_a_read_goes_to_another_worker_though_one_died_of_it_or_is_busy(
    before: tuple[Workers, Traefik], tmp_path: Path
) -> None:
    workers, balancing = before
    assert ask(balancing, READ, fault(tmp_path, "busy")) == 200
    assert ask(balancing, READ, fault(tmp_path, "die")) == 200
    workers.wait_for_a_death()
    assert [ask(balancing, READ, b"x" * size) for size in (10, LARGEST_REQUEST, 10, LARGEST_REQUEST + 1)] == (
        [200, 200, 200, 413]
    )


def test_an_error_is_the_workers_own_word_and_no_half_answer_passes_for_one(
    before: tuple[Workers, Traefik], tmp_path: Path
) -> None:
    workers, balancing = before
    asked = workers.asked(READ)
    assert ask(balancing, READ, b"missing") == 500
    assert workers.asked(READ) == asked + 1, "it is not asked for again"
    assert ask(balancing, READ, fault(tmp_path, "half")) == 500


def test_a_write_that_a_worker_took_is_not_sent_again(before: tuple[Workers, Traefik], tmp_path: Path) -> None:
    workers, balancing = before
    asked = workers.asked(WRITE)
    assert ask(balancing, WRITE, fault(tmp_path, "busy")) == 503
    assert workers.asked(WRITE) == asked + 1
    assert ask(balancing, WRITE, fault(tmp_path, "die")) == 502
    workers.wait_for_a_death()
    assert [ask(balancing, WRITE, b"{}") for _ in range(9)] == [200] * 9, "one that nobody took is"


class Network:
    """Workers behind a name, what watches them, and a Traefik."""

    def __init__(self, workers: Workers, names: NameServer, balancing: Traefik, stop: Callable[[], Any]) -> None:
        self.workers = workers
        self.balancing = balancing
        self.stop_watching = stop
        self._names = names
        self.tell()

    def tell(self, *without: int) -> None:
        """Let DNS know who is there."""
        there = {slot: address for slot, address in self.workers.addresses.items() if slot not in without}
        self._names.records["tasks.worker"] = list(there.values())
        self._names.pointers |= {address: [f"lab_worker.{slot}.{TASK}.lab_chain"] for slot, address in there.items()}

    async def replace(self, slot: int) -> None:
        """Kill a worker, and start it again at another address, as a swarm does."""
        await asyncio.to_thread(self.workers.kill, slot)
        await asyncio.sleep(0.3)
        self.tell(slot)
        await asyncio.to_thread(self.workers.start, slot)
        self.tell()


@asynccontextmanager
async def watched(tmp_path: Path, provider: str) -> AsyncIterator[Network]:
    """Run all of it."""
    with ExitStack() as stack:
        workers = await asyncio.to_thread(stack.enter_context, running_workers(tmp_path))
        async with AsyncExitStack() as opened:
            names = await opened.enter_async_context(name_server())
            listening = Address("127.0.0.1", free_port())
            text = yaml.safe_dump(dynamic_configuration(["tasks.worker"], workers.port))
            to = listening if provider == "page" else tmp_path / "rotation" / "clients.yaml"
            about = await asyncio.to_thread(About)
            exporter = Exporter(Settings(text, to, behind=20, older=5.0), about)
            server = {"dns": "tasks.worker", "port": workers.port, "name": "worker-{slot}", "role": "worker"}
            chain = conf.Chain.model_validate({"name": "lab", "kind": "nodeos", "servers": [server]})
            settings = conf.Agent.model_validate(
                {"interval": 1, "state_dir": str(tmp_path)}, context={"folder": tmp_path}
            )
            found = Discovery(settings, chain, print, nameservers=[names.address])
            agent = Agent(lambda _: Nodeos, [exporter], about)
            page = http_provider("http://{}:{}{}".format(*listening))
            static = static_configuration(page if provider == "page" else FILES)
            balancing = await asyncio.to_thread(stack.enter_context, balancer(tmp_path, static=static))
            await exporter.start()
            stopped = False

            async def stop() -> None:
                nonlocal stopped
                if not stopped:
                    stopped = True
                    await agent.stop(1.0)
                    await exporter.close(1.0)
                    await found.close()

            opened.push_async_callback(stop)
            network = Network(workers, names, balancing, stop)
            await agent.watch([Chain("lab", 1.0, found)], 10.0)
            await routed(network, 3)
            yield network
            # Before the page says anything, and once it is gone.
            assert [line for line in balancing.complaints() if "Provider error, retrying" not in line] == []


async def routed(network: Network, count: int) -> None:
    """Wait until so many workers are asked."""
    async with asyncio.timeout(15):
        while True:
            statuses, who = await who_answers(network)
            if statuses == {200} and len(who) == count:
                return
            await asyncio.sleep(0.1)


async def who_answers(network: Network, times: int = 12) -> tuple[set[int], set[str]]:
    """Return with what statuses reads are answered, and by whom."""
    url = network.balancing.url("api") + READ
    got = [await asyncio.to_thread(fetch, url, b"{}") for _ in range(times)]
    return {answer.status for answer in got}, {answer.json()["by"] for answer in got if answer.status == 200}


class Load:
    """Requesters that read without end, each as soon as it was answered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = False
        self.statuses: Counter[str] = Counter()
        self.times: list[float] = []

    async def run(self, requesters: int) -> None:
        """Read until `end`; every other requester with GET."""
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(25)) as session:
            await asyncio.gather(*(self._read(session, number) for number in range(requesters)))

    def end(self) -> None:
        """Send nothing more."""
        self._over = True

    async def _read(self, session: aiohttp.ClientSession, number: int) -> None:
        while not self._over:
            began = time.monotonic()
            asked = (
                session.get(f"{self._url}/v1/chain/get_info")
                if number % 2
                else session.post(self._url + READ, data=b"{}")
            )
            try:
                async with asked as answer:
                    await answer.read()
                    self.statuses[str(answer.status)] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                self.statuses[repr(error)] += 1
            self.times.append(time.monotonic() - began)
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("provider", ["page", "file"])
def test_every_read_is_answered_while_workers_die_and_come_back_elsewhere(tmp_path: Path, provider: str) -> None:
    async def check() -> None:
        async with watched(tmp_path, provider) as network:
            load = Load(network.balancing.url("api"))
            reading = asyncio.create_task(load.run(50))
            await asyncio.sleep(1)
            for slot in (1, 2, 3, 1):
                await network.replace(slot)
                await asyncio.sleep(3)
            load.end()
            await reading
            slowest, p99 = max(load.times), sorted(load.times)[int(len(load.times) * 0.99)]
            print(f"{dict(load.statuses)}, 99 % within {p99:.3f} s, all within {slowest:.3f} s")  # noqa: T201 - figures
            assert set(load.statuses) == {"200"}
            assert load.statuses["200"] > 1_000
            await routed(network, 3)
            await network.stop_watching()
            await asyncio.sleep(3)
            assert await who_answers(network) == ({200}, {"worker-1", "worker-2", "worker-3"}), "it keeps what it has"

    run(check(), timeout=90)


@pytest.mark.parametrize("provider", ["page", "file"])
def test_a_worker_that_is_stuck_leaves_and_returns(tmp_path: Path, provider: str) -> None:
    async def check() -> None:
        async with watched(tmp_path, provider) as network:
            load = Load(network.balancing.url("api"))
            reading = asyncio.create_task(load.run(5))
            network.workers.processes[2].signal(signal.SIGUSR1)
            stalled = time.time()
            await asyncio.sleep(STUCK_WITHIN + 2)
            last = (await asyncio.to_thread(network.workers.told, 2))["last"] - stalled
            print(f"the last request reached it {last:.1f} s after it was stuck")  # noqa: T201 - a figure
            assert 0 < last < STUCK_WITHIN
            network.workers.processes[2].signal(signal.SIGUSR2)
            await routed(network, 3)
            network.workers.processes[3].signal(signal.SIGSTOP)  # and one that is hung answers nobody
            await asyncio.sleep(CHECKED)
            assert await who_answers(network) == ({200}, {"worker-1", "worker-2"})
            network.workers.processes[3].signal(signal.SIGCONT)
            load.end()
            await reading
            assert set(load.statuses) == {"200"}

    run(check(), timeout=90)
