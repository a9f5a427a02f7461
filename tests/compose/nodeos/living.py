"""A node's container without a container: the entrypoint as a process, with the stand-in for nodeos in its PATH."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import compose.nodeos
from compose.nodeos.chain_id import packed_id
from tests.real.servers import fetch, free_port, wait_for

PLACE = Path(compose.nodeos.__file__).parents[2]
"""The root of the repository: where the entrypoint and the stand-in are found."""

STANDIN = PLACE / "compose" / "simulated" / "standin" / "nodeos"

KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
"""The public development key, which the stand-in signs with if it isn't given another."""

QUICK = {
    "first_pause": 0.05,
    "longest_pause": 0.4,
    "settled": 60.0,
    "hurry": 0.3,
    "first_answer_every": 0.05,
    "patience": 0.5,
    "retry": 0.1,
    "stall": 0.5,
    "head": 0.7,
    "look": 0.2,
}
"""The entrypoint's times in tests, in seconds."""

CONFIG = """\
plugin = eosio::chain_api_plugin
plugin = eosio::net_api_plugin
plugin = eosio::producer_plugin
plugin = eosio::producer_api_plugin
http-server-address = 127.0.0.1:{http}
p2p-listen-endpoint = 127.0.0.1:{p2p}
http-validate-host = false
resource-monitor-space-threshold = 99
chain-state-db-size-mb = 160
"""
PRODUCING = "producer-name = eosio\nenable-stale-production = true\n"

CONFIGURATION = {
    "max_block_net_usage": 1048576,
    "target_block_net_usage_pct": 1000,
    "max_transaction_net_usage": 524288,
    "base_per_transaction_net_usage": 12,
    "net_usage_leeway": 500,
    "context_free_discount_net_usage_num": 20,
    "context_free_discount_net_usage_den": 100,
    "max_block_cpu_usage": 200000,
    "target_block_cpu_usage_pct": 1000,
    "max_transaction_cpu_usage": 150000,
    "min_transaction_cpu_usage": 100,
    "max_transaction_lifetime": 3600,
    "deferred_trx_expiration_window": 600,
    "max_transaction_delay": 3888000,
    "max_inline_action_size": 4096,
    "max_inline_action_depth": 4,
    "max_authority_depth": 6,
}
GENESIS = {"initial_timestamp": "2026-01-01T00:00:00.000", "initial_key": KEY, "initial_configuration": CONFIGURATION}
CHAIN_ID = packed_id(GENESIS)


