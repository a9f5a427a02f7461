"""What tells Traefik which workers are to have requests: chainwatch again, beside the collector.

It asks for heads every second, however seldom the collector gathers, and for none of the nodes' own metrics; and it
sees all nodes, however many collectors share them.
"""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import HTTP_PORT, ROTATION_PORT, worker_names
from compose.options.eos.models import Options
from compose.options.targets import SWARM
from compose.rendering import collecting
from compose.rendering.document import Shared, based_on, document
from compose.rendering.eos import traefik
from compose.rendering.eos.collecting import replicas, watched
from compose.rendering.services import (
    CHAIN,
    IN_MEMORY,
    INNER,
    Healthcheck,
    labels,
    limits,
    python_asks,
    seconds,
)

ROTATION = "rotation"
FOLDER = "config/rotation"
PAGE = f"http://{ROTATION}:{ROTATION_PORT}/traefik"
"""Where Traefik asks."""

_INTERVAL = "1s"
_WORKERS = "/etc/chainwatch/workers.yaml"
_CPUS, _MEGABYTES = 0.5, 256

_HEADER = """\
Which workers are to have requests: their heads are asked for every second, and Traefik asks here. The producer and \
the node that takes snapshots are what workers are measured by. Made from the options: change those."""
_WORKERS_HEADER = """\
Where requests go: to each worker that is there, less those that are behind. Made from the options: change those."""


def configuration(options: Options, target: str) -> dict[str, str]:
    """Return the files by path."""
    content = {
        "agent": {"interval": _INTERVAL, "state_dir": collecting.STATE},
        "chains": [watched(options, target) | {"metrics": []}],
        "outputs": {
            "prometheus": {"listen": f"0.0.0.0:{collecting.PROMETHEUS_PORT}"},
            "traefik": {
                "from": _WORKERS,
                "listen": f"0.0.0.0:{ROTATION_PORT}",
                "behind": options.traefik.behind,
                "older": seconds(options.traefik.older),
            },
        },
    }
    return {
        f"{FOLDER}/chainwatch.yaml": document(content, _HEADER),
        f"{FOLDER}/workers.yaml": document(routes(options, target, traefik.PREFERRED), _WORKERS_HEADER),
    }


def routes(options: Options, target: str, priority: int) -> dict[str, Any]:
    """Return Traefik's routes to all workers."""
    hosts = [replicas(options)] if target == SWARM else worker_names(options)
    return traefik.dynamic_configuration(hosts, HTTP_PORT, _more_apis(options), priority)


def service(options: Options, own: Shared) -> dict[str, Any]:
    """Return the service."""
    verbose = ["--verbose"] if options.service.log_level == "DEBUG" else []
    return based_on(
        own,
        {
            "command": ["run", "--config", "/etc/chainwatch/chainwatch.yaml", *verbose],
            "tmpfs": [IN_MEMORY, collecting.STATE],
            **limits(_CPUS, _MEGABYTES),
            "healthcheck": Healthcheck(python_asks(collecting.PROMETHEUS_PORT), interval=5).content(),
            "networks": [CHAIN, INNER],
            "volumes": [f"./{FOLDER}:/etc/chainwatch:ro"],
            "labels": labels(options, ROTATION, {}),
        },
    )


def _more_apis(options: Options) -> list[str]:
    """Return what workers offer to be read besides `chain`: the options have given them its plugin."""
    plugins = {line for config in (options.eos.config, options.worker.config) for line in config.get("plugin", ())}
    offered = {api: {f"eosio::{api}_plugin", f"eosio::{api}_api_plugin"} for api in traefik.MORE_APIS}
    return [api for api, names in offered.items() if names & plugins]
