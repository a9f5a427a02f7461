"""What the control interface says of a node, or of what stands in front of some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from compose.simulated.faults import Parameters
from compose.simulated.serving import Requests, Served


class Described(Protocol):
    """What is said of it."""

    name: str
    kind: str
    role: str
    version: str
    faults: Mapping[str, Parameters]
    requests: Requests
    served: Served

    @property
    def chain(self) -> str:
        """The name of its chain."""

    @property
    def url(self) -> str:
        """Where it answers."""

    @property
    def metrics_url(self) -> str:
        """Where its metrics page is; empty where it has none."""


def described(node: Described) -> dict[str, Any]:
    """Return that as JSON has it."""
    return {
        "name": node.name,
        "chain": node.chain,
        "kind": node.kind,
        "role": node.role,
        "version": node.version,
        "url": node.url,
        "metrics_url": node.metrics_url,
        "requests": node.requests.total,
        "served": node.served.describe(),
        "faults": {name: dict(parameters) for name, parameters in node.faults.items()},
    }
