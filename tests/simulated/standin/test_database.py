"""The database and the block log through signals, kills, second instances and replays."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.simulated.standin.nodes import Node, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_0_and_it_goes_on_from_there(node: Node, number: int) -> None:
    node.produces().start().up()
    node.reaches(3)
    assert node.dirty()
    assert node.locked()
    node.signal(number)
    assert node.wait() == 0
    assert node.said().rstrip().endswith("nodeos successfully exiting")
    assert not node.dirty()
    assert not node.locked()
    node.configure()
    node.start(genesis=False).up()
    assert node.head() >= 3
    assert node.stands_still(0.7)


def test_a_big_database_takes_its_time_to_close_and_is_dirty_until_then(node: Node) -> None:
    node.start(STANDIN_CLOSE_SECONDS="1").up()
    node.signal(signal.SIGTERM)
    began = time.monotonic()
    time.sleep(0.5)
    node.signal(signal.SIGTERM)  # once more changes nothing
    assert node.dirty()
    assert node.wait() == 0
    assert 0.9 < time.monotonic() - began < 3
    assert not node.dirty()


def test_killed_it_is_dirty_and_does_not_start_again(node: Node) -> None:
    node.start().up()
    node.kill()
    before = node.memory.stat()
    for _ in range(2):
        assert node.ends() == 2
        said = "database dirty flag set (likely due to unclean shutdown): replay required"
        assert said in node.said()
    assert node.dirty()
    assert node.memory.stat().st_mtime_ns == before.st_mtime_ns


def test_a_second_instance_ends_with_2_and_disturbs_nothing(node: Node) -> None:
    node.produces().start().up()
    first = node.process
    assert first
    before = node.memory.stat().st_ino
    assert node.ends() == 2
    node.process = first
    assert first.poll() is None
    assert node.memory.stat().st_ino == before
    assert not node.stands_still(0.7)
    assert node.stop() == 0


def test_a_lock_alone_holds_it_off(node: Node) -> None:
    node.grow(2)
    script = (
        "import fcntl,sys,time; f=open(sys.argv[1],'r+b'); fcntl.lockf(f, 2); print('x', flush=True); time.sleep(9)"
    )
    holder = Node(node.folder, "holder").start(
        genesis=False, command=[os.environ.get("PYTHON", "python3"), "-c", script, str(node.memory)]
    )
    until(holder.said)
    assert node.ends() == 254
    assert not node.dirty()
    holder.kill()
    node.start().up()


def test_a_hard_replay_brings_back_all_but_the_head(node: Node) -> None:
    node.produces().start().up()
    node.reaches(4)
    node.kill()
    node.configure()
    node.start("--hard-replay-blockchain").up()
    info = node.info()
    assert info["head_block_num"] == info["last_irreversible_block_num"] >= 3
    assert len([path for path in node.data.iterdir() if path.name.startswith("blocks-20")]) == 1
    assert "Hard replay requested: deleting state database" in node.said()


def test_a_replay_is_paced_and_can_be_interrupted(node: Node) -> None:
    node.grow(1000)
    node.start("--replay-blockchain", STANDIN_SYNC_RATE="400")
    until(lambda: "attempting to replay" in node.said())
    time.sleep(0.3)
    with pytest.raises(OSError, match="refused"):
        node.info()
    assert node.stop() == 0
    assert "nodeos successfully exiting" in node.said()
    node.start().up()
    assert node.head() == 999
    said = node.said()
    began = int(said.partition("replay from ")[2].split()[0])
    assert 50 < began < 900


def test_a_log_that_is_torn_is_254_until_it_is_repaired(node: Node) -> None:
    node.grow(50)
    log = node.data / "blocks" / "blocks.log"
    whole = log.stat().st_size
    os.truncate(log, whole - 20)
    assert [node.ends(), node.ends()] == [254, 254]
    assert not node.dirty()
    node.start("--hard-replay-blockchain").up()
    assert node.head() == 48
    assert "damaged" in node.said()


def test_an_index_that_is_gone_is_made_again(node: Node) -> None:
    node.grow(50)
    index = node.data / "blocks" / "blocks.index"
    before = index.read_bytes()
    index.unlink()
    node.start().up()
    assert index.read_bytes() == before


def test_a_log_without_state_is_replayed_from_its_own_genesis(node: Node) -> None:
    node.grow(50)
    node.memory.unlink()
    node.start(genesis=False).up()
    assert node.head() == 49
    assert "extracted from blocks.log" in node.said()


def test_state_without_its_blocks_is_254(node: Node) -> None:
    node.grow(5)
    (node.data / "blocks" / "reversible" / "fork_db.dat").unlink()
    assert node.ends() == 254
    assert "No existing fork database despite existing chain state. Replay required." in node.said()
    assert not node.dirty()


def test_garbage_for_a_database_is_254(node: Node) -> None:
    node.grow(5)
    node.memory.write_bytes(b"garbage" * 1000)
    assert node.ends() == 254


def test_all_blocks_can_be_deleted(node: Node) -> None:
    node.grow(5)
    node.start("--delete-all-blocks").up()
    assert node.head() == 1


def test_hanging_up_changes_nothing(node: Node) -> None:
    node.start().up()
    node.signal(signal.SIGHUP)
    time.sleep(0.2)
    assert node.answers()


def test_deleting_under_a_live_instance_is_not_prevented(make: Callable[..., Node]) -> None:
    """As with nodeos: a second one that is told to replay takes the files away from under the first."""
    node = make()
    node.start().up()
    first = node.process
    before = node.memory.stat().st_ino
    other = Node(node.folder, "other")
    other.data = node.data
    other.start("--replay-blockchain", genesis=False).up()
    assert first
    assert first.poll() is None
    assert node.memory.stat().st_ino != before
    other.kill()
