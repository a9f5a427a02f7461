"""A node without data: it joins by the newest snapshot that others offer, and begins with the genesis if none do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from compose.nodeos.snapshots.fetched import NotFetched, offered
from compose.nodeos.snapshots.kept import MAGIC
from tests.compose.nodeos.living import CHAIN_ID, container
from tests.real.servers import fetch

Body = bytes | Callable[[BaseHTTPRequestHandler], None]


class Source:
    """Somebody who offers snapshots, good ones or others."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.pages: dict[str, Body] = {}
        self.asked: list[str] = []
        self.listed: list[dict[str, Any]] = []

    def offer(self, name: str, content: bytes, chain_id: str, body: Body | None = None, **changed: object) -> None:
        """Offer a snapshot; `body` is what is sent instead of the content."""
        described = {
            "name": name,
            "size": len(content),
            "sha256": sha256(content).hexdigest(),
            "chain_id": chain_id,
            "head_block_num": 100 + len(self.listed),
            "head_block_id": "",
            "head_block_time": "",
            "made": 1.0,
        }
        self.listed.append({**described, **changed})
        self.pages["/snapshots"] = json.dumps(self.listed).encode()
        self.pages[f"/snapshots/{name}"] = content if body is None else body

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Answer; give the URL."""
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                source.asked.append(self.path)
                body = source.pages.get(self.path)
                if body is None:
                    self.send_error(404)
                elif callable(body):
                    body(self)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        server = Serving(("127.0.0.1", 0), Handler)
        server.over = self.over
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            self.over.set()
            server.shutdown()
            thread.join()
            server.server_close()


class Serving(ThreadingHTTPServer):
    """A server whose answers know when it is over."""

    daemon_threads = False
    over: threading.Event

    def handle_error(self, *_: object) -> None:
        """Keep quiet."""


def wait(handler: BaseHTTPRequestHandler, seconds: float) -> None:
    """Keep the client waiting."""
    assert isinstance(handler.server, Serving)
    handler.server.over.wait(seconds)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a snapshot that nodeos takes."""
    with container(tmp_path_factory.mktemp("other") / "node", "snapshots") as other:
        other.run()
        other.wait(lambda: other.status()["snapshots"], "a snapshot")
        [listed] = fetch(f"{other.url}/snapshots").json()
        content = fetch(f"{other.url}/snapshots/{listed['name']}").body
    assert len(content) == listed["size"]
    return content


def joined(tmp_path: Path, source: Source) -> tuple[str, str]:
    """Let a node without data join; return what it started from, and what it said."""
    with source.serving() as url, container(tmp_path / "node", CHAINWATCH_SNAPSHOTS_FROM=url) as node:
        node.run()
        started: str = node.status()["started_from"]
        assert not list((node.data / "snapshots").glob(".*"))
        return started, node.said()


