"""A small DNS server on loopback that answers as a test wants it to."""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
SILENCE = -1
GARBAGE = -2

_TYPES = {1: 4, 28: 6}  # A and AAAA: the IP version of their addresses


class NameServer(asyncio.DatagramProtocol):
    """Answers with `records`, unless `failing` has another code for the name, or for the name and the IP version."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.failing: dict[str | tuple[str, int], int] = {}
        self.ttl = 600
        self.asked: list[tuple[str, int]] = []
        self.address = ""

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Know the address to give to clients."""
        self._transport = transport
        self.address = "{}:{}".format(*transport.get_extra_info("sockname")[:2])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        name, end = _name(data)
        (kind,) = struct.unpack_from(">H", data, end)
        version = _TYPES[kind]
        self.asked.append((name, version))
        code = self.failing.get((name, version), self.failing.get(name))
        if code is None:
            code = NOERROR if name in self.records else NXDOMAIN
        if code == GARBAGE:
            self._transport.sendto(b"\xff" * 40, addr)
        elif code != SILENCE:
            self._transport.sendto(self._answer(data, name, end + 4, version, code), addr)

    def _answer(self, query: bytes, name: str, end: int, version: int, code: int) -> bytes:
        known = [ipaddress.ip_address(text) for text in self.records.get(name, ())] if code == NOERROR else []
        addresses = [address.packed for address in known if address.version == version]
        (kind,) = struct.unpack_from(">H", query, end - 4)
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(addresses), 0, 0)
        records = (struct.pack(">HHHIH", 0xC00C, kind, 1, self.ttl, len(packed)) + packed for packed in addresses)
        return header + query[12:end] + b"".join(records)


def _name(query: bytes) -> tuple[str, int]:
    """Return the name that a query asks for, in lower case, and where it ends."""
    at, labels = 12, []
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode().lower())
        at += 1 + length
    return ".".join(labels), at + 1


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """Run one."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    try:
        yield server
    finally:
        transport.close()
