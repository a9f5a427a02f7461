"""Stand-ins as processes of their own, started and asked as a real nodeos would be."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from compose.simulated.standin import blocks, options
from compose.simulated.standin.opening import Opened
from tests.real.servers import free_port

NODEOS = Path(options.__file__).with_name("nodeos")
KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
GENESIS = {"initial_timestamp": "2026-01-01T00:00:00.000", "initial_key": KEY}
PATIENCE = 15.0
APIS = ("chain_api", "net_api", "producer_api", "db_size_api")


def until(true: Callable[[], object], patience: float = PATIENCE) -> float:
    """Wait until something holds; return how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + patience, "it never came about"
        time.sleep(0.02)
    return time.monotonic() - began


class Node:
    """A node's directories and addresses, and its lives: `start` begins one, `wait` sees its end."""

    def __init__(self, folder: Path, name: str = "node", genesis: dict[str, Any] | None = None) -> None:
        self.folder = folder / name
        self.data = self.folder / "data"
        self.config = self.folder / "config"
        self.genesis = self.config / "genesis.json"
        self.log = self.folder / "log"
        self.data.mkdir(parents=True)
        self.config.mkdir()
        self.genesis.write_text(json.dumps(genesis or GENESIS))
        self.port, self.p2p, self.page = free_port(), free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.name = name
        self.configure()

    def configure(self, *lines: str) -> None:
        """Write config.ini: the addresses, all API plugins, and these lines."""
        own = [
            f"http-server-address = 127.0.0.1:{self.port}",
            f"p2p-listen-endpoint = 127.0.0.1:{self.p2p}",
            f"agent-name = {self.name}",
            "p2p-max-nodes-per-host = 50",
            *(f"plugin = eosio::{name}_plugin" for name in APIS),
        ]
        (self.config / "config.ini").write_text("\n".join([*own, *lines, ""]))

    def produces(self) -> Node:
        """Let it produce."""
        self.configure("producer-name = eosio", "enable-stale-production = true")
        return self

    def follows(self, *others: Node) -> Node:
        """Let it dial others, by name."""
        self.configure(*(f"p2p-peer-address = localhost:{other.p2p}" for other in others))
        return self

    def start(self, *arguments: str, genesis: bool = True, command: Sequence[str] = (), **environment: str) -> Node:
        """Begin a life; `genesis` gives it the genesis file."""
        given = ["--genesis-json", str(self.genesis)] if genesis else []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*(command or [str(NODEOS)]), *self.directories(), *given, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "STANDIN_RECONNECT": "0.2", **environment},
            )
        return self

    def directories(self) -> list[str]:
        """Return the options that say where its files are."""
        return ["--data-dir", str(self.data), "--config-dir", str(self.config)]

    def ends(self, *arguments: str, genesis: bool = True, **environment: str) -> int:
        """Begin a life that is to end of itself; return its exit code."""
        return self.start(*arguments, genesis=genesis, **environment).wait()

    def wait(self) -> int:
        """Wait for the end of its life; return the exit code."""
        assert self.process
        return self.process.wait(PATIENCE)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process
        self.process.send_signal(number)

    def stop(self) -> int:
        """Ask it to end; return the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it at once, if it lives."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)

    def said(self) -> str:
        """Return what it logged in this life."""
        return self.log.read_text()

    def ask(self, path: str, body: object = None, patience: float = 5.0) -> tuple[int, Any]:
        """Ask; return the status and what was answered."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patience)
        try:
            client.request("POST", path, json.dumps(body) if body is not None else None)
            answer = client.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            client.close()

    def info(self) -> dict[str, Any]:
        """Return what get_info answers."""
        status, found = self.ask("/v1/chain/get_info")
        assert status == 200
        assert isinstance(found, dict)
        return found

    def head(self) -> int:
        """Return the number of its head block."""
        return int(self.info()["head_block_num"])

    def answers(self) -> bool:
        """Return whether it answers; its process must not have ended."""
        assert self.process
        assert self.process.poll() is None, self.said()
        try:
            self.info()
        except OSError:
            return False
        return True

    def up(self) -> Node:
        """Wait until it answers."""
        until(self.answers)
        return self

    def reaches(self, number: int, patience: float = PATIENCE) -> None:
        """Wait until its head has a number."""
        until(lambda: self.head() >= number, patience)

    def stands_still(self, seconds: float = 1.5) -> bool:
        """Return whether the head stays where it is for so long, once no block can be under way any more."""
        time.sleep(0.3)
        before = self.head()
        time.sleep(seconds)
        return self.head() == before

    def connected(self) -> int:
        """Return how many of its connections have shaken hands."""
        _, found = self.ask("/v1/net/connections")
        return sum(1 for one in found if one["last_handshake"]["network_version"])

    def grow(self, count: int) -> None:
        """Give it a chain of so many blocks, half a second apart, up to now, without running it."""
        opened = Opened(options.read([*self.directories(), "--genesis-json", str(self.genesis)]))
        chain = opened.chain
        slot = blocks.slot_at(time.time()) - count
        while chain.head.number < count:
            slot += 1
            chain.append(blocks.following(chain.id, chain.head, slot))
        opened.close()

    @property
    def memory(self) -> Path:
        """Its database."""
        return self.data / "state" / "shared_memory.bin"

    def dirty(self) -> bool:
        """Return whether the database says that it was not closed."""
        with self.memory.open("rb") as file:
            return file.read(9)[8] == 1

    def locked(self) -> bool:
        """Return whether a process holds the database."""
        with self.memory.open("r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
            return False
