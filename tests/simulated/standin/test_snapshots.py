"""Snapshots: taken, restored, refused."""

from __future__ import annotations

import http.client
import shutil
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.simulated.standin.nodes import NODEOS, Node, until


def snapshot(node: Node) -> dict[str, Any]:
    status, found = node.ask("/v1/producer/create_snapshot")
    assert status == 201, found
    assert isinstance(found, dict)
    return found


def taken(make: Callable[..., Node]) -> tuple[Node, Path]:
    """Return a producer that has been stopped, and a snapshot of its chain."""
    producer = make("producer").produces()
    producer.grow(100)
    producer.start().up()
    path = Path(snapshot(producer)["snapshot_name"])
    producer.reaches(104)
    assert producer.stop() == 0
    return producer, path


def test_it_is_answered_once_its_block_is_irreversible(node: Node) -> None:
    node.produces().start().up()
    node.reaches(2)
    found = snapshot(node)
    info = node.info()
    path = Path(found["snapshot_name"])
    assert list(found) == ["head_block_id", "head_block_num", "head_block_time", "version", "snapshot_name"]
    assert found["head_block_num"] <= info["last_irreversible_block_num"]
    assert path == node.data / "snapshots" / f"snapshot-{found['head_block_id']}.bin"
    assert struct.unpack("<II", path.read_bytes()[:8]) == (0x30510550, 1)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert snapshot(node)["head_block_num"] > found["head_block_num"]


def test_it_is_never_answered_while_the_head_stands_still(node: Node) -> None:
    node.produces().start().up()
    node.reaches(2)
    assert node.ask("/v1/producer/pause") == (201, {"result": "ok"})
    time.sleep(0.6)
    with pytest.raises(TimeoutError):
        node.ask("/v1/producer/create_snapshot", patience=1.0)
    assert node.answers()
    assert [path.name[:18] for path in (node.data / "snapshots").iterdir()] == [".pending-snapshot-"]
    assert node.ask("/v1/producer/resume") == (201, {"result": "ok"})
    until(lambda: any(path.name.startswith("snapshot-") for path in (node.data / "snapshots").iterdir()))


def test_all_who_ask_at_one_block_have_one_answer(node: Node) -> None:
    node.produces().start().up()
    node.ask("/v1/producer/pause")
    time.sleep(0.6)
    answers: list[Any] = []
    asking = [threading.Thread(target=lambda: answers.append(snapshot(node))) for _ in range(3)]
    for one in asking:
        one.start()
    time.sleep(0.3)
    assert not answers
    node.ask("/v1/producer/resume")
    for one in asking:
        one.join()
    assert answers[0] == answers[1] == answers[2]


def test_one_that_is_there_already_is_not_taken_again(node: Node) -> None:
    node.produces().start().up()
    node.reaches(2)
    node.ask("/v1/producer/pause")
    time.sleep(0.6)
    found = node.info()["head_block_id"]
    directory = node.data / "snapshots"
    directory.mkdir()
    (directory / f"snapshot-{found}.bin").touch()
    status, answer = node.ask("/v1/producer/create_snapshot")
    assert status == 500
    assert answer["error"]["name"] == "snapshot_exists_exception"


def test_one_that_cannot_be_written_is_500_and_the_node_goes_on(node: Node) -> None:
    node.grow(2)
    node.produces().start(command=["prlimit", "--fsize=1000000", str(NODEOS)]).up()
    status, answer = node.ask("/v1/producer/create_snapshot")
    assert status == 500
    assert "File too large" in answer["error"]["details"][0]["message"]
    assert not list((node.data / "snapshots").iterdir())
    assert not node.stands_still(0.7)


def test_a_place_that_cannot_be_written_to_is_500_and_the_node_goes_on(node: Node) -> None:
    (node.data / "snapshots").write_text("no directory")
    node.produces().start().up()
    status, answer = node.ask("/v1/producer/create_snapshot")
    assert status == 500
    assert answer["error"]["name"] == "snapshot_exception"
    assert "Traceback" not in node.said()


def test_a_client_that_hangs_up_does_not_stop_it(node: Node) -> None:
    node.produces().start().up()
    client = http.client.HTTPConnection("127.0.0.1", node.port)
    client.request("POST", "/v1/producer/create_snapshot")
    client.close()
    until(lambda: list((node.data / "snapshots").glob("snapshot-*")))
    assert node.answers()


