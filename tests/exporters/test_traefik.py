"""The exporter: the file says what it should, is whole at any moment, and nothing that fails disturbs anybody."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from collector.about import About
from collector.readings import Field, Reading, Shape, Value
from exporters.files import content_of, replace
from exporters.traefik import Settings, Traefik, exporter
from exporters.traefik.file import File
from tests.helpers import run

INTERVAL = 0.2


def configuration(*hosts: str) -> str:
    """Return a configuration of Traefik with a service of these servers."""
    servers = [{"url": f"http://{host}:8545"} for host in hosts]
    return yaml.safe_dump({"http": {"services": {"c": {"loadBalancer": {"servers": servers}}}}})


def hosts_in(file: Path) -> list[str]:
    """Return the hosts that a file sends requests to."""
    services = yaml.safe_load(file.read_bytes())["http"]["services"]
    return [server["url"][7:-5] for server in services["c"]["loadBalancer"]["servers"]]


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return [path.name for path in folder.iterdir()]


def head(node: str, number: Value, chain: str = "lab", field: str = "head_block_number") -> Reading:
    """Return a reading with a head."""
    fields = [Field("peers"), Field(field)]
    return Reading(Shape("chain", {"chain": chain, "node": node, "role": "client"}, fields), [3, number], 1)


class Balancer:
    """An exporter at work, and the file that it writes."""

    def __init__(self, file: Path, about: About, *hosts: str) -> None:
        self.file = file
        self.about = about
        self.exporter = Traefik(Settings(configuration(*(hosts or "abc")), file), about)

    def take(self, **heads: Value) -> None:
        """Hand heads over, each as one gather's readings."""
        for node, number in heads.items():
            self.exporter.take([head(node, number)], INTERVAL)

    async def out(self, expected: list[str], within: float = 5.0) -> None:
        """Wait until the file has these hosts."""
        await until(lambda: self.file.exists() and hosts_in(self.file) == expected, within)

    def counter(self, name: str) -> float:
        """Return the value of one of its counters."""
        return float(self.about.counter(name, "traefik")._value.get())

    @property
    def in_rotation(self) -> dict[str, float]:
        """What is said of each node."""
        gauges = self.about._metrics["node_in_rotation"]._metrics
        return {node: self.about.gauge("node_in_rotation", chain, node)._value.get() for chain, node in list(gauges)}


@asynccontextmanager
async def balancing(file: Path, *hosts: str) -> AsyncIterator[Balancer]:
    """Run an exporter."""
    balancer = Balancer(file, await asyncio.to_thread(About), *hosts)
    await balancer.exporter.start()
    try:
        yield balancer
    finally:
        await balancer.exporter.close(1.0)


