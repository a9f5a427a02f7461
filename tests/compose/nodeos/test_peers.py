"""Who nodeos is told to talk to, at its start and as siblings come and go."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.nodeos.asking import Node
from compose.nodeos.parts import parts
from compose.nodeos.peers.share import share
from compose.nodeos.peers.siblings import Seen, is_own, look, slot_of
from compose.nodeos.peers.tending import Peers
from compose.nodeos.saying import Log
from compose.nodeos.settings import read
from tests.compose.nodeos.living import container
from tests.real.servers import fetch, wait_for

NAMES = st.lists(st.integers(0, 99).map("peer-{}:9876".format), min_size=1, max_size=40)
SLOTS = st.sets(st.integers(1, 60), min_size=1, max_size=30)


@given(peers=NAMES, slots=SLOTS)
def test_every_peer_is_somebodys_and_every_worker_has_one(peers: list[str], slots: set[int]) -> None:
    shares = {slot: share(peers, slots, slot) for slot in slots}
    assert {peer for shared in shares.values() for peer in shared} == set(peers)
    assert all(shares.values())
    loads = [len(shared) for shared in shares.values()]
    assert max(loads) - min(loads) <= 1
    workers = Counter(peer for shared in shares.values() for peer in shared)
    assert max(workers.values()) - min(workers.values()) <= 1
    assert all(len(set(shared)) == len(shared) for shared in shares.values())


def test_a_worker_that_is_not_yet_seen_has_its_share() -> None:
    assert share(["a:1", "b:1", "c:1", "d:1"], {1, 2}, 3) == ("c:1",)


def test_no_outside_peers() -> None:
    assert share([], {1, 2}, 1) == ()


@pytest.mark.parametrize(
    ("host", "slot"),
    [
        ("lab_worker.2.wq1kqpxtbzxe4s4kcpoj3q8t1.lab_chain", 2),
        ("lab-2_worker.13.wq1kqpxtbzxe4s4kcpoj3q8t1.lab-2_chain", 13),
        ("lab_worker-3_1.lab_chain", 3),
        ("lab-worker-3-1.lab_chain", 3),
        ("worker-12", 12),
        ("lab_worker_4.lab_chain", 4),
        ("lab-2_worker-3_1.lab-2_chain", 3),
        ("traefik", None),
        ("", None),
        ("2", None),
        ("worker-99999999", None),
    ],
)
def test_slots_in_names(host: str, slot: int | None) -> None:
    assert slot_of(host) == slot


def test_own_addresses() -> None:
    assert is_own("127.0.0.1")
    assert is_own("::1")
    assert not is_own("192.0.2.1")


def test_a_family_of_addresses_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.AF_INET6", 99)
    assert not is_own("2001:db8::1")


def test_siblings_by_their_names() -> None:
    seen = look(["worker-1", "worker-2", "localhost-3:9000"], "worker-1")
    assert seen.peers == {"worker-2:9876", "localhost-3:9000"}  # nodeos looks them up, again and again
    assert seen.slots == frozenset()  # nobody has these names here
    assert seen.whole


def test_a_name_for_many_that_nobody_knows() -> None:
    seen = look(["tasks.nobody.invalid"], "worker-1")
    assert not seen.whole
    assert not seen.peers


def test_what_nodeos_is_told_at_its_start(tmp_path: Path) -> None:
    with container(
        tmp_path / "node",
        CHAINWATCH_SIBLINGS="worker-1,worker-2:9999",
        CHAINWATCH_OUTSIDE_PEERS="a.invalid:1,b.invalid:1,c.invalid:1",
        CHAINWATCH_WORKERS="2",
    ) as node:
        node.run()
        [made] = Path(node.environment["TMPDIR"]).rglob("config.ini")
        lines = [line for line in made.read_text().splitlines() if line.startswith(("p2p-peer", "agent"))]
        assert lines == [
            "p2p-peer-address = a.invalid:1",
            "p2p-peer-address = c.invalid:1",
            "p2p-peer-address = worker-2:9999",
            "agent-name = worker-1",
        ]
        assert node.status()["outside_peers"] == ["a.invalid:1", "c.invalid:1"]
        # worker-2 has no address: this one is alone, and takes all
        node.wait(lambda: len(node.status()["outside_peers"]) == 3, "a larger share")
        peers = [entry["peer"] for entry in fetch(f"http://127.0.0.1:{node.http}/v1/net/connections", b"").json()]
        assert "b.invalid:1" in peers


def test_a_producer_has_no_outside_peers(tmp_path: Path) -> None:
    with container(tmp_path / "node", "producer", CHAINWATCH_OUTSIDE_PEERS="a.invalid:1") as node:
        node.run()
        [made] = Path(node.environment["TMPDIR"]).rglob("config.ini")
        assert "p2p-peer-address" not in made.read_text()


class Asked:
    """A nodeos that notes who it is to connect to, and says no when it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.refusing = False

    @contextmanager
    def serving(self) -> Iterator[int]:
        """Answer; give the port."""
        asked = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.calls.append((self.path.rpartition("/")[2], body))
                self.send_response(500 if asked.refusing else 201)
                self.end_headers()
                self.wfile.write(b'"added connection"')

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Watched:
    """Peers that are tended, with siblings that the test makes come and go."""

    def __init__(self, tmp_path: Path, port: int) -> None:
        settings = read(
            {
                "CHAINWATCH_NODE": "worker-1",
                "CHAINWATCH_ROLE": "worker",
                "CHAINWATCH_DATA": str(tmp_path),
                "CHAINWATCH_OUTSIDE_PEERS": "a:1,b:1,c:1,d:1",
                "CHAINWATCH_WORKERS": "2",
                "CHAINWATCH_PACE": "look=0.03",
            }
        )
        self.said = tmp_path / "said"
        with self.said.open("wb") as said:
            self.log = Log("worker-1", os.dup(said.fileno()))
        made = parts(settings, self.log)
        self.status = made.status
        self.seen = Seen(frozenset({"10.0.0.2:9876"}), frozenset({2}), whole=True)
        self.peers = Peers(settings, Node(port, 2.0), made.status, self.log, lambda *_: self.seen)


