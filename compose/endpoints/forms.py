"""What an endpoint looks like, and those that every kind of cluster has."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collector.configuration.values import host_and_port
from compose.options.kinds import Options

Endpoint = dict[str, list[str]]
"""`address`: what the machine publishes; `dns`: names of the inner network; `enode`: URLs for p2p, where known."""

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - Docker's reading of no address


def monitoring(
    options: Options,
    shown: Mapping[str, list[str]],
    *,
    load_balancer: bool,
    collector: bool,
    named: Callable[[str], str] = str,
) -> dict[str, Endpoint]:
    """Return the services beside the chain. `shown` says where they are published, `named` a service's DNS name."""
    endpoints = {
        # name: whether it is there, the service, and its port in the network
        "traefik": (load_balancer, "traefik", 8082),
        "collector": (collector, "collector", 9273),
        "page": (collector, "collector", 9280),
        "prometheus": (options.prometheus.count, "prometheus", 9090),
        "alertmanager": (options.alertmanager.count, "alertmanager", 9093),
        "influxdb": (options.influxdb.count, "influxdb", 8086),
        "grafana": (options.grafana.count, "grafana", 3000),
        "node-exporter": (options.node_exporter.count, "node-exporter", 9100),
        "cadvisor": (options.cadvisor.count, "cadvisor", 8080),
    }
    return {
        name: {
            "address": shown.get(name, []) if there else [],
            "dns": [f"{named(service)}:{inside}"] if there else [],
        }
        for name, (there, service, inside) in endpoints.items()
    }


def published(address: str, port: int, there: bool | int = True) -> list[str]:
    """Return where a port is published at an address of the machine, if it is."""
    return [host_and_port(address or EVERY_ADDRESS, port)] if port and there else []
