"""It is asked to stop: nodeos gets the time to close its database, and the container ends with 0."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.compose.nodeos.living import alive, container, nodeos_is


def test_running(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        head = node.grow()
        assert node.stop() == 0
        assert "nodeos ended" in node.said()
        node.run()  # and its database is clean
        assert node.head() >= head
        assert not node.evidence()
        assert node.life()["crashes"] == 0


def test_a_database_that_takes_long_to_close(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run(STANDIN_CLOSE_SECONDS="1.5")
        assert node.process
        node.process.send_signal(signal.SIGTERM)
        node.wait_for_state("stopping")
        assert "nodeos_entrypoint_stopping 1" in node.page()
        node.process.send_signal(signal.SIGTERM)  # whoever is impatient hastens nothing
        assert node.ended() == 0
        node.run()
        assert not node.evidence()


@pytest.mark.slow
@pytest.mark.parametrize("closing", ["0", "1"])
def test_while_it_syncs(tmp_path: Path, closing: str) -> None:
    with container(tmp_path / "other") as other:
        other.run()
        other.grow(12)
        peer = f"p2p-peer-address = 127.0.0.1:{other.p2p}\n"
        with container(tmp_path / "node", config=peer, STANDIN_SYNC_RATE="4", STANDIN_CLOSE_SECONDS=closing) as node:
            node.run()
            reached = node.grow(2)
            assert other.head() > node.head() + 4  # in the middle of it
            assert node.stop() == 0
            node.environment["STANDIN_SYNC_RATE"] = "1000"
            node.run()  # its database is clean, and it goes on from there
            assert node.status()["started_from"] == "as it is"
            assert node.head() >= reached
            node.wait(lambda: node.head() >= other.head() - 1, "the rest")
            assert not node.evidence()


@pytest.mark.slow
def test_while_it_replays(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        head = node.grow(10)
        node.cut_off()
        node.start(STANDIN_SYNC_RATE="2")
        node.wait(lambda: "attempting to replay" in node.said(), "a replay")
        assert node.stop() == 0
        node.run()
        assert node.head() >= head - 1
        assert node.status()["restores"] == 1


def test_a_database_that_takes_too_long_to_close(tmp_path: Path) -> None:
    with container(tmp_path / "node", CHAINWATCH_STOP_WITHIN="0.5") as node:
        node.run(STANDIN_CLOSE_SECONDS="20")
        began = time.monotonic()
        assert node.stop() == 128 + signal.SIGKILL
        assert 0.5 <= time.monotonic() - began < 5
        assert "killed: it is dirty now" in node.said()


def test_an_interrupt_from_a_terminal(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        assert node.process
        node.process.send_signal(signal.SIGINT)
        assert node.ended() == 0


def test_before_nodeos_has_come_up(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        for _ in range(3):
            node.start()
            node.wait(node.status, "somebody there")
            assert node.stop() == 0
        node.run()
        assert not node.evidence()


def test_while_it_backs_off(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.pace |= {"first_pause": 60.0, "longest_pause": 60.0}
        assert node.live(STANDIN_CRASH="exit:9") == 9
        node.start()
        node.wait_for_state("backing off")
        began = time.monotonic()
        assert node.stop() == 0
        assert time.monotonic() - began < 2
        node.run()  # whoever stopped it has mended something: it doesn't wait any more


def test_while_it_fetches(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with container(tmp_path / "node", CHAINWATCH_SNAPSHOTS_FROM=source) as node:
            node.pace |= {"stall": 60.0}
            node.start()
            node.wait_for_state("fetching")
            began = time.monotonic()
            assert node.stop() == 0
            assert time.monotonic() - began < 3
            assert not node.state.exists()


def test_orphans_are_reaped(tmp_path: Path) -> None:
    """As PID 1, where whatever loses its parent becomes its child."""
    with container(tmp_path / "node") as node:
        nodeos_is(node, '(sleep 0.2 & echo $! >"$0.orphan") & wait; exec sleep 60')
        node.argv = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *node.argv]
        if subprocess.run(["unshare", "--pid", "--fork", "true"], capture_output=True, check=False).returncode:
            pytest.skip("nobody can be PID 1 here")
        node.start()
        node.wait_for_state("running")
        [init] = node.nodeos()  # the child of unshare: the entrypoint, PID 1
        node.wait(lambda: len(_children(init)) > 1, "an orphan", within=5)
        node.wait(lambda: len(_children(init)) == 1, "no orphan", within=5)
        assert alive(init)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
