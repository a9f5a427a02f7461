"""The load balancer's service, and the file that it reads."""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import worker_names
from compose.options.eos.models import Options
from compose.rendering.document import Shared, based_on, document
from compose.rendering.eos import rotation, traefik
from compose.rendering.services import Healthcheck, after, image, labels, limits, shown_outside

PATH = "config/traefik/traefik.yaml"

_HEADER = "Where Traefik listens, and where it asks where requests go. Made from the options: change those."


def configuration() -> str:
    """Return Traefik's own configuration."""
    return document(traefik.static_configuration(traefik.http_provider(rotation.PAGE)), _HEADER)


def load_balancer(options: Options, base: Shared) -> dict[str, Any]:
    """Return Traefik's service. It runs as nobody, and what it sets aside of large answers goes to disk: to /tmp."""
    return based_on(
        base,
        {
            "image": image(options, options.images.traefik),
            "user": "65534:65534",
            **limits(options.traefik.cpus, options.traefik.mem),
            "depends_on": after(rotation.ROTATION, *worker_names(options)),
            "healthcheck": Healthcheck("traefik healthcheck", interval=5).content(),
            **shown_outside(options, (options.publish.api, traefik.API_PORT)),
            "volumes": [f"./{PATH}:/etc/traefik/traefik.yaml:ro"],
            "labels": labels(options, "traefik", options.traefik.labels),
        },
    )