async def until(condition: Callable[[], object], within: float = 10.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - of what it waits for there is no event
            await asyncio.sleep(0.01)


def test_a_node_that_is_behind_leaves_and_returns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            assert hosts_in(file) == ["a", "b", "c"], "written at the start"
            assert file.stat().st_mode & 0o777 == 0o644
            balancer.take(a=100, b=100, c=97, sealer=100)
            await balancer.out(["a", "b"])
            await until(lambda: balancer.in_rotation)
            assert balancer.in_rotation == {"a": 1, "b": 1, "c": 0}
            balancer.take(a=101, b=101, c=99)
            await asyncio.sleep(0.3)
            assert hosts_in(file) == ["a", "b"]
            balancer.take(a=102, b=102, c=101)
            await balancer.out(["a", "b", "c"])
            await until(lambda: balancer.in_rotation["c"] == 1)
        assert balancer.in_rotation == {}, "what is closed says nothing"
        assert balancer.counter("output_errors_total") == 0
        assert balancer.counter("output_seconds_total") > 0

    run(check())
    assert "lab/c: 3 blocks behind 100: left out of Traefik's rotation" in caplog.text
    assert "lab/c: left out of Traefik's rotation no more after 0 s" in caplog.text
    assert names(tmp_path) == ["clients.yaml"]


def test_a_node_that_falls_silent_is_neither_in_nor_out(tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            balancer.take(a=100, b=100, c=90)
            await balancer.out(["a", "b"])

            async def others() -> None:
                while True:
                    balancer.take(a=100, b=100)
                    await asyncio.sleep(INTERVAL)

            going_on = asyncio.create_task(others())
            await balancer.out(["a", "b", "c"])
            await until(lambda: balancer.in_rotation == {"a": 1, "b": 1})
            going_on.cancel()

    run(check())


def test_the_file_is_written_only_when_it_says_something_else(tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            before = file.stat()
            for number in range(5):
                balancer.take(a=100 + number, b=100 + number, c=100 + number)
                await asyncio.sleep(0.12)
            assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
            file.write_text("http: {}")
            balancer.take(a=110)
            await until(lambda: file.read_text() != "http: {}")
            file.unlink()
            balancer.take(a=111)
            await balancer.out(["a", "b", "c"])

    run(check())


def test_who_was_out_before_a_restart_stays_out_until_judged(tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            balancer.take(a=100, b=100, c=90)
            await balancer.out(["a", "b"])
        async with balancing(file) as balancer:
            assert hosts_in(file) == ["a", "b"]
            before = file.stat().st_mtime_ns
            balancer.take(a=101, b=101)
            await asyncio.sleep(0.2)
            balancer.take(a=101, b=101, c=91)
            await asyncio.sleep(0.2)
            assert file.stat().st_mtime_ns == before
            balancer.take(a=101, b=101, c=101)
            await balancer.out(["a", "b", "c"])
            balancer.take(a=101, b=101, c=90)
            await balancer.out(["a", "b"])
        async with balancing(file) as balancer:  # and one that is never heard of is let back in
            for _ in range(5):
                balancer.take(a=102, b=102)
                await asyncio.sleep(INTERVAL)
            await balancer.out(["a", "b", "c"])
        async with balancing(file, "a", "b", "c", "d") as balancer:  # a new one is let in once all are judged
            balancer.take(a=103, b=103)
            await asyncio.sleep(0.2)
            assert hosts_in(file) == ["a", "b", "c"]
            balancer.take(c=103, d=103)
            await balancer.out(["a", "b", "c", "d"])
        async with balancing(file, "x") as balancer:
            assert hosts_in(file) == ["a", "b", "c", "d"]
            balancer.take(x=104)
            await balancer.out(["x"])
        file.write_text(file.read_text() + "another: 1")
        async with balancing(file, "y"):
            assert hosts_in(file) == ["y"], "quite another configuration"

    run(check())


def test_if_all_are_behind_all_stay(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            for number in range(3):
                balancer.take(a=90, b=90, c=90, sealer=100 + number, other=100 + number)
                await asyncio.sleep(0.15)
            assert hosts_in(file) == ["a", "b", "c"]
            assert balancer.in_rotation == {"a": 1, "b": 1, "c": 1}

    run(check())
    assert caplog.text.count("no server is known to keep up, and all stay: c") == 1
    assert "left out" not in caplog.text


@pytest.mark.parametrize(
    "readings",
    [
        [head("c", "text")],
        [head("c", -1)],
        [head("c", 10**400), head("sealer", 10**400)],
        [head("c", 1, field="other")],
        [Reading(Shape("geth", {"chain": "lab", "node": "c"}, [Field("head_block_number")]), [1], 1)],
        [Reading(Shape("chain", {"node": "c"}, [Field("head_block_number")]), [1], 1)],
        [Reading(Shape("chain", {"chain": "lab"}, [Field("head_block_number")]), [1], 1)],
        [],
    ],
)
def test_other_readings_are_none_of_its_business(tmp_path: Path, readings: list[Reading]) -> None:
    async def check() -> None:
        async with balancing(tmp_path / "clients.yaml") as balancer:
            balancer.take(a=100, b=100)
            balancer.exporter.take(readings, INTERVAL)
            await until(lambda: balancer.in_rotation == {"a": 1, "b": 1})
            assert hosts_in(balancer.file) == ["a", "b", "c"]

    run(check())


def test_what_nodes_push_puts_nobody_out(tmp_path: Path) -> None:
    """Whoever may push could take the name of another's server, or two names and a head that nobody else has."""

    async def check() -> None:
        async with balancing(tmp_path / "clients.yaml") as balancer:
            balancer.take(a=100, b=100, c=99)
            told = Reading(Shape("ethstats", {"chain": "lab", "node": "x"}, [Field("connected")]), [1], 1)
            pushed = [told, head("b:8545", 0), head("C", 0), head("x", 102), head("y", 102)]
            balancer.exporter.take(pushed, INTERVAL)
            balancer.take(a=101, b=101, c=100)
            await until(lambda: balancer.in_rotation == {"a": 1, "b": 1, "c": 1})
            assert hosts_in(balancer.file) == ["a", "b", "c"]

    run(check())


def test_what_is_due_is_written_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            balancer.take(a=100, b=100, c=90)
        assert hosts_in(file) == ["a", "b"]

    run(check())


def test_once_it_is_closed_the_file_stays_as_it_is(tmp_path: Path) -> None:
    """Its successor may write there, while readings go on for a moment to come here."""

    async def check() -> None:
        async with balancing(tmp_path / "r.yaml") as balancer:
            balancer.take(a=10, b=10, c=10)
            await balancer.out(["a", "b", "c"])
            await balancer.exporter.close(1.0)
            balancer.file.write_text(configuration("another"))
            balancer.take(a=10, b=10, c=1)
            await asyncio.sleep(0.3)
            assert hosts_in(balancer.file) == ["another"]
            assert balancer.in_rotation == {}
            await balancer.exporter.start()  # since its successor could not
            balancer.take(a=10, b=10, c=1)
            await balancer.out(["a", "b"])

    run(check())


def test_a_folder_that_is_missing_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "rotation" / "clients.yaml"

    async def check() -> None:
        async with balancing(file) as balancer:
            for number in range(3):
                balancer.take(a=100, b=100, c=90)
                await until(lambda least=number + 2: balancer.counter("output_errors_total") >= least)  # type: ignore[misc]
            file.parent.mkdir()
            balancer.take(a=100, b=100, c=90)
            await balancer.out(["a", "b"])

    run(check())
    assert caplog.text.count("cannot be written: No such file or directory; Traefik goes on with what it has") == 1
    assert f"output traefik: {file}: written again" in caplog.text


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"
    (file / "x").mkdir(parents=True)

    async def check() -> None:
        async with balancing(file) as balancer:
            assert balancer.counter("output_errors_total") == 1

    run(check())
    assert names(tmp_path) == ["clients.yaml"], "nothing half written stays behind"


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    file = tmp_path / "clients.yaml"
    file.write_bytes(b"before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))  # as near to a full disk as a test comes
    try:
        with pytest.raises(OSError, match="File too large"):
            replace(file, b"x" * 101)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert file.read_bytes() == b"before"
    assert names(tmp_path) == ["clients.yaml"]


def test_a_pipe_in_place_of_the_file_holds_up_nobody(tmp_path: Path) -> None:
    file = tmp_path / "clients.yaml"
    os.mkfifo(file)
    os.mkfifo(tmp_path / ".clients.yaml.new")
    assert content_of(file) == b""

    async def check() -> None:
        async with balancing(file):
            assert hosts_in(file) == ["a", "b", "c"]

    run(check())


def test_a_file_system_that_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing waits for it: neither a take nor the end, and no more than one thread."""
    gone = threading.Event()
    monkeypatch.setattr(exporter, "_STUCK", 0.05)
    monkeypatch.setattr(File, "replace", lambda *_: gone.wait())

    async def check() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with balancing(tmp_path / "clients.yaml") as balancer:
            for number in range(3):
                balancer.take(a=100, b=100, c=90)
                await until(lambda least=number + 1: balancer.counter("output_errors_total") >= least)  # type: ignore[misc]
            at_work = [thread for thread in threading.enumerate() if thread.name == "chainwatch-traefik"]
            assert len(at_work) == 1
        assert loop.time() - began < 2.5

    run(check())
    gone.set()
    assert caplog.text.count("cannot be written: a write takes longer than 0.05 s") == 1


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    contents = [bytes([letter]) * 200_000 for letter in b"ab"]
    replace(file, contents[0])
    over = threading.Event()
    seen = set()

    def read() -> None:
        while not over.is_set():
            seen.add(content_of(file))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(100):
        replace(file, contents[number % 2])
    over.set()
    reader.join()
    assert seen <= set(contents)
