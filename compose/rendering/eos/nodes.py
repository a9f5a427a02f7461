"""The services that run nodeos, and the one-shot service that comes before them under Compose."""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import (
    DOOR_PORT,
    PRODUCER,
    SNAPSHOTS,
    WORKER,
    build_arguments,
    nodeos_image,
    worker_names,
)
from compose.options.eos.models import Options
from compose.rendering.document import Shared, based_on
from compose.rendering.eos import nodeos
from compose.rendering.eos.handing_out import GENESIS, GENESIS_FOLDER, SIGNING, SIGNING_FOLDER, has_genesis
from compose.rendering.eos.presence import roles, settings_of
from compose.rendering.services import (
    CHAIN,
    IN_MEMORY,
    INNER,
    SETUP,
    SLOT,
    Healthcheck,
    after,
    image,
    labels,
    limits,
    python_asks,
)

PEERS = "peers"
"""Network by which workers get out to peers elsewhere; nobody gets in by it."""

_DATA = "/data"
_CONFIG = "/etc/nodeos"
_STOP_GRACE = 300
_STOP_MARGIN = 20
"""Seconds that nodeos has to close its database, and by how much less the entrypoint waits."""


def runs_nodeos(options: Options, base: Shared, source: str | None) -> Shared:
    """Return what all nodes have in common; `source`: the checkout that their image is built from, None if it isn't."""
    values: dict[str, Any] = {"image": image(options, nodeos_image(options))}
    if source is not None and options.images.nodeos is None:
        values["build"] = {"context": f"{source}/compose/nodeos", "args": build_arguments(options)}
    values |= {"read_only": True, "tmpfs": [IN_MEMORY], "stop_grace_period": f"{_STOP_GRACE // 60}m"}
    return Shared("nodeos", based_on(base, values))


def producer(options: Options, base: Shared) -> dict[str, Any]:
    """Return the producer. Nothing leads to it from outside, nor from the load balancer."""
    own = {"CHAINWATCH_SECRET_CONFIG": SIGNING}
    return _node(options, base, PRODUCER, own, [f"signing:{SIGNING_FOLDER}:ro"])


def snapshots(options: Options, base: Shared) -> dict[str, Any]:
    """Return the node that takes snapshots."""
    settings = options.snapshots
    own = {
        "CHAINWATCH_SNAPSHOT_EVERY": f"{settings.every:g}",
        "CHAINWATCH_SNAPSHOT_KEEP": str(settings.keep),
    }
    return _node(options, base, SNAPSHOTS, own, [])


def workers(options: Options, base: Shared) -> dict[str, dict[str, Any]]:
    """Return the workers of one machine, each a service of its own."""
    names = worker_names(options)
    environment = Shared("worker-environment", _environment(options, WORKER) | _of_workers(options, ",".join(names)))
    common = Shared("worker", based_on(base, _of_role(options, WORKER)))
    found = {}
    for slot, name in enumerate(names, 1):
        own = {"CHAINWATCH_NODE": name, "CHAINWATCH_SLOT": str(slot)}
        found[name] = based_on(
            common,
            {
                "environment": based_on(environment, own),
                "volumes": _volumes(options, WORKER, name),
                "labels": labels(options, WORKER, options.worker.labels, name),
            },
        )
    return found


def replicated_workers(options: Options, base: Shared) -> dict[str, Any]:
    """Return the workers of a swarm: one service, whose tasks have their slots in names, settings and volumes."""
    own = {
        "CHAINWATCH_NODE": f"{WORKER}-{SLOT}",
        "CHAINWATCH_SLOT": SLOT,
        **_environment(options, WORKER),
        **_of_workers(options, f"tasks.{WORKER}"),
    }
    return based_on(
        base,
        {
            "hostname": f"{WORKER}-{SLOT}",
            **_of_role(options, WORKER),
            "environment": own,
            "volumes": _volumes(options, WORKER, WORKER),
            "labels": labels(options, WORKER, options.worker.labels),
        },
    )


def _node(options: Options, base: Shared, role: str, own: dict[str, str], volumes: list[str]) -> dict[str, Any]:
    """Return a node that is the only one of its role."""
    environment = {"CHAINWATCH_NODE": role, "CHAINWATCH_SLOT": "1", **_environment(options, role), **own}
    return based_on(
        base,
        {
            **_of_role(options, role),
            "environment": environment,
            "volumes": [*_volumes(options, role, role), *volumes],
            "labels": labels(options, role, settings_of(options, role).labels, role),
        },
    )


def _of_role(options: Options, role: str) -> dict[str, Any]:
    settings = settings_of(options, role)
    there = roles(options)
    before = [other for other in there[: there.index(role)] if other != WORKER]
    asked = python_asks(DOOR_PORT, "/status", program="python3")
    return {
        "networks": _networks(options, role),
        **limits(settings.cpus, settings.mem),
        "depends_on": after(*before[-1:], one_shot=[SETUP]),
        # That the entrypoint answers: whether nodeos does, and how far its head is, the collector tells.
        "healthcheck": Healthcheck(asked, interval=5).content(),
    }


def _networks(options: Options, role: str) -> list[str]:
    if role != WORKER:
        return [CHAIN]
    return [CHAIN, INNER, *([PEERS] if options.eos.peers else [])]


def _volumes(options: Options, role: str, volume: str) -> list[str]:
    genesis = [f"genesis:{GENESIS_FOLDER}:ro"] if has_genesis(options) else []
    return [f"{volume}:{_DATA}", f"./{nodeos.path(role)}:{_CONFIG}:ro", *genesis]


def _environment(options: Options, role: str) -> dict[str, str]:
    found = {
        "CHAINWATCH_ROLE": role,
        "CHAINWATCH_DATA": _DATA,
        "CHAINWATCH_CONFIG": _CONFIG,
        "CHAINWATCH_LISTEN": f"0.0.0.0:{DOOR_PORT}",
        "CHAINWATCH_STOP_WITHIN": str(_STOP_GRACE - _STOP_MARGIN),
    }
    if has_genesis(options):
        found["CHAINWATCH_GENESIS"] = GENESIS
    if role != SNAPSHOTS and options.snapshots.count:
        found["CHAINWATCH_SNAPSHOTS_FROM"] = f"http://{SNAPSHOTS}:{DOOR_PORT}"
    return found


def _of_workers(options: Options, siblings: str) -> dict[str, str]:
    found = {"CHAINWATCH_WORKERS": str(options.worker.count), "CHAINWATCH_SIBLINGS": siblings}
    if options.eos.peers:
        found["CHAINWATCH_OUTSIDE_PEERS"] = ",".join(options.eos.peers)
    return found
