"""Real servers for tests: found, started on loopback, waited for, and ended whatever happens."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import Message
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import pytest

T = TypeVar("T")

_PORTS = range(20_000, 32_000)
"""Below the range from which systems take the ports of outgoing connections: none of those can be in the way."""

_handed_out: set[int] = set()

_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Ignores proxies that the environment names: everything here is on loopback."""


def unavailable(reason: str) -> NoReturn:
    """Skip the test for want of a server, or fail it where CHAINWATCH_REAL=1 says that all of them are there."""
    if os.environ.get("CHAINWATCH_REAL") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require(binary: str) -> str:
    """Return the path of a program: the one that CHAINWATCH_<NAME> points to, else the one in PATH."""
    variable = f"CHAINWATCH_{binary.upper().replace('-', '_')}"
    named = os.environ.get(variable, binary)
    return shutil.which(named) or unavailable(f"{named} is not installed, nor does {variable} point to one")


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on, another one at each call."""
    for _ in range(1000):
        port = random.choice(_PORTS)
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise AssertionError("no port is free")


class Answer(NamedTuple):
    """What an HTTP server answered, whatever the status."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the body, decoded."""
        return json.loads(self.body)


def fetch(
    url: str, data: bytes | None = None, headers: Mapping[str, str] | None = None, timeout: float = 5.0
) -> Answer:
    """Send a GET, or a POST where there is data. Raises OSError if no answer comes."""
    request = urllib.request.Request(url, data, dict(headers or {}))
    try:
        with _http.open(request, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def answers(url: str) -> bool:
    """Tell whether the URL answers with a status 2xx."""
    try:
        return 200 <= fetch(url, timeout=1.0).status < 300
    except OSError:
        return False


def wait_for(condition: Callable[[], T], what: str, within: float = 30.0, every: float = 0.1) -> T:
    """Ask until the answer is true and return it. Raises AssertionError if it isn't within so many seconds."""
    deadline = time.monotonic() + within
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"{what}: not within {within:g} s, last {found!r}"
        time.sleep(every)


class Process:
    """A program in the background; what it says is appended to a file."""

    def __init__(self, argv: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.argv = [str(part) for part in argv]
        self.log = log
        self._env = {**os.environ, **(env or {})}
        self._running: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], within: float = 30.0) -> None:
        """Start and wait until `ready` holds. Raises AssertionError, with what the program said, if it doesn't."""
        assert not self.running, f"{self.argv[0]} runs already"
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._env
            )
        try:
            wait_for(lambda: self._over() or ready(), f"{self.argv[0]} ready", within)
            assert not self._over(), f"{self.argv[0]} ended with status {self._running.returncode}"
        except BaseException as error:
            self.stop()
            error.add_note(f"{self.argv[0]} said:\n{self.said()}")
            raise

    def stop(self, within: float = 10.0) -> int:
        """End it with SIGTERM, or SIGKILL if that isn't enough; return its exit status. Harmless when it is over."""
        if self._running is None:
            return 0
        self._running.terminate()
        try:
            self._running.wait(within)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        status = self._running.returncode
        self._running = None
        return status

    @property
    def running(self) -> bool:
        """Whether it has been started and has neither been stopped nor ended by itself."""
        return not self._over()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._running is not None
        self._running.send_signal(number)

    def said(self, lines: int = 30) -> str:
        """Return the last lines of what it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _over(self) -> bool:
        return self._running is None or self._running.poll() is not None


@contextmanager
def process(
    argv: Sequence[str | Path],
    *,
    ready: Callable[[], bool],
    log: Path,
    env: Mapping[str, str] | None = None,
    within: float = 30.0,
) -> Iterator[Process]:
    """Run a program for as long as the block lasts, from when `ready` holds; output goes to the file `log`."""
    running = Process(argv, log, env)
    running.start(ready, within)
    try:
        yield running
    finally:
        running.stop()


class Sample(NamedTuple):
    """One element of an instant vector."""

    labels: dict[str, str]
    value: float


class Prometheus:
    """A running Prometheus, asked by its HTTP API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[Sample]:
        """Evaluate an expression that yields an instant vector, now."""
        result = self._get("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        return [Sample(element["metric"], float(element["value"][1])) for element in result]

    def targets(self) -> list[dict[str, Any]]:
        """Return the active targets, each with its `health`, `lastError`, `scrapePool`, ..."""
        found: list[dict[str, Any]] = self._get("targets?state=active")["activeTargets"]
        return found

    def types(self, job: str) -> dict[str, str]:
        """Return the type of each family of metrics that the job's targets declared."""
        matching = urllib.parse.urlencode({"match_target": f'{{job="{job}"}}'})
        return {element["metric"]: element["type"] for element in self._get(f"targets/metadata?{matching}")}

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON is anything
        answer = fetch(f"{self.url}/api/v1/{path}")
        assert answer.status == 200, answer.text
        return answer.json()["data"]


@contextmanager
def prometheus(tmp_path: Path, scrape_targets: Mapping[str, str], interval: str = "1s") -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes `/metrics` of these targets: names of jobs, each with its `host:port`."""
    binary = require("prometheus")
    folder = tmp_path / "prometheus"
    folder.mkdir()
    jobs = [{"job_name": job, "static_configs": [{"targets": [address]}]} for job, address in scrape_targets.items()]
    settings = {"global": {"scrape_interval": interval, "scrape_timeout": interval}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    address = f"127.0.0.1:{free_port()}"
    argv = [
        binary,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with process(argv, ready=lambda: answers(f"http://{address}/-/ready"), log=folder / "log"):
        yield Prometheus(f"http://{address}")
