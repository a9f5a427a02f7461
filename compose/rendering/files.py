"""Every file of a cluster's directory that is made of its options alone."""

from __future__ import annotations

from importlib.resources import files

from compose.options.models import Options
from compose.rendering import alertmanager, balancing, collecting, grafana, prometheus
from compose.rendering.composefile import compose_file
from compose.rendering.presence import has_collector, has_load_balancer


def rendered(options: Options, *, source: str | None = None) -> dict[str, str]:
    """Return the files by relative path. The same options give the same files; no secret is in them.

    `source` is where the image of chainwatch is built from, relative to the directory; without it there is no build.
    """
    config = _config(options)
    return {
        ".env": f"# Compose's name of this cluster.\nCOMPOSE_PROJECT_NAME={options.service.name}\n",
        "compose.yaml": compose_file(options, config, source),
        "keys/.gitignore": "# Keys and secrets are for this directory alone.\n*\n!.gitignore\n",
        **config,
    }


def _config(options: Options) -> dict[str, str]:
    found: dict[str, str] = {}
    if options.sealer.count or options.client.count:
        found["config/geth/start.sh"] = files("compose.rendering").joinpath("start.sh").read_text("utf-8")
    if has_load_balancer(options):
        found |= balancing.configuration(options)
    if has_collector(options):
        found[collecting.PATH] = collecting.configuration(options)
    if options.prometheus.count:
        found[prometheus.PATH] = prometheus.configuration(options)
    if options.alertmanager.count:
        found[alertmanager.PATH] = alertmanager.configuration()
    if options.grafana.count:
        found |= grafana.provisioning(options)
    return found