class Container:
    """One node: its volume outlasts its lives. The stand-in makes blocks of its own unless told otherwise."""

    def __init__(
        self,
        folder: Path,
        role: str = "worker",
        python: str = sys.executable,
        config: str = PRODUCING,
        **environment: str,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.data = folder / "data"
        self.config = folder / "config"
        self.log = folder / "log"
        self._memory = folder / "tmp"
        self._memory.mkdir()
        self.config.mkdir()
        self.http, self.p2p, self.listen = free_port(), free_port(), free_port()
        (self.config / "config.ini").write_text(CONFIG.format(http=self.http, p2p=self.p2p) + config)
        (self.config / "genesis.json").write_text(json.dumps(GENESIS))
        self.url = f"http://127.0.0.1:{self.listen}"
        self.argv = [python, "-m", "compose.nodeos"]
        self.environment = {
            "PATH": f"{STANDIN.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(PLACE),
            "STANDIN_PYTHON": sys.executable,
            "TMPDIR": str(self._memory),
            "CHAINWATCH_NODE": role if role != "worker" else "worker-1",
            "CHAINWATCH_ROLE": role,
            "CHAINWATCH_DATA": str(self.data),
            "CHAINWATCH_CONFIG": str(self.config),
            "CHAINWATCH_LISTEN": f"127.0.0.1:{self.listen}",
            "CHAINWATCH_STOP_WITHIN": "20",
            **environment,
        }
        self.pace = dict(QUICK)
        self.process: subprocess.Popen[bytes] | None = None

    # -- its lives ----------------------------------------------------------------------------------------------------

    def start(self, **environment: str) -> None:
        """Begin a life."""
        assert self.process is None or self.process.poll() is not None, "it lives"
        pace = ",".join(f"{name}={seconds}" for name, seconds in self.pace.items())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, env={**self.environment, "CHAINWATCH_PACE": pace, **environment}, stdout=log, stderr=log
            )

    def run(self, **environment: str) -> None:
        """Begin a life, and wait until nodeos has come up."""
        self.start(**environment)
        self.wait_up()

    def live(self, **environment: str) -> int:
        """Live a life to its own end; return the exit code."""
        self.start(**environment)
        return self.ended()

    def ended(self, within: float = 20.0) -> int:
        """Wait until the entrypoint is over; return its exit code."""
        assert self.process
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not over within {within:g} s:\n{self.said()}") from None

    def stop(self, within: float = 20.0) -> int:
        """End it as `docker stop` does; return its exit code."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.ended(within)

    def cut_off(self) -> None:
        """End it, and nodeos with it, as a power cut does."""
        assert self.process
        nodeos = self.nodeos()
        self.process.kill()
        self.process.wait()
        for pid in nodeos:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(map(alive, nodeos)), "nodeos gone", every=0.02)

    # -- what it says -------------------------------------------------------------------------------------------------

    def nodeos(self) -> list[int]:
        """Return the processes of nodeos, one or none."""
        assert self.process
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return []
        return [int(child) for child in children.split()]

    def status(self) -> dict[str, Any]:
        """Return `/status`, {} while nobody answers."""
        try:
            found: dict[str, Any] = fetch(f"{self.url}/status", timeout=2.0).json()
        except OSError:
            return {}
        return found

    def page(self) -> str:
        """Return `/metrics`."""
        return fetch(f"{self.url}/metrics").text

    def wait_for_state(self, state: str, within: float = 15.0) -> dict[str, Any]:
        """Wait until it is in a state; return its status then."""
        found: list[dict[str, Any]] = []

        def reached() -> bool:
            found[:] = [self.status()]
            return found[0].get("state") == state

        self.wait(reached, f"state {state}", within)
        return found[0]

    def wait_up(self) -> None:
        """Wait until nodeos answers, and the entrypoint knows."""
        self.wait(lambda: (found := self.status()).get("state") == "running" and not found["reason"], "nodeos up")

    def wait(self, condition: Callable[[], Any], what: str, within: float = 15.0) -> Any:  # noqa: ANN401 - as it is
        """Wait until something holds; say what the node said if it doesn't."""
        try:
            return wait_for(condition, what, within, every=0.03)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None

    def said(self) -> str:
        """Return all that was logged."""
        return self.log.read_text(errors="replace")

    def info(self) -> dict[str, Any]:
        """Return get_info of its nodeos."""
        found: dict[str, Any] = fetch(f"http://127.0.0.1:{self.http}/v1/chain/get_info").json()
        return found

    def head(self) -> int:
        """Return the number of its head block."""
        return int(self.info()["head_block_num"])

    def grow(self, blocks: int = 1) -> int:
        """Wait until it has so many more blocks; return the head."""
        least = self.head() + blocks
        self.wait(lambda: self.head() >= least, "more blocks")
        return self.head()

    # -- its volume ---------------------------------------------------------------------------------------------------

    @property
    def nodeos_data(self) -> Path:
        """The --data-dir of nodeos."""
        return self.data / "nodeos"

    @property
    def state(self) -> Path:
        """The database."""
        return self.nodeos_data / "state" / "shared_memory.bin"

    def life(self) -> dict[str, Any]:
        """Return `life.json`."""
        found: dict[str, Any] = json.loads((self.data / "life.json").read_text())
        return found

    def evidence(self) -> list[Path]:
        """Return what is kept as evidence."""
        folder = self.data / "evidence"
        return sorted(folder.iterdir()) if folder.exists() else []


@contextmanager
def container(folder: Path, role: str = "worker", **more: str) -> Iterator[Container]:
    """Give a container, and end it whatever happens."""
    made = Container(folder, role, **more)
    try:
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.cut_off()


class Filled:
    """Something else that takes up a volume."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "filled"

    def __call__(self, leave: int = 0) -> None:
        """Fill the volume, but for so many bytes."""
        with self._file.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        with self._file.open("ab") as file:
            file.truncate(max(0, self._file.stat().st_size - leave))

    def undo(self) -> None:
        """Make room again."""
        self._file.unlink()


@contextmanager
def volume(folder: Path, megabytes: int) -> Iterator[Filled]:
    """Make a folder a file system of its own, of such a size; skip the test where that cannot be."""
    folder.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(argv, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield Filled(folder)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def nodeos_is(node: Container, script: str) -> None:
    """Let a shell script be its nodeos instead of the stand-in."""
    program = node.config.with_name("bin") / "nodeos"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    node.environment["PATH"] = f"{program.parent}:{node.environment['PATH']}"


def alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def fingerprint(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Return the inode and size of every file: what changes when it is cleared or replaced."""
    return {str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_size) for path in folder.rglob("*")}
