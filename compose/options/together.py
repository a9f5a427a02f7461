"""What options of every kind of cluster have to do with each other."""

from __future__ import annotations

from collections.abc import Iterable

from compose.options.kinds import Options
from compose.options.notes import Notes

_LAST_PORT = 65_535

_MONITORING = {
    "grafana": ("grafana", "Grafana"),
    "prometheus": ("prometheus", "Prometheus"),
    "alertmanager": ("alertmanager", "Alertmanager"),
    "page": ("collector", "the collector"),
}
"""What shows itself at a port of its own: the key of `publish`, the section, and the name."""


def ports_lead_somewhere(options: Options, notes: Notes, *through_load_balancer: str) -> None:
    """Note keys of `publish` that the file gives a port where the service behind them is left out."""
    behind = dict.fromkeys(through_load_balancer, ("traefik", "the load balancer")) | _MONITORING
    for key, (section, name) in behind.items():
        if notes.says("publish", key) and getattr(options.publish, key) and not getattr(options, section).count:
            notes.wrong(("publish", key), f"leads nowhere without {name}; leave it out, or write `{section}.count: 1`")


def ports_differ(published: Iterable[tuple[str, int, int]], notes: Notes) -> None:
    """Note ports of the machine that two services would take. All that is published counts, at whichever address.

    `published` are the keys of `publish`, each with the first port and how many there are.
    """
    taken: dict[int, str] = {}
    for key, port, many in published:
        last = port + many - 1
        if last > _LAST_PORT:
            notes.wrong(("publish", key), f"has no room: {many} nodes need ports up to {last}; write a lower one")
        clash = next((number for number in range(port, last + 1) if number in taken), None)
        if clash is not None:
            notes.wrong(("publish", key), f"takes port {clash}, as `publish.{taken[clash]}` does; give each its own")
        for number in range(port, last + 1):
            taken.setdefault(number, key)


def labels_route_nothing(options: Options, notes: Notes) -> None:
    """Remark on labels of Traefik's, which reads none."""
    for section in type(options).model_fields:
        labels: dict[str, str] = getattr(getattr(options, section), "labels", {})
        if any(name.startswith("traefik.") for name in labels):
            notes.remark(
                (section, "labels"),
                "route nothing: Traefik reads its file here; `publish` says at which ports what is behind it answers",
            )


def reached_from_elsewhere(options: Options, notes: Notes, what: str) -> None:
    """Remark on an address that others reach, where `what` asks for no password."""
    if not options.publish.address.startswith(("127.", "::1")):
        notes.remark(
            ("publish", "address"),
            f"is reached from elsewhere, where {what} ask for no password; "
            "mind the firewall, or write 0 for their ports",
        )
