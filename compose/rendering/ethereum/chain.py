"""The services that make the chain: keys, the boot node, the nodes, the load balancer, and the load of transfers."""

from __future__ import annotations

from typing import Any

from compose.options.ethereum.cluster import BOOT_PORT, HTTP_PORT, Node, boot_names, nodes
from compose.options.ethereum.models import GETH_IMAGE, Options
from compose.rendering import setting_up
from compose.rendering.document import Shared, based_on
from compose.rendering.ethereum import geth
from compose.rendering.ethereum.handing_out import gifts
from compose.rendering.ethereum.presence import has_collector, has_rotation, transfers_to
from compose.rendering.services import (
    CHAIN,
    IN_MEMORY,
    INNER,
    READS_KEYS,
    SETUP,
    Healthcheck,
    after,
    image,
    labels,
    limits,
    published,
)


def geth_image(options: Options) -> str:
    """Return the image with geth and bootnode."""
    return image(options, options.images.geth or GETH_IMAGE.format(version=options.geth.version))


def setup(options: Options, base: Shared) -> dict[str, Any]:
    """Return the one-shot service that makes keys and hands secrets out."""
    rotation = ["./config/traefik/dynamic:/etc/traefik:ro", "rotation:/rotation"] if has_rotation(options) else []
    return setting_up.setup(options, base, gifts(options), ["secrets:/run/chainwatch", *rotation])


def boot(options: Options, common: Shared, name: str) -> dict[str, Any]:
    """Return a boot node."""
    told = [f"-addr=:{BOOT_PORT}", "-nodekey=/keys/nodekey", f"-verbosity={options.boot.verbosity}"]
    service: dict[str, Any] = {
        "image": geth_image(options),
        "entrypoint": ["bootnode"],
        "command": told,
        "cap_add": READS_KEYS,
        "read_only": True,
        **limits(options.boot.cpus, options.boot.mem),
        "depends_on": after(one_shot=[SETUP]),
        "healthcheck": Healthcheck(
            # It answers nothing over TCP; that it listens, the kernel knows.
            f"cat /proc/net/udp* | grep -q ':{BOOT_PORT:04X} '",
            interval=5,
        ).content(),
        "networks": [CHAIN],
        "volumes": [f"./keys/{name}:/keys:ro"],
        "labels": labels(options, "boot", options.boot.labels, name),
    }
    if options.geth.advertise and options.publish.boot_p2p:
        told.append(f"-nat=extip:{options.geth.advertise}")
        service["ports"] = published(options.geth.advertise, [(options.publish.boot_p2p, BOOT_PORT)], "udp")
    return based_on(common, service)


def runs_geth(options: Options, common: Shared) -> Shared:
    """Return what all nodes that run geth have in common."""
    values = {
        "image": geth_image(options),
        "entrypoint": ["/bin/sh", "/chainwatch/start.sh"],
        "cap_add": READS_KEYS,
        "read_only": True,
        "tmpfs": [IN_MEMORY],
        "stop_grace_period": "2m",
    }
    return Shared("geth", based_on(common, values))


def of_role(options: Options, base: Shared, some: Node, before: list[str]) -> Shared:
    """Return what all nodes of one role have in common, given one of them."""
    values = {
        "command": geth.command(options, some),
        "networks": [CHAIN] if some.role == "sealer" else [CHAIN, INNER],
        **limits(some.settings.cpus, some.settings.mem),
        "depends_on": after(*before, one_shot=[SETUP]),
        "healthcheck": geth.healthcheck(options, some).content(),
    }
    return Shared(some.role, based_on(base, values))


def node(options: Options, base: Shared, it: Node) -> dict[str, Any]:
    """Return one node."""
    service: dict[str, Any] = {}
    if geth.command(options, it) != base["command"]:
        service["command"] = geth.command(options, it)
    volumes = [f"{it.name}:/data", f"./keys/{it.name}:/keys:ro", "./config/geth:/chainwatch:ro"]
    if options.geth.create_genesis:
        volumes.append("./keys/chain:/chain:ro")
    service["volumes"] = volumes
    if options.geth.advertise:
        ports = [(it.p2p_port, it.p2p_port)]
        service["ports"] = [
            *published(options.geth.advertise, ports, "tcp"),
            *published(options.geth.advertise, ports, "udp"),
        ]
    service["labels"] = labels(options, it.role, it.settings.labels, it.name)
    return based_on(base, service)


def waits(options: Options) -> dict[str, list[str]]:
    """Return whose health each step waits for: boot node, stats page, sealers, clients; a step left out is passed."""
    by_role = {role: [it.name for it in nodes(options) if it.role == role] for role in ("sealer", "client")}
    steps = {
        "boot": boot_names(options),
        "collector": ["collector"] if has_collector(options) else [],
        **by_role,
        "traefik": [],
    }
    waiting: dict[str, list[str]] = {}
    before: list[str] = []
    for step, names in steps.items():
        waiting[step] = before
        before = names or before
    return waiting


def transfers(options: Options, base: Shared) -> dict[str, Any]:
    """Return the load of transfers."""
    to = transfers_to(options)
    accounts = [it.name for it in nodes(options) if it.settings.have_accounts]
    return based_on(
        base,
        {
            "entrypoint": ["python", "-m", "compose.transfers"],
            "command": [
                *(f"--url=http://{it.name}:{HTTP_PORT}" for it in to),
                "--keys=/keys",
                f"--rate={options.transfers.rate:g}",
            ],
            "user": "0:0",
            "cap_add": READS_KEYS,
            **limits(options.transfers.cpus, options.transfers.mem),
            "depends_on": after(*(it.name for it in to), one_shot=[SETUP]),
            "networks": sorted({CHAIN if it.role == "sealer" else INNER for it in to}),
            "volumes": [f"./keys/{name}:/keys/{name}:ro" for name in accounts],
            "labels": labels(options, "transfers", options.transfers.labels),
        },
    )
