"""What is otherwise where a swarm runs a nodeos network."""

from __future__ import annotations

from compose.options.eos.cluster import PRODUCER, SNAPSHOTS, WORKER, published
from compose.options.eos.models import Options
from compose.options.targets import SWARM
from compose.rendering.eos.handing_out import VOLUMES, handed_to_swarm
from compose.rendering.plan import Spread, Swarm
from compose.rendering.services import seconds

EVERYWHERE = ("node-exporter", "cadvisor")
"""Services that see the machine that they run on: on each machine there is one."""

_KEEPING = ("prometheus", "alertmanager", "influxdb", "grafana")
"""Services that keep something on the disk of the machine that they run on."""


def options_for(options: Options) -> Options:
    """Return the options less the ports that a swarm does not publish. It does so at every address of a machine."""
    kept = dict(published(options, SWARM))
    ports = {key: kept.get(key, 0) for key in ("api", "grafana", "prometheus", "alertmanager", "page")}
    return options.model_copy(update={"publish": options.publish.model_copy(update={"address": "", **ports})})


def settings(options: Options) -> Swarm:
    """Return what the swarm has to know."""
    placement = options.placement
    spread = {
        PRODUCER: Spread(constraints=placement.producer),
        SNAPSHOTS: Spread(constraints=placement.snapshots),
        WORKER: Spread(
            options.worker.count, constraints=placement.worker, update_delay=seconds(options.worker.update_delay)
        ),
        "collector": Spread(options.collector.count),
        "rotation": Spread(constraints=placement.traefik),
        "traefik": Spread(constraints=placement.traefik),
        **{name: Spread(constraints=placement.monitoring) for name in _KEEPING},
        **{name: Spread(everywhere=True) for name in EVERYWHERE},
    }
    return Swarm(
        options.service.name,
        handed=handed_to_swarm(options),
        spread=spread,
        per_slot=(WORKER, "collector"),
        handing=tuple(VOLUMES),
    )
