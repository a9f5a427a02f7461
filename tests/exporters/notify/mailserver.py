"""An SMTP server on loopback: it takes mail, with TLS and passwords if it is told to, or misbehaves."""

from __future__ import annotations

import asyncio
import base64
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass
class MailServer:
    """`replies` are what it says in place of the usual, by the first word of a command."""

    tls: ssl.SSLContext | None = None
    at_once: bool = False
    """TLS from the first byte, else by STARTTLS."""
    login: tuple[str, str] | None = None
    replies: dict[str, bytes] = field(default_factory=dict)
    greeting: bytes = b"220 mail.example ready\r\n"
    hangs_at: str = ""
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds that it thinks about a command."""
    endless: bool = False
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    """For each mail, whether it came encrypted."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls if self.at_once else None)
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with suppress(ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._talk(reader, writer)
        with suppress(Exception):
            writer.transport.abort()

    async def _talk(  # noqa: C901 - one command, one case
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        encrypted, sender, to = self.at_once, "", list[str]()
        writer.write(self.greeting)
        while line := (await reader.readline()).decode(errors="replace").strip():
            word = line.split(" ")[0].split(":")[0].upper()
            self.commands.append(line)
            if word == self.hangs_at:
                await asyncio.sleep(60)
            await asyncio.sleep(self.delays.get(word, 0.0))
            if word in self.replies:
                writer.write(self.replies[word])
                continue
            match word:
                case "EHLO":
                    while self.endless:
                        writer.write(b"250-more\r\n" * 100)
                        await writer.drain()
                    offers = ["mail.example", "8BITMIME"]
                    offers += ["STARTTLS"] if self.tls and not encrypted else []
                    offers += ["AUTH PLAIN"] if self.login else []
                    writer.write("".join(f"250-{offer}\r\n" for offer in offers).encode() + b"250 HELP\r\n")
                case "STARTTLS":
                    writer.write(b"220 go on\r\n")
                    assert self.tls is not None
                    await writer.drain()
                    await writer.start_tls(self.tls)
                    encrypted = True
                case "AUTH":
                    _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                    right = (user, password) == self.login
                    writer.write(b"235 yes\r\n" if right else f"535 no: {password}\r\n".encode())
                case "MAIL":
                    sender = line
                    writer.write(b"250 ok\r\n")
                case "RCPT":
                    to.append(line)
                    writer.write(b"250 ok\r\n")
                case "DATA":
                    writer.write(b"354 go on\r\n")
                    body = await reader.readuntil(b"\r\n.\r\n")
                    self.mails.append((sender, to, body))
                    self.encrypted.append(encrypted)
                    writer.write(b"250 taken\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    await writer.drain()
                    return
                case _:
                    writer.write(b"250 ok\r\n")
