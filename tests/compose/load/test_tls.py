"""A node behind TLS: its certificate is checked as usual."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme

from tests.compose.load.behaving import WRITTEN
from tests.compose.load.making import make, run


@pytest.mark.parametrize("trusted", [True, False])
def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool) -> None:
    authority = trustme.CA()
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    asked = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                asked += 1
                writer.write(WRITTEN["ok"])
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def test() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
            tally = await make(server.sockets[0].getsockname()[1], tls=True, requests=60, workers=5)
        assert tally.made == 60
        assert tally.ok == asked == (60 if trusted else 0)
        assert tally.failed == ({} if trusted else {"tls": 60})

    run(test())


def test_no_tls_there() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(WRITTEN["404"])
        writer.close()

    async def test() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            tally = await make(server.sockets[0].getsockname()[1], tls=True, requests=30, workers=5)
        assert tally.failed == {"tls": 30}

    run(test())
