"""Who is behind the DNS names of a configuration: replicas that come, go, and come back at other addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property

from collector.targets import Target
from exporters.traefik.dynamic import Replica
from exporters.traefik.rotation import Node


@dataclass(frozen=True)
class Following:
    """The nodes behind each DNS name, this in lower case."""

    replicas: Mapping[str, Sequence[Replica]] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> AbstractSet[Node]:
        """All nodes that were found behind a name."""
        return frozenset(replica.node for replicas in self.replicas.values() for replica in replicas)

    def then(self, targets: Sequence[Target]) -> tuple[Following, AbstractSet[Node]]:
        """Return who is there with these servers, and the nodes that are new, or at another address than before.

        A name behind which there is nobody any more keeps those who were there last: a list without anybody would be
        worse, and whether they live is for Traefik to see.
        """
        found: dict[str, dict[Replica, None]] = {}
        for target in targets:
            if target.dns and target.host:
                replica = Replica((target.chain, target.name), target.host)
                found.setdefault(target.dns.lower().removesuffix("."), {})[replica] = None
        known = {replica for replicas in self.replicas.values() for replica in replicas}
        new = frozenset(replica.node for replicas in found.values() for replica in replicas if replica not in known)
        sorted_ = {name: tuple(sorted(replicas)) for name, replicas in found.items()}
        return Following({**self.replicas, **sorted_}), new