@contextmanager
def tended(tmp_path: Path, asked: Asked) -> Iterator[Watched]:
    """Tend the peers of a worker while the block lasts."""
    with asked.serving() as port:
        watched = Watched(tmp_path, port)
        assert watched.peers.at_start() == ["10.0.0.2:9876", "a:1", "c:1"]
        over = threading.Event()
        thread = threading.Thread(target=watched.peers.tend, args=(over,))
        thread.start()
        try:
            yield watched
        finally:
            over.set()
            thread.join()


def test_a_sibling_comes_back_at_another_address(tmp_path: Path) -> None:
    asked = Asked()
    with tended(tmp_path, asked) as watched:
        watched.seen = Seen(frozenset({"10.0.0.9:9876"}), frozenset({2}), whole=True)
        wait_for(lambda: len(asked.calls) == 2, "changed", every=0.01)
        assert asked.calls == [("connect", "10.0.0.9:9876"), ("disconnect", "10.0.0.2:9876")]


def test_a_sibling_is_gone_and_another_comes(tmp_path: Path) -> None:
    asked = Asked()
    with tended(tmp_path, asked) as watched:
        watched.seen = Seen(frozenset(), frozenset(), whole=True)
        wait_for(lambda: len(asked.calls) == 3, "alone", every=0.01)
        assert asked.calls == [("connect", "b:1"), ("connect", "d:1"), ("disconnect", "10.0.0.2:9876")]
        assert watched.status.outside_peers == ["a:1", "b:1", "c:1", "d:1"]
        watched.seen = Seen(frozenset({"x:1", "y:1"}), frozenset({2, 3}), whole=True)
        wait_for(lambda: len(asked.calls) == 7, "three", every=0.01)
        assert watched.status.outside_peers == ["a:1", "d:1"]


def test_names_that_cannot_be_looked_up_change_nothing(tmp_path: Path) -> None:
    asked = Asked()
    with tended(tmp_path, asked) as watched:
        watched.seen = Seen(frozenset(), frozenset(), whole=False)
        threading.Event().wait(0.3)
        assert not asked.calls


def test_a_nodeos_that_refuses_is_asked_again_and_told_of_once(tmp_path: Path) -> None:
    asked = Asked()
    asked.refusing = True
    with tended(tmp_path, asked) as watched:
        watched.seen = Seen(frozenset({"10.0.0.9:9876"}), frozenset({2}), whole=True)
        wait_for(lambda: len(asked.calls) >= 6, "asked again", every=0.01)
        asked.refusing = False
        wait_for(lambda: asked.calls.count(("connect", "10.0.0.9:9876")) >= 4, "done", every=0.01)
        wait_for(lambda: "works again" in watched.said.read_text(), "told", every=0.01)
        assert watched.said.read_text().count("HTTP 500") == 1
