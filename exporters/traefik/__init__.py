"""Keep nodes that have fallen behind out of the rotation of a Traefik load balancer."""

from exporters.traefik.exporter import Settings, Traefik
from exporters.traefik.page import Address

__all__ = ["Address", "Settings", "Traefik"]
