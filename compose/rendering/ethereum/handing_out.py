"""Who is given which secret by the one-shot service `setup`."""

from __future__ import annotations

from collections.abc import Iterator

from compose.options.ethereum.cluster import has_ethstats
from compose.options.ethereum.models import Options
from compose.options.telling import teller
from compose.rendering.ethereum.collecting import CLIENTS, ROTATION
from compose.rendering.ethereum.presence import has_collector, has_rotation
from compose.rendering.services import COLLECTOR_USER, GRAFANA_USER
from compose.rendering.telling import USERS, handed_secrets


def gifts(options: Options) -> Iterator[str]:
    """Yield the arguments that say so: `--give=SOURCE:UID:TARGET`."""
    influxdb = bool(options.influxdb.count)
    given = {
        "ethstats": (COLLECTOR_USER, has_ethstats(options)),
        "influxdb-collector": (COLLECTOR_USER, influxdb and has_collector(options)),
        "influxdb-grafana": (GRAFANA_USER, influxdb and options.grafana.count),
        "grafana-admin": (GRAFANA_USER, options.grafana.count),
    }
    for secret, (uid, wanted) in given.items():
        if wanted:
            yield f"--give=secrets/{secret}:{uid}:/run/chainwatch/{secret}"
    if service := teller(options):
        for source, target in handed_secrets(options).items():
            yield f"--give={source}:{USERS[service]}:{target}"
    if has_rotation(options):
        yield f"--place={CLIENTS}:{COLLECTOR_USER}:{ROTATION}"
