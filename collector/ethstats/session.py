"""One connection of a node, from its hello to its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import NamedTuple

from aiohttp import WSMsgType, web

from collector.ethstats.chain import PushedChain
from collector.ethstats.door import Door
from collector.ethstats.limits import Rate
from collector.ethstats.messages import (
    PRIMUS_PING,
    PRIMUS_PONG,
    READ,
    Envelope,
    Hello,
    Ping,
    Unreadable,
    decode,
    envelope,
    kind_of,
)
from collector.ethstats.nodes import Link

_READY = '{"emit":["ready"]}'  # one element more, and geth takes it for a refusal
_LONGEST_PRIMUS = 100
_LONGEST_HEAD = 14  # bytes of a frame before what it holds
_A_MOMENT = 1.0
"""Seconds until a message that was put off is read."""


class _Ended(Exception):  # noqa: N818 - what every connection comes to
    """The connection is over."""


class _Waiting(NamedTuple):
    """A message that was put off, and when it came."""

    body: Envelope
    at: float

    @property
    def size(self) -> int:
        """How many bytes it keeps in memory."""
        return len(memoryview(self.body.body))


class Session:
    """Speaks with one node. Whatever that does, nothing is raised but what cancels the task, and nothing piles up."""

    def __init__(self, socket: web.WebSocketResponse, door: Door, chain: PushedChain) -> None:
        self._socket = socket
        self._door = door
        self._chain = chain
        self._limits = chain.limits
        self._rate = Rate(chain.limits.window, time.monotonic)
        self._waiting: dict[str, _Waiting] = {}  # by type: the newest of each
        self._read = 0.0  # when the waiting ones were read last
        self._frames = 0.0  # that came within the last window

    async def run(self) -> None:
        """Go on until the connection ends, whoever ends it."""
        link: Link | None = None
        try:
            link = await self._login()
            async with _pinging(self._socket, self._limits.ping_every):
                while True:
                    await self._next(link)
        except (_Ended, OSError, RuntimeError):  # the latter two: it ended while something was being sent
            pass
        finally:
            if link is not None:
                self._chain.logout(link)
                if self._door.flooded:
                    self._chain.flooded(link)
            self._door.abort()

    async def _login(self) -> Link:
        chain = self._chain
        chain.enter(self._door)
        try:
            hello = await self._hello()
            group = chain.group_of(hello)
            if group is None:
                chain.refused(hello, self._door.address)
                await self._hold(self._limits.hold)
                raise _Ended
            if wait := chain.wait_of(hello, self._door.address):
                await self._hold(wait)
            link = chain.login(hello, group, self._door.address, self._door.abort)
            if link is None:
                await self._hold(self._limits.hold)
                raise _Ended
        finally:
            chain.leave(self._door)
        self._door.admit()
        try:
            await self._send(_READY)
        except BaseException:
            chain.logout(link)
            raise
        return link

    async def _hello(self) -> Hello:
        """Return the login, which is the first message; a primus ping may come before it."""
        chain = self._chain
        try:
            async with asyncio.timeout(self._limits.hello_within):
                while (text := await self._text()).startswith(PRIMUS_PING):
                    await self._primus(text)
        except TimeoutError:
            chain.count_login("no_hello")
            raise _Ended from None
        try:
            kind, body = envelope(text)
            if kind != "hello":
                chain.count_dropped("before_login")
            elif len(memoryview(body)) <= self._limits.size_of("hello"):
                decoded = decode("hello", body)
                chain.count_message("hello")
                if decoded.flawed:
                    chain.unreadable("hello")
                hello = decoded.parts[0]
                assert isinstance(hello, Hello)
                return hello
        except Unreadable:
            chain.unreadable("hello")
        chain.count_login("no_hello")
        await self._hold(self._limits.hold)
        raise _Ended

    async def _hold(self, seconds: float) -> None:
        """Wait without a word, unless the other end has enough of it: all that slows a client down.

        geth waits for ever, and comes back ten seconds after a connection that was closed.
        """
        self._chain.hold(self._door)
        self._door.renew(seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._text()

    async def _next(self, link: Link) -> None:
        """Take the next message, or, when there is time, those that were put off."""
        try:
            text = await self._text(_A_MOMENT if self._waiting else self._limits.gone_after)
        except TimeoutError:
            if not self._waiting:
                raise _Ended from None
        else:
            at = link.heard = self._chain.now()
            over = self._frames > self._limits.messages_within or self._door.in_window > self._limits.bytes_within
            if text.startswith(PRIMUS_PING):
                self._chain.count_message("primus")
                await self._primus(text)
            else:
                await self._take(link, text, at, put_off=over)
            if over:
                await asyncio.sleep(0)  # the others' turn
        if self._waiting and self._chain.now() - self._read >= _A_MOMENT:
            self._read = self._chain.now()
            waiting, self._waiting = self._waiting, {}
            for message in waiting.values():
                self._door.keep(-message.size)
                self._decode(link, message.body, message.at)

    async def _take(self, link: Link, text: str, at: float, *, put_off: bool) -> None:
        chain = self._chain
        try:
            message = envelope(text)
        except Unreadable:
            chain.count_message("envelope")
            chain.unreadable("envelope", link)
            return
        kind = kind_of(message.kind)
        chain.count_message(kind)
        if kind == "node-ping":
            # Before all else, and once: geth says nothing while it waits, and breaks off at a pong too many.
            await asyncio.sleep(self._limits.pong_after)
            link.pause = chain.now() - at
            await self._pong(message)
            chain.count_pong(chain.now() - at)
        if len(memoryview(message.body)) > self._limits.size_of(message.kind):
            chain.count_dropped("too_large")
        elif kind == "hello" or kind not in READ:
            return
        else:
            if (older := self._waiting.pop(kind, None)) is not None:
                self._door.keep(-older.size)
                chain.count_dropped("too_many")
            if put_off:
                self._waiting[kind] = _Waiting(message, at)
                self._door.keep(self._waiting[kind].size)
            else:
                self._decode(link, message, at)

    def _decode(self, link: Link, message: Envelope, at: float) -> None:
        try:
            decoded = decode(message.kind, message.body)
        except Unreadable:
            self._chain.unreadable(message.kind, link)
            return
        if decoded.flawed:
            self._chain.unreadable(message.kind, link)
        if decoded.id not in (None, link.hello.id):
            self._chain.count_dropped("other_id")
            return
        self._chain.take(link, decoded, at)

    async def _pong(self, message: Envelope) -> None:
        """Answer a ping. geth reads nothing of the answer; reporters in JavaScript want their time back."""
        echo = b""
        with contextlib.suppress(Unreadable):
            (ping,) = decode("node-ping", message.body).parts
            assert isinstance(ping, Ping)
            echo = ping.echo
        told = f'"clientTime":{echo.decode()},' if echo else ""
        await self._send(f'{{"emit":["node-pong",{{{told}"serverTime":{int(self._chain.wall() * 1000)}}}]}}')

    async def _primus(self, text: str) -> None:
        """Answer a ping of primus, which its older clients want; none is ever sent from here: old geths break off."""
        if len(text) <= _LONGEST_PRIMUS:
            await self._send(PRIMUS_PONG + text.removeprefix(PRIMUS_PING))

    async def _send(self, text: str) -> None:
        """Send a message. Raises _Ended where the other end reads nothing for so long that there is no room for it."""
        try:
            async with asyncio.timeout(self._limits.gone_after):
                await self._socket.send_str(text)
        except TimeoutError:
            raise _Ended from None

    async def _text(self, within: float | None = None) -> str:
        """Return the next message. Raises _Ended at the end of the connection, TimeoutError if none comes in time."""
        async with asyncio.timeout(within):
            while True:
                message = await self._socket.receive()
                if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                    raise _Ended
                self._door.keep(-_LONGEST_HEAD - _size(message.data))
                self._frames = self._rate.add(1)
                if self._frames > self._limits.flood * self._limits.messages_within:
                    self._door.flooded = True
                    raise _Ended
                if message.type is WSMsgType.TEXT:
                    return str(message.data)
                if message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
                elif message.type is WSMsgType.BINARY:
                    self._chain.count_message("envelope")
                    self._chain.unreadable("envelope")


def _size(data: str | bytes) -> int:
    """Return how many bytes a message was."""
    return len(data.encode("utf-8", "surrogatepass") if isinstance(data, str) and not data.isascii() else data)


@contextlib.asynccontextmanager
async def _pinging(socket: web.WebSocketResponse, every: float) -> AsyncIterator[None]:
    """Send a WebSocket ping every so many seconds: it keeps the way through firewalls open.

    In a task of its own: one that nobody reads does not return.
    """

    async def ping() -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while True:
                await asyncio.sleep(every)
                await socket.ping()

    task = asyncio.create_task(ping())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
