"""The node that takes snapshots: every so often, so many kept, offered to the others, and none of a chain at rest."""

from __future__ import annotations

import hashlib
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from compose.nodeos.listener import MOST_SENT
from tests.compose.nodeos.living import Container, container, volume
from tests.real.servers import fetch

pytestmark = pytest.mark.slow


def listed(node: Container) -> list[dict[str, object]]:
    """Return what it offers."""
    found: list[dict[str, object]] = fetch(f"{node.url}/snapshots").json()
    return found


def test_taken_kept_and_offered(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="1", CHAINWATCH_SNAPSHOT_KEEP="2") as node:
        node.run()
        node.wait(lambda: node.said().count("snapshot of block") >= 4, "four snapshots")
        node.wait(lambda: len(listed(node)) == 2, "two kept")
        newest = listed(node)[0]
        assert set(newest) == {
            "name", "size", "sha256", "chain_id", "head_block_num", "head_block_id", "head_block_time", "made",
        }  # fmt: skip
        assert newest["chain_id"] == node.info()["chain_id"]
        assert newest["head_block_num"] == int(str(newest["head_block_id"])[:8], 16)
        assert str(newest["head_block_time"]).startswith("20")
        assert newest["head_block_num"] > listed(node)[1]["head_block_num"]  # type: ignore[operator]
        content = fetch(f"{node.url}/snapshots/{newest['name']}").body
        assert len(content) == newest["size"]
        assert hashlib.sha256(content).hexdigest() == newest["sha256"]
        assert not list((node.nodeos_data / "snapshots").glob("*.bin"))
        assert "nodeos_entrypoint_snapshots 2" in node.page()
        assert "nodeos_entrypoint_snapshot_timestamp_seconds" in node.page()


def test_a_head_that_stands_still_is_not_asked_for(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", config="", CHAINWATCH_SNAPSHOT_EVERY="1") as node:
        node.run()
        node.wait(lambda: node.status()["snapshots"] == 0 and "stands still" in node.said(), "said so")
        node.wait(lambda: "nodeos_entrypoint_snapshot_failures_total 3" in node.page(), "three tries")
        assert node.said().count("the head stands still") == 1
        assert node.stop() == 0


def test_a_head_that_stops_while_it_is_asked(tmp_path: Path) -> None:
    """The answer never comes: it is waited for so long and no longer, and later asked for again."""
    with container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="1") as node:
        node.pace |= {"snapshot_answer": 0.5}
        stall = node.nodeos_data / "STANDIN_STALL"
        node.run()
        node.wait(lambda: node.status()["snapshots"] > 0, "a snapshot")
        for _ in range(10):  # the stall must come before the next block, half a second after the request at most
            node.wait(lambda: list((node.nodeos_data / "snapshots").glob(".pending-*")), "a request")
            stall.touch()
            time.sleep(0.9)
            if "create_snapshot: no answer within" in node.said():
                break
            stall.unlink()
        assert "create_snapshot: no answer within" in node.said()
        taken = node.said().count("snapshot of block")
        assert node.process
        assert node.process.poll() is None
        stall.unlink()
        node.wait(lambda: node.said().count("snapshot of block") > taken + 1, "snapshots again")
        assert "snapshot: works again" in node.said()


def test_left_by_lives_that_were_cut_off(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="3600") as node:
        node.run()
        node.wait(lambda: len(listed(node)) == 1, "a snapshot")
        assert node.stop() == 0
        [one] = (node.data / "snapshots").glob("*.bin")
        finished = node.nodeos_data / "snapshots" / f"snapshot-{'0' * 7}1{'a' * 56}.bin"
        finished.write_bytes(one.read_bytes())
        pending = node.nodeos_data / "snapshots" / f".pending-{one.name}"
        pending.write_bytes(b"half")
        (node.data / "snapshots" / ".x.bin.part").write_bytes(b"half")
        (node.data / "snapshots" / "gone.bin.json").write_text("{}")
        (node.data / "snapshots" / "junk.bin").write_bytes(b"no snapshot")
        node.run()
        assert [entry["head_block_num"] for entry in listed(node)] == [int(one.name[9:17], 16), 1]
        assert not pending.exists()
        assert not finished.exists()
        left = {path.name for path in (node.data / "snapshots").iterdir()}
        assert left == {
            *(f"{one.name}{end}" for end in ("", ".json")),
            *(f"{finished.name}{end}" for end in ("", ".json")),
            "junk.bin",
        }
        assert "junk.bin is no snapshot of nodeos: it is left alone" in node.said()


def test_no_path_leads_elsewhere(tmp_path: Path) -> None:
    paths = [
        "../life.json",
        "..%2flife.json",
        "/etc/passwd",
        "%2e%2e/life.json",
        ".lock",
        "x.bin",
        "",
        "a.bin.json",
        "\\..",
    ]
    with container(tmp_path / "node", "snapshots") as node:
        node.run()
        for path in paths:
            with socket.create_connection(("127.0.0.1", node.listen), timeout=5) as asking:
                asking.sendall(f"GET /snapshots/{path} HTTP/1.0\r\n\r\n".encode())
                answer = asking.recv(1000)
            assert answer.split()[1] == b"404", path


def test_so_many_at_a_time(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="3600") as node, ExitStack() as stack:
        node.run()
        node.wait(lambda: len(listed(node)) == 1, "a snapshot")
        request = f"GET /snapshots/{listed(node)[0]['name']} HTTP/1.0\r\n\r\n".encode()
        statuses = []
        for _ in range(MOST_SENT + 2):
            taker = stack.enter_context(socket.socket())
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            taker.settimeout(5)
            taker.connect(("127.0.0.1", node.listen))
            taker.sendall(request)
            statuses.append(taker.recv(12).split()[1])
        assert statuses == [b"200"] * MOST_SENT + [b"503"] * 2
        assert node.status()["state"] == "running"  # nobody else waits for them


def test_one_that_is_being_sent_is_not_removed(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="1", CHAINWATCH_SNAPSHOT_KEEP="1") as node:
        node.run()
        node.wait(lambda: len(listed(node)) == 1, "a snapshot")
        sent = node.data / "snapshots" / str(listed(node)[0]["name"])
        with socket.socket() as taker:
            taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            taker.connect(("127.0.0.1", node.listen))
            taker.sendall(f"GET /snapshots/{sent.name} HTTP/1.0\r\n\r\n".encode())
            taker.recv(100)
            if not sent.exists():
                pytest.skip("it was replaced before it was asked for")
            said = node.said().count("snapshot of block")
            node.wait(lambda: node.said().count("snapshot of block") > said + 1, "newer ones")
            assert sent.exists()
        node.wait(lambda: not sent.exists(), "removed once it is sent")


def test_a_full_disk(tmp_path: Path) -> None:
    with (
        container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="1") as node,
        volume(node.data, megabytes=80) as filled,
    ):
        node.run()
        node.wait(lambda: len(listed(node)) >= 1, "a snapshot")
        filled(leave=50 << 20)
        node.wait(lambda: "the disk is full" in node.said(), "said so")
        kept = listed(node)
        assert kept
        assert "the older ones stay" in node.said()
        node.wait(lambda: "snapshot_failures_total 3" in node.page(), "tries")
        assert listed(node) == kept
        assert node.status()["state"] == "running"
        filled.undo()
        node.wait(lambda: "snapshot: works again" in node.said(), "room again")
        assert node.stop() == 0
