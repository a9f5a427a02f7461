"""What all services of the compose file have in common."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compose.options.kinds import Options
from compose.rendering.document import Shared, based_on

CHAIN = "chain"
"""Network in which nodes speak to each other, and in which those are asked that make blocks."""

INNER = "inner"
"""Network of what answers users, and of the monitoring: no way in, no way out. Who makes blocks is not in it."""

OUTSIDE = "outside"
"""Network of what publishes ports, and of what has to reach the world."""

SECRETS = "secrets:/run/chainwatch:ro"
"""Mount of the secrets that the one-shot service hands out."""

COLLECTOR_USER = 10001
"""User of the image chainwatch (see the Dockerfile)."""

GRAFANA_USER = 472
"""User of the image grafana/grafana."""

ALERTMANAGER_USER = 65534
"""User of the image prom/alertmanager: nobody."""

SLOT = "{{.Task.Slot}}"
"""What Docker puts in for it, where a swarm runs a service several times: 1, 2, …"""

SETUP = "setup"
"""The one-shot service that makes keys and hands secrets out."""

READS_KEYS = ["DAC_OVERRIDE"]
"""Root in a container, without this, can't read keys/, which belongs to whoever deployed."""

IN_MEMORY = "/tmp"  # noqa: S108 - each container's own
"""Folder for what must not outlive a container: secrets, too."""


@dataclass(frozen=True)
class Healthcheck:
    """How to see that a service works: a line for its shell."""

    test: str
    interval: int = 10
    timeout: int = 5
    retries: int = 3
    start_period: int = 60
    """Seconds in which failures do not count yet; a success does."""

    def content(self) -> dict[str, Any]:
        """Return the section of a service."""
        return {
            "test": self.test,
            "interval": f"{self.interval}s",
            "timeout": f"{self.timeout}s",
            "retries": self.retries,
            "start_period": f"{self.start_period}s",
        }


def common(options: Options) -> Shared:
    """Return what every service begins with."""
    logs = {"max-size": f"{options.logs.max_size}m", "max-file": str(options.logs.max_file)}
    return Shared(
        "service",
        {
            "restart": "unless-stopped",
            "security_opt": ["no-new-privileges:true"],
            "cap_drop": ["ALL"],
            "logging": {"driver": "json-file", "options": logs},
        },
    )


def of_chainwatch(options: Options, base: Shared, source: str | None) -> Shared:
    """Return what the services that run chainwatch's own code begin with; `source`: where their image is built from."""
    values: dict[str, Any] = {"image": image(options, options.images.chainwatch)}
    if source is not None:
        values["build"] = {"context": source}
    return Shared("chainwatch", based_on(base, {**values, "read_only": True, "tmpfs": [IN_MEMORY]}))


def limits(cpus: float, megabytes: int) -> dict[str, Any]:
    """Return what a container may use."""
    return {"cpus": cpus, "mem_limit": f"{megabytes}m"}


def labels(options: Options, role: str, own: Mapping[str, str], node: str = "") -> dict[str, str]:
    """Return a container's labels: those that tell what it is, and those that the options give it."""
    told = {"chainwatch.chain": options.service.name, **({"chainwatch.node": node} if node else {})}
    return {**own, **told, "chainwatch.role": role}


def image(options: Options, name: str) -> str:
    """Return an image's name, behind the mirror's address if there is one."""
    return options.images.mirror + name


def published(address: str, ports: Iterable[tuple[int, int]], protocol: str = "") -> list[str]:
    """Return ports of the machine's address, each as (there, in the container); 0 is published nowhere."""
    host = f"[{address}]" if ":" in address else address
    before = f"{host}:" if host else ""
    after = f"/{protocol}" if protocol else ""
    return [f"{before}{there}:{inside}{after}" for there, inside in ports if there]


def shown_outside(options: Options, *ports: tuple[int, int]) -> dict[str, Any]:
    """Return the ports and networks of a service of the inner network that shows itself outside, if it does."""
    shown = published(options.publish.address, ports)
    return {"ports": shown, "networks": [INNER, OUTSIDE]} if shown else {"networks": [INNER]}


def after(*services: str, one_shot: Iterable[str] = ()) -> dict[str, Any]:
    """Return what a service waits for: others' health, and the end of one-shot ones."""
    waits = {name: {"condition": "service_completed_successfully"} for name in one_shot}
    return {**waits, **{name: {"condition": "service_healthy"} for name in services}}


def python_asks(port: int, path: str = "/", program: str = "python") -> str:
    """Return a command that fails unless what listens at a port of the container answers a request with 200."""
    asks = f"import http.client as h; c = h.HTTPConnection('127.0.0.1', {port}, timeout=4); c.request('GET', '{path}')"
    return f'{program} -c "{asks}; raise SystemExit(c.getresponse().status != 200)"'


def seconds(duration: float) -> str:
    """Return a duration as Prometheus and chainwatch write it: 10s, 1500ms."""
    milliseconds = math.ceil(duration * 1000)
    return f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"
