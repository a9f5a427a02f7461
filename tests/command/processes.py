"""`chainwatch` as a process: what it is given, what it writes, how it ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Any, NamedTuple

import yaml

from compose.simulated import AnyNode
from tests.real.collecting import Page
from tests.real.servers import fetch, free_port, wait_for

INTERVAL = 0.25
ARGV = (sys.executable, "-m", "chainwatch")

Settings = dict[str, Any]
"""A configuration as YAML has it."""


class Ended(NamedTuple):
    """A process that is over."""

    code: int
    stdout: str
    stderr: str
    seconds: float


def chainwatch(*arguments: str | Path, stdin: str = "", within: float = 10.0) -> Ended:
    """Run the command to its end."""
    began = time.monotonic()
    done = subprocess.run([*ARGV, *arguments], input=stdin, capture_output=True, text=True, timeout=within, check=False)
    return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


def server(node: AnyNode, **more: object) -> dict[str, object]:
    """Return the entry of a node in the list of servers."""
    return {"url": node.url, "name": node.name, "role": node.role, **more}


def settings(nodes: Iterable[AnyNode], outputs: Mapping[str, object], **agent: object) -> Settings:
    """Return the configuration that watches these nodes; the page, if it is wanted, is at a free port."""
    chains: dict[str, dict[str, Any]] = {}
    for node in nodes:
        chain = chains.setdefault(node.chain, {"name": node.chain, "kind": node.kind, "servers": []})
        if node.kind == "ethereum":
            chain["metrics"] = ["chain"]  # not all of a thousand: each scrape is parsed
        chain["servers"].append(server(node))
    usual = {"interval": INTERVAL, "timeout": INTERVAL, "shutdown_timeout": 1.0}
    return {"agent": usual | agent, "chains": list(chains.values()), "outputs": dict(outputs)}


def page_at(address: str, **more: object) -> dict[str, dict[str, object]]:
    """Return the output that is a page for Prometheus."""
    return {"prometheus": {"listen": address, **more}}


def free_address() -> str:
    """Return an address that nobody listens at."""
    return f"127.0.0.1:{free_port()}"


def written(tmp_path: Path, configuration: object) -> Path:
    """Write a configuration to the file that all tests use, and return its path."""
    path = tmp_path / "chainwatch.yaml"
    path.write_text(yaml.safe_dump(configuration))
    return path


def scraped(address: str) -> Page:
    """Scrape the page at an address."""
    answer = fetch(f"http://{address}/metrics")
    assert answer.status == 200, answer.text
    return Page(answer.text)


def seen(address: str, name: str, /, least: float = 1.0, within: float = 15.0, **labels: str) -> float:
    """Wait until the page has one such series with so high a value, and return that."""

    def high_enough() -> float:
        try:
            values = scraped(address).values(name, **labels)
        except OSError:
            return 0.0
        return max(values, default=0.0) if max(values, default=0.0) >= least else 0.0

    return wait_for(high_enough, f"{name} {labels} of {least:g} or more", within, every=0.05)


class Running:
    """A `chainwatch` in the background. What it writes is in files, but for streams that a test takes itself."""

    def __init__(
        self, folder: Path, *arguments: str | Path, stdin: int | None, stdout: int | None, stderr: int | None
    ) -> None:
        self._stdout = folder / "stdout"
        self._stderr = folder / "stderr"
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [*ARGV, *arguments],
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=out if stdout is None else stdout,
                stderr=err if stderr is None else stderr,
                bufsize=0,
            )

    @property
    def stdout(self) -> str:
        """What it has written to standard output."""
        return self._stdout.read_text()

    @property
    def lines(self) -> list[str]:
        """The lines of standard output, all but one that is still being written."""
        return self.stdout.rpartition("\n")[0].splitlines()

    @property
    def stderr(self) -> str:
        """What it has written to standard error."""
        return self._stderr.read_text()

    def signal(self, number: Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def write(self, text: bytes) -> None:
        """Write to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)

    def said(self, what: str, times: int = 1, within: float = 5.0) -> None:
        """Wait until standard error holds a text, so many times."""
        wait_for(lambda: self.stderr.count(what) >= times, f"{what!r} in {self._stderr}", within, every=0.02)

    def ended(self, within: float) -> int:
        """Return the exit code. Raises AssertionError where it isn't over within so many seconds."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still there after {within:g} s; said:\n{self.stderr}") from None

    def stop(self, number: Signals = SIGTERM, within: float = 3.0) -> int:
        """Send it a signal that ends it, and return the exit code."""
        self.signal(number)
        return self.ended(within)


@contextmanager
def running(
    folder: Path,
    *arguments: str | Path,
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
) -> Iterator[Running]:
    """Run the command for as long as the block lasts.

    Standard input is /dev/null, the other streams are files, unless others are given. Fails where it met with a
    defect: nothing that happens around it may make it show a traceback.
    """
    started = Running(folder, *arguments, stdin=stdin, stdout=stdout, stderr=stderr)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()
        for pipe in (started.process.stdin, started.process.stdout, started.process.stderr):
            if pipe:
                pipe.close()
    assert not re.search("Traceback|Error:|Exception|a defect", started.stderr), started.stderr


def collector(tmp_path: Path, configuration: Settings, **streams: int | None) -> Any:  # noqa: ANN401
    """Run `chainwatch run` with this configuration for as long as the block lasts."""
    return running(tmp_path, "run", "--config", written(tmp_path, configuration), **streams)


def narrow_pipe() -> tuple[int, int]:
    """Return both ends of a pipe that holds one page of memory, so that a reader that stops is noticed soon."""
    import fcntl  # noqa: PLC0415 - where pipes can be narrowed

    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer
