"""Keep nodes that have fallen behind out of the rotation of a Traefik load balancer."""

from exporters.traefik.exporter import Settings, Traefik

__all__ = ["Settings", "Traefik"]
