"""Discovery: from what the configuration says of a chain's servers to the targets that are there now.

Where several collectors share the servers out, these are the targets that fall to this one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from collector.configuration import Agent, Chain, DnsServer, FileServer, Shard, StaticServer
from collector.configuration.values import SLOT
from collector.discovery.addresses import Names
from collector.discovery.files import ServerFiles, Servers, mistakes_in_files
from collector.discovery.making import target, target_at
from collector.discovery.slots import Replica, Replicas, Slots
from collector.sharding import falls_to, share
from collector.targets import Target

__all__ = ["Discovery", "mistakes_in_files"]


class Discovery:
    """The targets of one chain: its static servers, those in files, those behind DNS names.

    `failed` is told, each time, what could not be read or looked up; what it is told holds no secret. `within` is how
    many seconds one look at everything may take. `nameservers`, as `address:port`, are the system's if left out.
    """

    def __init__(
        self,
        agent: Agent,
        chain: Chain,
        failed: Callable[[str], None],
        *,
        within: float = 2.0,
        environ: Mapping[str, str] = os.environ,
        nameservers: Sequence[str] = (),
    ) -> None:
        self._agent = agent
        self._chain = chain
        self._failed = failed
        self._within = within
        patterns = {server.file for server in chain.servers if isinstance(server, FileServer)}
        self._files = {pattern: ServerFiles(pattern, environ, failed) for pattern in patterns}
        self._names = Names(failed, nameservers)
        self._slots = Slots(self._names, failed)
        self._seen: object = None
        self._shards: Collection[int] = ()
        self._targets: list[Target] = []
        self._twice: set[tuple[str, str]] = set()

    async def targets(self) -> list[Target]:
        """Return the targets at present, in the order of the configuration, no two of one name.

        Called at every tick, one call at a time. It costs next to nothing while nothing changes, raises for nothing
        that is outside of the process, and returns in time, if need be with what was known before.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._within
        patient = 0.75 * self._within  # so that something is left for DNS when a file system doesn't answer
        read = await asyncio.gather(*(files.servers(patient) for files in self._files.values()))
        files = dict(zip(self._files, read, strict=True))
        behind = await self._behind(files, deadline)
        if (files, behind) != self._seen:
            self._seen = (files, behind)
            made = self._made(files, behind)
            self._targets = self._own(made, self._agent.shard, behind) if self._agent.shard else made
        return list(self._targets)

    def holds(self, name: str) -> bool:
        """Tell whether what has this name falls to this collector, as far as was known at the last look."""
        shard = self._agent.shard
        return shard is None or falls_to(shard.slot, name, self._shards)

    async def close(self) -> None:
        """Stop waiting for files."""
        await asyncio.gather(*(files.close() for files in self._files.values()))

    async def _behind(self, files: Mapping[str, Servers], deadline: float) -> dict[str, Replicas]:
        """Return what is behind the DNS names, with the slots of those whose slots matter."""
        servers = [server for server, _ in self._servers(files) if isinstance(server, DnsServer)]
        by_slot = {server.dns for server in servers if server.name and SLOT in server.name}
        shard = self._agent.shard
        if shard and isinstance(shard.of, str):
            by_slot.add(shard.of)
        left: Callable[[], float] = lambda: max(0.05, deadline - asyncio.get_running_loop().time())  # noqa: E731
        names = {server.dns for server in servers} | by_slot
        # Half of the time is for the slots: a name server may be silent about a family that it knows nothing of.
        addresses = await self._names.addresses(names, left() / (2 if by_slot else 1))
        behind = {name: tuple(map(Replica, found)) for name, found in addresses.items()}
        if not by_slot:
            return behind
        return behind | await self._slots.replicas({name: addresses[name] for name in by_slot}, left())

    def _own(self, targets: Sequence[Target], shard: Shard, behind: Mapping[str, Replicas]) -> list[Target]:
        """Return those of the targets that fall to this collector.

        None, while DNS shows others, or nobody, but not this one: others have all servers between them then, and
        would go on to ask those that it asked. Once DNS shows it, they see that as well.
        """
        if isinstance(shard.of, int):
            self._shards = range(1, shard.of + 1)
            return share(targets, shard.slot, self._shards)
        self._shards = slots = {replica.slot for replica in behind[shard.of] if replica.slot is not None}
        if shard.slot not in slots:
            self._failed(f"{shard.of}: slot {shard.slot} is not behind it; nothing is gathered until it is")
        return share(targets, shard.slot, slots)

    def _servers(self, files: Mapping[str, Servers]) -> Iterator[tuple[StaticServer | DnsServer, FileServer | None]]:
        """Yield every server, those in files with the entry that named the files."""
        for server in self._chain.servers:
            if isinstance(server, FileServer):
                for found in files[server.file]:
                    yield found, server
            else:
                yield server, None

    def _made(self, files: Mapping[str, Servers], behind: Mapping[str, Replicas]) -> list[Target]:
        """Make the targets, and tell which of them were left out because their name is taken."""
        made: dict[str, Target] = {}
        twice: set[tuple[str, str]] = set()
        for server, file in self._servers(files):
            for found in self._targets_of(server, file, behind):
                first = made.setdefault(found.name, found)
                if first is not found:
                    twice.add((found.name, found.shown))
        for name, shown in sorted(twice - self._twice):
            self._failed(f"{self._chain.name}/{name}: {shown} has the name of {made[name].shown}, and is left out")
        self._twice = twice
        return list(made.values())

    def _targets_of(
        self, server: StaticServer | DnsServer, file: FileServer | None, behind: Mapping[str, Replicas]
    ) -> list[Target]:
        if isinstance(server, StaticServer):
            return [target(self._agent, self._chain, server, file)]
        return [target_at(replica, self._agent, self._chain, server, file) for replica in behind[server.dns]]
