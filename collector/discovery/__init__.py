"""Discovery: from what the configuration says of a chain's servers to the targets that are there now."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from collector.configuration import Agent, Chain, DnsServer, FileServer, StaticServer
from collector.discovery.addresses import Addresses, Names
from collector.discovery.files import ServerFiles, Servers, mistakes_in_files
from collector.discovery.making import target, target_at
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
        self._seen: tuple[dict[str, Servers], dict[str, Addresses]] | None = None
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
        names = {server.dns for server, _ in self._servers(files) if isinstance(server, DnsServer)}
        addresses = await self._names.addresses(names, deadline - loop.time())
        if (files, addresses) != self._seen:
            self._seen = (files, addresses)
            self._targets = self._made(files, addresses)
        return list(self._targets)

    async def close(self) -> None:
        """Stop waiting for files."""
        await asyncio.gather(*(files.close() for files in self._files.values()))

    def _servers(self, files: Mapping[str, Servers]) -> Iterator[tuple[StaticServer | DnsServer, FileServer | None]]:
        """Yield every server, those in files with the entry that named the files."""
        for server in self._chain.servers:
            if isinstance(server, FileServer):
                for found in files[server.file]:
                    yield found, server
            else:
                yield server, None

    def _made(self, files: Mapping[str, Servers], addresses: Mapping[str, Addresses]) -> list[Target]:
        """Make the targets, and tell which of them were left out because their name is taken."""
        made: dict[str, Target] = {}
        twice: set[tuple[str, str]] = set()
        for server, file in self._servers(files):
            for found in self._targets_of(server, file, addresses):
                first = made.setdefault(found.name, found)
                if first is not found:
                    twice.add((found.name, found.shown))
        for name, shown in sorted(twice - self._twice):
            self._failed(f"{self._chain.name}/{name}: {shown} has the name of {made[name].shown}, and is left out")
        self._twice = twice
        return list(made.values())

    def _targets_of(
        self, server: StaticServer | DnsServer, file: FileServer | None, addresses: Mapping[str, Addresses]
    ) -> list[Target]:
        if isinstance(server, StaticServer):
            return [target(self._agent, self._chain, server, file)]
        return [target_at(address, self._agent, self._chain, server, file) for address in addresses[server.dns]]
