"""Snapshots of other nodes: what they offer, and the file itself, of which only a whole and right one is ever seen."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from compose.nodeos import disk
from compose.nodeos.snapshots.kept import MAGIC, Kept, Snapshot, understood

LARGEST_LIST = 1024 * 1024
MOST_OFFERED = 100

SLOWEST = 16 * 1024
"""Bytes a second below which a transfer is given up: a gigabyte would take a day."""

_CHUNK = 256 * 1024
_GRACES = 2
"""How many times the stall's length a transfer may take before it must have reached its least speed."""


class NotFetched(Exception):  # noqa: N818 - whose error it is the message says
    """The list, or a snapshot, could not be had. The message says why."""


class Wrong(NotFetched):
    """What came is not what was offered: asking again would bring the same."""


def offered(url: str, chain_id: str, stall: float) -> list[Snapshot]:
    """Return the snapshots of our chain that somebody offers, newest first. Raises NotFetched."""
    with _answer(f"{url}/snapshots", stall, whole=True) as response:
        try:
            content = response.read(LARGEST_LIST + 1)
            listed = json.loads(content) if len(content) <= LARGEST_LIST else None
        except TimeoutError:
            raise NotFetched(f"{url}: the list of snapshots didn't come") from None
        except (ValueError, OSError, http.client.HTTPException, RecursionError):
            listed = None
    if not isinstance(listed, list):
        raise NotFetched(f"{url}: answers no list of snapshots")
    found = [snapshot for entry in listed[:MOST_OFFERED] if (snapshot := understood(entry))]
    ours = [snapshot for snapshot in found if not chain_id or snapshot.chain_id in {chain_id, ""}]
    if found and not ours:
        raise Wrong(
            f"{url}: offers snapshots of another chain, {found[0].chain_id[:16]}..., ours is {chain_id[:16]}..."
        )
    return sorted(ours, key=lambda snapshot: (snapshot.head_block_num, snapshot.made), reverse=True)


def fetch(url: str, snapshot: Snapshot, kept: Kept, stall: float) -> Path:
    """Fetch a snapshot and return where it lies now, whole. Raises NotFetched."""
    part = kept.part(snapshot)
    try:
        free = disk.free(kept.folder)
        if snapshot.size > free - disk.RESERVE:
            raise NotFetched(f"{snapshot.name}: has {snapshot.size} bytes, {free} are free")
        with _answer(f"{url}/snapshots/{snapshot.name}", stall, whole=False) as response, part.open("wb") as file:
            if response.length is not None and response.length != snapshot.size:
                raise Wrong(f"{snapshot.name}: {response.length} bytes come, {snapshot.size} were offered")
            _receive(response, file.fileno(), snapshot, stall)
            os.fsync(file.fileno())
        return kept.add(part, snapshot)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise NotFetched(f"{snapshot.name}: {reason}") from None
    finally:
        part.unlink(missing_ok=True)


def _receive(response: http.client.HTTPResponse, file: int, snapshot: Snapshot, stall: float) -> None:
    """Write what comes, as long as it does and may yet be right. Raises NotFetched, OSError and HTTPException."""
    summed = hashlib.sha256()
    came = 0
    began = time.monotonic()
    head = b""
    while chunk := response.read1(_CHUNK):
        came += len(chunk)
        if came > snapshot.size:
            raise Wrong(f"{snapshot.name}: more bytes come than were offered")
        if len(head) < len(MAGIC) and not MAGIC.startswith((head := head + chunk[: len(MAGIC)])[: len(MAGIC)]):
            raise Wrong(f"{snapshot.name}: is no snapshot of nodeos")
        took = time.monotonic() - began - _GRACES * stall
        if took > 0 and came < took * SLOWEST:
            raise NotFetched(f"{snapshot.name}: comes too slowly, {came} bytes in {took + _GRACES * stall:.0f} s")
        summed.update(chunk)
        while chunk:
            chunk = chunk[os.write(file, chunk) :]
    if came != snapshot.size:
        raise NotFetched(f"{snapshot.name}: ended after {came} of {snapshot.size} bytes")
    if summed.hexdigest() != snapshot.sha256:
        raise Wrong(f"{snapshot.name}: is not what was offered, by its SHA-256")


@contextmanager
def _answer(url: str, stall: float, *, whole: bool) -> Iterator[http.client.HTTPResponse]:
    """Ask for a page and give the answer to a good one, of which the head, or the whole, has its time to come.

    Raises NotFetched.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=stall)
    try:
        connection.connect()
        patience = threading.Timer(_GRACES * stall, _cut, [connection.sock])
        patience.daemon = True
        patience.start()
    except OSError as error:
        raise NotFetched(f"{url}: {error.strerror or type(error).__name__}") from None
    try:
        try:
            connection.request("GET", parts.path, headers={"Connection": "close"})
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise NotFetched(f"{url}: {reason}") from None
        with response:
            if response.status != http.client.OK:
                raise NotFetched(f"{url}: HTTP {response.status}")
            if not whole:
                patience.cancel()
            yield response
    finally:
        patience.cancel()
        connection.close()


def _cut(connection: socket.socket) -> None:
    """End a connection over which bytes trickle: each of them comes in time, and all of them never."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
