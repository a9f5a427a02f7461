"""What DNS knows of names and of addresses, asked for without threads."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence

import aiodns
import aiodns.error
import pycares

_FAMILIES = (socket.AF_INET, socket.AF_INET6)

_NOTHING = (aiodns.error.ARES_ENODATA, aiodns.error.ARES_ENOTFOUND)
"""Answers that say that there is nothing; all other errors say nothing about the name."""

MOST_ADDRESSES = 500
"""Addresses of one name and family beyond which the rest are left out: whoever answers for DNS may answer anything."""

_AT_ONCE = 50
"""Questions for the names of addresses that wait for their answers at a time: more may be lost on the way."""

Addresses = tuple[str, ...]


class Names:
    """Looks names up, and remembers their addresses while DNS doesn't answer.

    `failed` is told of every name that could not be looked up, each time.

    `nameservers` are `address:port`; without any, the system's are asked, its hosts file and search domains included.
    """

    def __init__(self, failed: Callable[[str], None], nameservers: Sequence[str] = ()) -> None:
        self._failed = failed
        self._nameservers = tuple(nameservers)
        self._known: dict[str, dict[socket.AddressFamily, Addresses]] = {}

    async def addresses(self, names: Collection[str], within: float) -> dict[str, Addresses]:
        """Return the addresses of every name, IPv4 before IPv6, after `within` seconds at the latest.

        A name that doesn't exist has none. One that could not be looked up has those it had before.
        """
        asked = [(name, family) for name in names for family in _FAMILIES]
        answers = dict(zip(asked, await self._ask_all(asked, within), strict=True))
        self._known = {
            name: self._learned(name, {family: answers[name, family] for family in _FAMILIES}) for name in names
        }
        return {name: sum(known.values(), ()) for name, known in self._known.items()}

    async def pointers(self, addresses: Collection[str], within: float) -> dict[str, tuple[str, ...] | str]:
        """Return the names that DNS gives to addresses, or why there was no answer; nothing of these is remembered."""
        found: dict[str, tuple[str, ...] | str] = dict.fromkeys(addresses, f"none within {within:g}s")
        if not addresses:
            return found
        waiting = asyncio.Semaphore(_AT_ONCE)

        async def ask(address: str) -> None:
            async with waiting:
                found[address] = await _pointers(resolver, address)

        try:
            async with asyncio.timeout(within), self._resolver(within) as resolver:
                await asyncio.gather(*map(ask, found))
        except TimeoutError:
            pass
        except (pycares.AresError, OSError) as error:
            found = dict.fromkeys(addresses, f"no resolver: {error}")
        return found

    def _learned(
        self, name: str, answers: dict[socket.AddressFamily, Addresses | str]
    ) -> dict[socket.AddressFamily, Addresses]:
        """Return what is known of a name now; an answer that is a text says why there is none."""
        before = self._known.get(name, {})
        failed = {family: why for family, why in answers.items() if isinstance(why, str)}
        now = {family: found for family, found in answers.items() if not isinstance(found, str)}
        now |= {family: before.get(family, ()) for family in failed}
        # Some name servers never answer for a family that they have no addresses of; with the other's, all is well.
        if any(before.get(family) for family in failed) or (failed and not any(now.values())):
            why = next(iter(failed.values()))
            self._failed(f"{name}: no answer from DNS ({why}); {sum(map(len, now.values()))} addresses are kept")
        if any(len(found) > MOST_ADDRESSES for found in now.values()):
            self._failed(f"{name}: more than {MOST_ADDRESSES} addresses; the rest are left out")
        return {family: now[family][:MOST_ADDRESSES] for family in answers}

    async def _ask_all(
        self, asked: Sequence[tuple[str, socket.AddressFamily]], within: float
    ) -> Sequence[Addresses | str]:
        if not asked:
            return []
        try:
            async with self._resolver(within) as resolver:
                return await asyncio.gather(*(_ask(resolver, name, family, within) for name, family in asked))
        except (pycares.AresError, OSError) as error:
            return [f"no resolver: {error}"] * len(asked)

    def _resolver(self, within: float) -> aiodns.DNSResolver:
        # A new resolver each time: an old one answers from its memory for as long as the records' TTL says, which
        # Docker sets to ten minutes. It takes a fraction of a millisecond, and knows the resolv.conf of today.
        return aiodns.DNSResolver(self._nameservers or None, timeout=within / 3, tries=2)


async def _ask(resolver: aiodns.DNSResolver, name: str, family: socket.AddressFamily, within: float) -> Addresses | str:
    try:
        async with asyncio.timeout(within):
            found = await resolver.getaddrinfo(name, family=family, type=socket.SOCK_STREAM)
    except TimeoutError:
        return f"none within {within:g}s"
    except aiodns.error.DNSError as error:
        code, text = error.args
        return () if code in _NOTHING else str(text)
    addresses = {ipaddress.ip_address(node.addr[0].decode()) for node in found.nodes if node.family == family}
    return tuple(str(address) for address in sorted(addresses, key=int))


async def _pointers(resolver: aiodns.DNSResolver, address: str) -> tuple[str, ...] | str:
    # Not by `gethostbyaddr`: a container's hosts file has names for its own address that are none of DNS's.
    try:
        found = await resolver.query_dns(ipaddress.ip_address(address).reverse_pointer, "PTR")
    except aiodns.error.DNSError as error:
        code, text = error.args
        return () if code in _NOTHING else str(text)
    return tuple(record.data.dname for record in found.answer if isinstance(record.data, pycares.PTRRecordData))
