"""`python -m compose.transfers`: a load of signed transfers, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from compose.transfers.asking import Node
from compose.transfers.sending import Load
from compose.transfers.wallets import Unreadable, Wallet, keystores, open_wallet

_MOST_CONNECTIONS = 16
_MOST_RATE = 1000.0

_log = logging.getLogger("chainwatch.transfers")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 1 if there is no account to send from, 2 for wrong arguments."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    return asyncio.run(_run(asked.url, asked.keys, asked.rate))


async def _run(urls: Sequence[str], keys: Path, rate: float) -> int:
    running = asyncio.create_task(_send(urls, keys, rate))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        return await running
    except asyncio.CancelledError:
        return 0


async def _send(urls: Sequence[str], keys: Path, rate: float) -> int:
    try:
        wallets = await _opened(keys)
    except Unreadable as error:
        _log.error("%s", error)
        return 1
    if not wallets:
        _log.error("%s: no node there has an account", keys)
        return 1
    connector = aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, ttl_dns_cache=10)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=None), cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        load = Load([Node(url, session) for url in urls], wallets, rate)
        _log.info("%d accounts, %d nodes, %g transfers a second", len(wallets), len(urls), rate)
        try:
            await load.run()
        finally:
            load.report()
    return 0


async def _opened(keys: Path) -> list[Wallet]:
    """Return the accounts, each once: nodes may share one. Raises Unreadable."""
    found: dict[str, Wallet] = {}
    for keystore, password in await asyncio.to_thread(keystores, keys):
        wallet = await asyncio.to_thread(open_wallet, keystore, password)
        found.setdefault(wallet.address, wallet)
    return list(found.values())


def _url(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https"):
        raise ValueError(text)
    return text


def _rate(text: str) -> float:
    rate = float(text)
    if not (math.isfinite(rate) and 0 < rate <= _MOST_RATE):
        raise ValueError(text)
    return rate


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compose.transfers", description="Send signed transfers between the nodes' accounts."
    )
    parser.add_argument(
        "--url", type=_url, action="append", required=True, help="JSON-RPC of a node that takes them; may be repeated"
    )
    parser.add_argument(
        "--keys", type=Path, required=True, help="folder with a folder for each node: keystore/ and password"
    )
    parser.add_argument("--rate", type=_rate, required=True, help="how many a second; a thousand at most")
    return parser


if __name__ == "__main__":
    sys.exit(main())