def test_a_fresh_node_begins_with_it_and_knows_nothing_before(make: Callable[..., Node]) -> None:
    producer, path = taken(make)
    node = make("fresh").follows(producer)
    node.start("--snapshot", str(path), genesis=False).up()
    number = int(path.name.removeprefix("snapshot-")[:8], 16)
    assert node.head() == number
    info = node.info()
    assert info["last_irreversible_block_num"] == number
    assert info["earliest_available_block_num"] == number + 1
    assert node.ask("/v1/chain/get_block", {"block_num_or_id": 1})[0] == 400
    producer.start().up()
    node.reaches(106)
    assert node.info()["chain_id"] == producer.info()["chain_id"]
    assert node.stop() == 0
    node.start(genesis=False).up()
    node.reaches(106)
    assert node.info()["earliest_available_block_num"] == number + 1


def test_after_a_kill_it_goes_on_from_the_snapshot_with_its_blocks(make: Callable[..., Node]) -> None:
    producer, path = taken(make)
    producer.configure()
    producer.start().up()
    producer.kill()
    assert producer.ends() == 2
    assert producer.ends("--snapshot", str(path), genesis=False) == 254
    assert "Snapshot can only be used to initialize an empty database." in producer.said()
    shutil.rmtree(producer.data / "state")
    producer.start("--snapshot", str(path), genesis=False).up()
    assert producer.head() >= 103
    assert producer.info()["earliest_available_block_num"] == 1


def test_a_log_that_does_not_reach_past_the_snapshot_is_254(make: Callable[..., Node]) -> None:
    _, path = taken(make)
    node = make("behind")
    node.grow(50)
    shutil.rmtree(node.data / "state")
    assert node.ends("--snapshot", str(path), genesis=False) == 254
    assert "does not contain the head block from the snapshot" in node.said()
    shutil.rmtree(node.data / "blocks")
    node.start("--snapshot", str(path), genesis=False).up()


def test_a_log_that_begins_after_the_snapshot_is_254(make: Callable[..., Node]) -> None:
    producer, path = taken(make)
    producer.start().up()
    producer.reaches(105)
    later = Path(snapshot(producer)["snapshot_name"])
    node = make("ahead").follows(producer)
    node.start("--snapshot", str(later), genesis=False).up()
    node.reaches(int(later.name[9:17], 16) + 2)
    assert node.stop() == 0
    shutil.rmtree(node.data / "state")
    assert node.ends("--snapshot", str(path), genesis=False) == 254


def test_a_log_that_begins_with_a_snapshot_needs_one(make: Callable[..., Node]) -> None:
    _, path = taken(make)
    node = make("fresh")
    node.start("--snapshot", str(path), genesis=False).up()
    node.stop()
    shutil.rmtree(node.data / "state")
    assert node.ends(genesis=False) == 254
    assert node.ends("--replay-blockchain") == 254


def test_a_snapshot_of_another_chain_than_the_log_is_254(make: Callable[..., Node]) -> None:
    _, path = taken(make)
    node = make("other", genesis={"initial_timestamp": "2020-01-01T00:00:00.000"})
    node.grow(200)
    shutil.rmtree(node.data / "state")
    assert node.ends("--snapshot", str(path), genesis=False) == 254
    assert "does not match the chain ID" in node.said()


def test_a_genesis_beside_a_snapshot_is_254(make: Callable[..., Node]) -> None:
    _, path = taken(make)
    node = make("fresh")
    assert node.ends("--snapshot", str(path)) == 254
    assert "--snapshot is incompatible with --genesis-json" in node.said()
    assert not list(node.data.iterdir())


@pytest.mark.parametrize("spoil", ["absent", "empty", "cut", "flipped", "schedule", "magic"])
def test_a_bad_snapshot_is_254_and_leaves_nothing(make: Callable[..., Node], spoil: str) -> None:
    _, path = taken(make)
    whole = path.read_bytes()
    bad = {
        "empty": b"",
        "cut": whole[:-1],
        "flipped": whole[:-9] + b"\1" + whole[-8:],
        "schedule": b'{"snapshot_requests":[]}',
        "magic": b"\0" + whole[1:],
    }
    if spoil == "absent":
        path.unlink()
    else:
        path.write_bytes(bad[spoil])
    node = make("fresh")
    assert node.ends("--snapshot", str(path), genesis=False) == 254
    assert not list(node.data.iterdir())
    assert spoil == "absent" or "snapshot_exception" in node.said()
