"""A WebSocket client down to its frames: it sees how the server frames what it says, and sends what no library does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import NamedTuple

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Frame(NamedTuple):
    """One frame: its first byte, and what it holds."""

    first: int
    payload: bytes

    @property
    def whole(self) -> bool:
        """Whether it is a message in itself."""
        return bool(self.first & 0x80)

    @property
    def reserved(self) -> int:
        """The bits by which extensions such as compression mark frames."""
        return self.first & 0x70

    @property
    def opcode(self) -> int:
        """What it is."""
        return self.first & 0x0F


class Wire:
    """One connection that has been upgraded."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: str) -> None:
        self.reader = reader
        self.writer = writer
        self.answer = answer

    async def frame(self, within: float = 2.0) -> Frame:
        """Return the next frame of the server. Raises EOFError (IncompleteReadError) at the end."""
        async with asyncio.timeout(within):
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            assert not second & 0x80, "a server does not mask"
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Frame(first, await self.reader.readexactly(length))

    async def ended(self, within: float = 3.0) -> bool:
        """Read until the connection ends."""
        try:
            async with asyncio.timeout(within):
                while await self.reader.read(1 << 16):
                    pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    async def sends(self, payloads: Iterable[bytes], opcode: int = TEXT) -> None:
        """Send messages until all are sent or the connection has ended."""
        with contextlib.suppress(ConnectionError):
            for payload in payloads:
                await self.send(payload, opcode)

    async def send(self, payload: bytes, opcode: int = TEXT, *, last: bool = True, claimed: int | None = None) -> None:
        """Send a frame; `claimed` is the length that its head tells."""
        self.write(payload, opcode, last=last, claimed=claimed)
        await self.writer.drain()

    def write(self, payload: bytes, opcode: int = TEXT, *, last: bool = True, claimed: int | None = None) -> None:
        """Send a frame, but don't wait until there is room for it."""
        length = len(payload) if claimed is None else claimed
        head = bytes([(0x80 if last else 0) | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 1 << 16:
            head += bytes([0x80 | 126]) + struct.pack("!H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", length)
        self.writer.write(head + b"\0\0\0\0" + payload)  # masked with nothing


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect to a port on loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@asynccontextmanager
async def wire(port: int, path: str = "/api", headers: str = "") -> AsyncIterator[Wire]:
    """Connect and upgrade."""
    async with connection(port) as (reader, writer):
        key = os.urandom(16).hex()[:22] + "=="
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nOrigin: http://localhost/\r\nSec-WebSocket-Version: 13\r\n"
            f"{headers}\r\n".encode()
        )
        async with asyncio.timeout(2):
            answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        yield Wire(reader, writer, answer)
