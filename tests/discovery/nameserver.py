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

_POINTER = 12

_TYPES = {1: 4, 28: 6, _POINTER: 0}  # A and AAAA: the IP version of their addresses


class NameServer(asyncio.DatagramProtocol):
    """Answers with `records`, unless `failing` has another code for the name, or for the name and the IP version.

    `pointers` has the names of addresses. A name that is asked for is told in `asked` with the IP version, 0 for the
    names of an address; `failing_pointers` is the code for all of these.
    """

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.pointers: dict[str, list[str]] = {}
        self.failing_pointers: int | None = None
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
        if kind == _POINTER and code is None:
            code = self.failing_pointers
        if code is None:
            code = NOERROR if name in self.records or kind == _POINTER else NXDOMAIN
        if code == GARBAGE:
            self._transport.sendto(b"\xff" * 40, addr)
        elif code != SILENCE:
            self._transport.sendto(self._answer(data, name, end + 4, version, code), addr)

    def _answer(self, query: bytes, name: str, end: int, version: int, code: int) -> bytes:
        (kind,) = struct.unpack_from(">H", query, end - 4)
        if code != NOERROR:
            found = []
        elif kind == _POINTER:
            found = [_packed(pointer) for pointer in self.pointers.get(_address(name), ())]
        else:
            known = [ipaddress.ip_address(text) for text in self.records.get(name, ())]
            found = [address.packed for address in known if address.version == version]
        header = query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        records = (struct.pack(">HHHIH", 0xC00C, kind, 1, self.ttl, len(packed)) + packed for packed in found)
        return header + query[12:end] + b"".join(records)


def _address(pointer: str) -> str:
    """Return the address whose names are asked for."""
    parts = pointer.split(".")[-3::-1]
    if pointer.endswith(".ip6.arpa"):
        return str(ipaddress.IPv6Address(int("".join(parts), 16)))
    return ".".join(parts)


def _packed(name: str) -> bytes:
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


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
