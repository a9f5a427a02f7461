"""Who is given which secret by the one-shot service `setup`."""

from __future__ import annotations

from collections.abc import Iterator

from compose.options.ethereum.cluster import has_ethstats
from compose.options.ethereum.models import Options
from compose.rendering.ethereum.collecting import CLIENTS, ROTATION
from compose.rendering.ethereum.presence import has_collector, has_rotation

_COLLECTOR = 10001
"""User of the image chainwatch (see the Dockerfile)."""

_GRAFANA = 472
"""User of the image grafana/grafana."""


def gifts(options: Options) -> Iterator[str]:
    """Yield the arguments that say so: `--give=SOURCE:UID:TARGET`."""
    influxdb = bool(options.influxdb.count)
    given = {
        "ethstats": (_COLLECTOR, has_ethstats(options)),
        "influxdb-collector": (_COLLECTOR, influxdb and has_collector(options)),
        "influxdb-grafana": (_GRAFANA, influxdb and options.grafana.count),
        "grafana-admin": (_GRAFANA, options.grafana.count),
    }
    for secret, (uid, wanted) in given.items():
        if wanted:
            yield f"--give=secrets/{secret}:{uid}:/run/chainwatch/{secret}"
    if has_rotation(options):
        yield f"--place={CLIENTS}:{_COLLECTOR}:{ROTATION}"
