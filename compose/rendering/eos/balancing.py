"""The load balancer's service, and the files that it reads."""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import worker_names
from compose.options.eos.models import Options
from compose.rendering.document import Shared, based_on, document
from compose.rendering.eos import rotation, traefik
from compose.rendering.services import Healthcheck, after, image, labels, limits, shown_outside

FOLDER = "config/traefik"

_SPARE = "/etc/traefik/spare.yaml"
_HEADER = "Where Traefik listens, and where it asks where requests go. Made from the options: change those."
_SPARE_HEADER = """\
Where requests go until rotation first answers: to all workers, whether they keep up or not. After a start of both, \
Traefik would answer 404 else. Made from the options: change those."""


def configuration(options: Options, target: str) -> dict[str, str]:
    """Return Traefik's own configuration, and its spare routes, by path."""
    providers = traefik.http_provider(rotation.PAGE) | traefik.file_provider(_SPARE)
    spare = rotation.routes(options, target, traefik.SPARE)
    return {
        f"{FOLDER}/traefik.yaml": document(traefik.static_configuration(providers), _HEADER),
        f"{FOLDER}/spare.yaml": document(spare, _SPARE_HEADER),
    }


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
            "volumes": [f"./{FOLDER}:/etc/traefik:ro"],
            "labels": labels(options, "traefik", options.traefik.labels),
        },
    )
