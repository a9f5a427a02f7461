"""The load balancer's service, and the files that it reads."""

from __future__ import annotations

from typing import Any

from compose.options.eos.cluster import HTTP_PORT, ROTATION_PORT, worker_names
from compose.options.eos.models import Options
from compose.options.targets import COMPOSE, SWARM
from compose.rendering.document import Shared, based_on, document
from compose.rendering.eos import traefik
from compose.rendering.eos.collecting import ROTATION_FOLDER, replicas
from compose.rendering.eos.presence import has_collector
from compose.rendering.services import SETUP, Healthcheck, after, image, labels, limits, shown_outside

FOLDER = "config/traefik"

_STATIC_HEADER = "Where Traefik listens. Made from the options: change those."
_DYNAMIC_HEADER = "Where requests go. Made from the options: change those."
_FILE_HEADER = """\
Where requests go while all workers keep up; the collector hands Traefik the same less those that are behind. \
Made from the options: change those."""
_PAGE_HEADER = """\
Where requests go: to each worker that DNS shows, less those that are behind. Made from the options: change those."""


def configuration(options: Options, target: str) -> dict[str, str]:
    """Return by path Traefik's files, and the one that is made into what it is told."""
    if target == SWARM:
        provider = traefik.http_provider(f"http://rotation:{ROTATION_PORT}/traefik")
        hosts, place, header = [replicas(options)], f"{ROTATION_FOLDER}/workers.yaml", _PAGE_HEADER
    else:
        provider = traefik.file_provider()
        hosts, place = worker_names(options), f"{FOLDER}/dynamic/workers.yaml"
        header = _FILE_HEADER if has_collector(options) else _DYNAMIC_HEADER
    return {
        f"{FOLDER}/traefik.yaml": document(traefik.static_configuration(provider), _STATIC_HEADER),
        place: document(traefik.dynamic_configuration(hosts, HTTP_PORT, _more_apis(options)), header),
    }


def load_balancer(options: Options, base: Shared, target: str) -> dict[str, Any]:
    """Return Traefik's service. It runs as nobody, and what it sets aside of large answers goes to disk: to /tmp."""
    volumes = [f"./{FOLDER}/traefik.yaml:/etc/traefik/traefik.yaml:ro"]
    if target == COMPOSE:
        dynamic = "rotation" if has_collector(options) else f"./{FOLDER}/dynamic"
        volumes.append(f"{dynamic}:{traefik.DYNAMIC}:ro")
    return based_on(
        base,
        {
            "image": image(options, options.images.traefik),
            "user": "65534:65534",
            **limits(options.traefik.cpus, options.traefik.mem),
            "depends_on": after(*worker_names(options), one_shot=[SETUP]),
            "healthcheck": Healthcheck("traefik healthcheck", interval=5).content(),
            **shown_outside(options, (options.publish.api, traefik.API_PORT)),
            "volumes": volumes,
            "labels": labels(options, "traefik", options.traefik.labels),
        },
    )


def _more_apis(options: Options) -> list[str]:
    """Return what workers offer to be read besides `chain`: the options have given them its plugin."""
    plugins = {line for config in (options.eos.config, options.worker.config) for line in config.get("plugin", ())}
    offered = {api: {f"eosio::{api}_plugin", f"eosio::{api}_api_plugin"} for api in traefik.MORE_APIS}
    return [api for api, names in offered.items() if names & plugins]
