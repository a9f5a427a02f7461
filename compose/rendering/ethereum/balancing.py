"""The load balancer's service, and the files that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compose.options.ethereum.cluster import ETHSTATS_HOST, ETHSTATS_PORT, HTTP_PORT, WS_PORT, has_ethstats
from compose.options.ethereum.models import Options
from compose.rendering.document import Shared, based_on, document
from compose.rendering.ethereum import traefik
from compose.rendering.ethereum.presence import balanced, has_rotation
from compose.rendering.services import SETUP, Healthcheck, after, image, labels, limits, shown_outside

FOLDER = "config/traefik"

_DYNAMIC_HEADER = "Where requests go. Made from the options: change those."
_ROTATION_HEADER = """\
Where requests go while all clients keep up; the collector hands Traefik the same less those that are behind. \
Made from the options: change those."""


def configuration(options: Options) -> dict[str, str]:
    """Return Traefik's files by path."""
    dynamic = traefik.dynamic_configuration(
        [node.name for node in balanced(options)],
        HTTP_PORT,
        WS_PORT,
        f"{ETHSTATS_HOST}:{ETHSTATS_PORT}" if has_ethstats(options) else None,
    )
    header = _ROTATION_HEADER if has_rotation(options) else _DYNAMIC_HEADER
    return {
        f"{FOLDER}/traefik.yaml": document(
            traefik.static_configuration(), "Where Traefik listens. Made from the options: change those."
        ),
        f"{FOLDER}/dynamic/clients.yaml": document(dynamic, header),
    }


def load_balancer(options: Options, base: Shared, before: Sequence[str]) -> dict[str, Any]:
    """Return Traefik's service. It runs as nobody, and what it sets aside of large answers goes to disk: to /tmp."""
    publish = options.publish
    ports: list[tuple[int, int]] = []
    if balanced(options):
        ports += [(publish.client_http, traefik.CLIENT_HTTP_PORT), (publish.client_ws, traefik.CLIENT_WS_PORT)]
    if has_ethstats(options):
        ports.append((publish.ethstats, traefik.ETHSTATS_PORT))
    dynamic = "rotation" if has_rotation(options) else f"./{FOLDER}/dynamic"
    return based_on(
        base,
        {
            "image": image(options, options.images.traefik),
            "user": "65534:65534",
            **limits(options.traefik.cpus, options.traefik.mem),
            "depends_on": after(*before, one_shot=[SETUP]),
            "healthcheck": Healthcheck("traefik healthcheck", interval=5).content(),
            **shown_outside(options, *ports),
            "volumes": [f"./{FOLDER}/traefik.yaml:/etc/traefik/traefik.yaml:ro", f"{dynamic}:{traefik.DYNAMIC}:ro"],
            "labels": labels(options, "traefik", options.traefik.labels),
        },
    )