def test_the_newest_snapshot(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.offer("older.bin", MAGIC + b"older", CHAIN_ID)
    source.offer("newer.bin", real, CHAIN_ID)
    assert joined(tmp_path, source)[0] == "newer.bin"
    assert "/snapshots/older.bin" not in source.asked


def test_none_is_offered_yet(tmp_path: Path) -> None:
    source = Source()
    source.pages["/snapshots"] = b"[]"
    assert joined(tmp_path, source)[0] == "genesis"


def test_nobody_answers(tmp_path: Path) -> None:
    began = time.monotonic()
    with container(tmp_path / "node", CHAINWATCH_SNAPSHOTS_FROM="http://127.0.0.1:1") as node:
        node.run()
        assert node.status()["started_from"] == "genesis"
        assert time.monotonic() - began > node.pace["patience"]


def test_a_list_that_is_none(tmp_path: Path) -> None:
    source = Source()
    source.pages["/snapshots"] = b"{}"
    started, said = joined(tmp_path, source)
    assert started == "genesis"
    assert "answers no list of snapshots" in said


@pytest.mark.parametrize("listed", [b"", b"7", b"\xff", b"[" * 100_000, b"[" + b" " * 2_000_000 + b"]"])
def test_lists_of_any_form(listed: bytes) -> None:
    source = Source()
    source.pages["/snapshots"] = listed
    with source.serving() as url, pytest.raises(NotFetched):
        offered(url, CHAIN_ID, 1.0)


def test_a_list_with_other_things_among_snapshots(real: bytes) -> None:
    source = Source()
    source.offer("good.bin", real, CHAIN_ID)
    source.listed[:0] = [{}, {"name": "x.bin"}]
    source.pages["/snapshots"] = json.dumps([1, None, *source.listed]).encode()
    with source.serving() as url:
        assert [snapshot.name for snapshot in offered(url, CHAIN_ID, 1.0)] == ["good.bin"]


def test_one_that_is_not_what_was_offered(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.offer("good.bin", real, CHAIN_ID)
    source.offer("changed.bin", real, CHAIN_ID, body=real[:-1] + b"x")
    source.offer("longer.bin", real, CHAIN_ID, body=real + b"x")
    source.offer("no-snapshot.bin", b"ELF" + real, CHAIN_ID)
    started, said = joined(tmp_path, source)
    assert started == "good.bin"
    assert "changed.bin: is not what was offered, by its SHA-256" in said
    assert "longer.bin: 2105073 bytes come, 2105072 were offered" in said
    assert "no-snapshot.bin: is no snapshot of nodeos" in said


def test_one_that_nodeos_refuses(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.offer("good.bin", real, CHAIN_ID)
    source.offer("refused.bin", real[:-1] + b"x", CHAIN_ID)
    started, said = joined(tmp_path, source)
    assert started == "good.bin"
    assert "refused.bin is bad: nodeos won't start from it" in said


def test_one_of_another_chain(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.offer("other.bin", real, "f" * 64)
    started, said = joined(tmp_path, source)
    assert started == "genesis"
    assert "offers snapshots of another chain" in said
    assert source.asked == ["/snapshots"]


def test_one_larger_than_the_disk(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.offer("huge.bin", real, CHAIN_ID, size=2**49)
    started, said = joined(tmp_path, source)
    assert started == "genesis"
    assert "huge.bin: has 562949953421312 bytes" in said


def test_names_that_lead_elsewhere(tmp_path: Path, real: bytes) -> None:
    source = Source()
    for name in ("../escaped.bin", "/etc/escaped.bin", ".hidden.bin", "no-ending", "a" * 200 + ".bin"):
        source.offer(name, real, CHAIN_ID)
    assert joined(tmp_path, source)[0] == "genesis"
    assert not list(tmp_path.rglob("escaped*"))


def stalling(handler: BaseHTTPRequestHandler) -> None:
    """Send the beginning, and never the rest."""
    handler.send_response(200)
    handler.send_header("Content-Length", "2105072")
    handler.end_headers()
    handler.wfile.write(MAGIC)
    wait(handler, 20)


def trickling(handler: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "2105072")
    handler.end_headers()
    handler.wfile.write(MAGIC)
    for _ in range(200):
        handler.wfile.write(b"x")
        wait(handler, 0.1)


def breaking_off(handler: BaseHTTPRequestHandler) -> None:
    """Send the beginning, and hang up."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(MAGIC)


def trickling_head(handler: BaseHTTPRequestHandler) -> None:
    """Send the head of the answer a byte at a time."""
    for _ in range(200):
        handler.wfile.write(b"H")
        wait(handler, 0.1)


@pytest.mark.parametrize("body", [stalling, trickling, breaking_off, trickling_head])
def test_transfers_that_come_to_nothing(tmp_path: Path, real: bytes, body: Body) -> None:
    source = Source()
    source.offer("slow.bin", real, CHAIN_ID, body=body)
    began = time.monotonic()
    assert joined(tmp_path, source)[0] == "genesis"
    assert time.monotonic() - began < 8
    assert source.asked.count("/snapshots/slow.bin") == 2


def test_a_list_that_trickles(tmp_path: Path) -> None:
    source = Source()
    source.pages["/snapshots"] = trickling
    assert joined(tmp_path, source)[0] == "genesis"


def test_cut_off_half_way_through_a_transfer(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.offer("snapshot.bin", real, CHAIN_ID, body=stalling)
    with source.serving() as url, container(tmp_path / "node", CHAINWATCH_SNAPSHOTS_FROM=url) as node:
        node.pace |= {"stall": 10.0}
        node.start()
        node.wait(lambda: list((node.data / "snapshots").glob(".*.part")), "a transfer")
        node.cut_off()
        source.pages["/snapshots/snapshot.bin"] = real
        node.run()
        assert node.status()["started_from"] == "snapshot.bin"


def test_a_public_network_without_a_genesis(tmp_path: Path, real: bytes) -> None:
    source = Source()
    source.pages["/snapshots"] = b"[]"
    with source.serving() as url, container(tmp_path / "node", CHAINWATCH_SNAPSHOTS_FROM=url) as node:
        (node.config / "genesis.json").unlink()
        node.pace |= {"longest_pause": 0.2}
        node.start()
        told = node.wait_for_state("waiting")
        assert "neither a database, nor blocks, a snapshot or a genesis" in told["reason"]
        source.offer("snapshot.bin", real, CHAIN_ID)
        node.wait_up()
        assert node.status()["started_from"] == "snapshot.bin"
