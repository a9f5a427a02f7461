"""Several nodes: blocks travel over real connections, and whoever is cut off stands still."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.simulated.standin.nodes import NODEOS, Node, until

Make = Callable[..., Node]


def test_three_nodes_have_the_same_chain(make: Make) -> None:
    """A producer, one who knows it, and one who knows that one alone."""
    producer = make("producer").produces().start()
    middle = make("middle").follows(producer).start()
    far = make("far").follows(middle).start()
    for node in (producer, middle, far):
        node.up()
    producer.reaches(6)
    until(lambda: far.head() >= producer.head() - 1)
    number = far.head() - 1
    found = [node.ask("/v1/chain/get_block", {"block_num_or_id": number})[1] for node in (producer, middle, far)]
    assert found[0] == found[1] == found[2]
    assert found[0]["block_num"] == number
    info = far.info()
    assert info["last_irreversible_block_num"] == info["head_block_num"] - 1
    assert "Received block" in far.said()


def test_connections_are_listed_as_they_are(make: Make) -> None:
    producer = make("producer").produces().start().up()
    worker = make("worker").follows(producer, make("absent")).start().up()
    until(worker.connected)
    _, found = worker.ask("/v1/net/connections")
    live, dead = sorted(found, key=lambda one: -one["last_handshake"]["network_version"])
    assert live["peer"] == f"localhost:{producer.p2p}"
    assert live["last_handshake"]["agent"] == "producer"
    assert live["last_handshake"]["p2p_address"].startswith(f"127.0.0.1:{producer.p2p} - ")
    assert (dead["connecting"], dead["last_handshake"]["p2p_address"]) == (False, "")
    _, incoming = producer.ask("/v1/net/connections")
    assert [one["peer"] for one in incoming] == [""]
    frozen = live["last_handshake"]["head_num"]
    worker.reaches(frozen + 3)
    assert worker.ask("/v1/net/status", live["peer"])[1]["last_handshake"]["head_num"] == frozen
    assert worker.ask("/v1/net/status", "127.0.0.1:1") == (201, None)


def test_a_stopped_producer_stalls_all_until_it_goes_on(make: Make) -> None:
    producer = make("producer").produces().start().up()
    worker = make("worker").follows(producer).start().up()
    worker.reaches(3)
    producer.signal(signal.SIGSTOP)
    assert worker.stands_still()
    assert worker.connected() == 1
    with socket.create_connection(("127.0.0.1", producer.port), 1) as client:
        client.sendall(b"GET /v1/chain/get_info HTTP/1.1\r\nHost: x\r\n\r\n")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
    producer.signal(signal.SIGCONT)
    worker.reaches(worker.head() + 2)


@pytest.mark.slow
def test_a_silent_peer_is_cut_off_and_dialled_again(make: Make) -> None:
    producer = make("producer").produces().start().up()
    worker = make("worker").follows(producer).start().up()
    until(worker.connected)
    producer.signal(signal.SIGSTOP)
    assert until(lambda: not worker.connected(), 20) > 5
    assert "heartbeat timed out" in worker.said()
    producer.signal(signal.SIGCONT)
    worker.reaches(worker.head() + 2)


def test_a_killed_producer_stalls_all_until_it_is_back(make: Make) -> None:
    """Killed it loses its head, and makes another in its place: the others change over to the longer branch."""
    producer = make("producer").produces().start().up()
    worker = make("worker").follows(producer).start().up()
    worker.reaches(4)
    producer.kill()
    assert worker.stands_still(0.7)
    lost = worker.info()
    producer.start("--hard-replay-blockchain").up()
    worker.reaches(lost["head_block_num"] + 2)
    number = lost["head_block_num"]
    found = [node.ask("/v1/chain/get_block_info", {"block_num": number})[1]["id"] for node in (producer, worker)]
    assert found[0] == found[1]


def test_one_that_was_away_catches_up_at_the_pace_that_is_set(make: Make) -> None:
    producer = make("producer").produces()
    producer.grow(1500)
    producer.start().up()
    slow = make("slow").follows(producer).start(STANDIN_SYNC_RATE="300").up()
    fast = make("fast").follows(producer).start().up()
    fast.reaches(1500, 3)
    time.sleep(0.5)
    assert 50 < slow.head() < 1400
    _, found = slow.ask("/v1/net/connections")
    assert [one["syncing"] for one in found] == [True]
    slow.reaches(1501)
    assert slow.info()["head_block_num"] >= producer.head() - 1


def test_syncing_goes_on_with_another_when_its_source_goes_away(make: Make) -> None:
    producer = make("producer").produces()
    producer.grow(1000)
    producer.start().up()
    other = make("other").follows(producer).start().up()
    other.reaches(1000)
    late = make("late").follows(other, producer).start(STANDIN_SYNC_RATE="500").up()
    late.reaches(200)
    other.kill()
    late.reaches(1001)


def test_term_during_a_sync_ends_cleanly_and_it_goes_on_from_there(make: Make) -> None:
    producer = make("producer").produces()
    producer.grow(3000)
    producer.start().up()
    late = make("late").follows(producer).start(STANDIN_SYNC_RATE="500").up()
    late.reaches(100)
    assert late.stop() == 0
    late.start(genesis=False, STANDIN_SYNC_RATE="100").up()
    assert 100 <= late.head() < 2900


def test_another_chain_is_refused_and_not_dialled_again(make: Make) -> None:
    producer = make("producer").produces().start().up()
    stranger = make("stranger", genesis={"initial_timestamp": "2020-01-01T00:00:00.000"}).follows(producer)
    stranger.start().up()
    until(lambda: "different chain" in stranger.said() or "wrong chain" in stranger.said())
    time.sleep(0.6)
    _, found = stranger.ask("/v1/net/connections")
    assert [(one["connecting"], one["last_handshake"]["network_version"]) for one in found] == [(False, 0)]
    assert found[0]["last_handshake"]["chain_id"] == "0" * 64
    assert stranger.head() == 1
    assert producer.ask("/v1/net/connections") == (201, [])
    assert producer.said().count("connected to") == 0


@pytest.mark.slow
def test_a_producer_with_another_past_is_refused(make: Make) -> None:
    """What is irreversible stays: a producer that was restored from an old snapshot has lost its followers."""
    producer = make("producer").produces().start().up()
    worker = make("worker").follows(producer).start().up()
    _, snapshot = producer.ask("/v1/producer/create_snapshot")
    worker.reaches(snapshot["head_block_num"] + 4)
    worker.signal(signal.SIGSTOP)
    producer.kill()
    for path in (producer.data / "state").iterdir():
        path.unlink()
    for name in ("blocks.log", "blocks.index"):
        (producer.data / "blocks" / name).unlink()
    producer.start("--snapshot", snapshot["snapshot_name"], genesis=False).up()
    producer.reaches(snapshot["head_block_num"] + 8)
    worker.signal(signal.SIGCONT)
    until(lambda: "unlinkable" in worker.said() + producer.said())
    assert worker.stands_still()
    assert worker.head() < producer.head()


def test_peers_come_and_go_by_request(make: Make) -> None:
    producer = make("producer").produces().start().up()
    worker = make("worker").start().up()
    name = f"localhost:{producer.p2p}"
    assert worker.ask("/v1/net/connections") == (201, [])
    assert worker.ask("/v1/net/connect", name) == (201, "added connection")
    assert worker.ask("/v1/net/connect", name) == (201, "already connected")
    worker.reaches(3)
    assert worker.ask("/v1/net/disconnect", name) == (201, "connection removed")
    assert worker.ask("/v1/net/disconnect", name) == (201, "no known connection for host")
    assert worker.stands_still(0.7)
    assert worker.ask("/v1/net/connections") == (201, [])
    assert worker.ask("/v1/net/connect")[0] == 400


def test_two_who_dial_each_other_keep_one_connection(make: Make) -> None:
    a, b = make("a"), make("b")
    a.follows(b, a)  # and itself
    b.follows(a)
    a.start().up()
    b.start().up()
    until(lambda: a.connected() and b.connected())
    time.sleep(1)
    assert (a.connected(), b.connected()) == (1, 1)
    assert "Self connection" in a.said()


def test_a_host_may_have_so_many_connections(make: Make) -> None:
    producer = make("producer")
    producer.configure()
    text = (producer.config / "config.ini").read_text().replace("p2p-max-nodes-per-host = 50\n", "")
    (producer.config / "config.ini").write_text(text)
    producer.start().up()
    first = make("first").follows(producer).start().up()
    until(first.connected)
    second = make("second").follows(producer).start().up()
    until(lambda: "exceeds limit 1" in producer.said())
    assert second.connected() == 0
    first.kill()
    until(second.connected)


@pytest.mark.slow
def test_a_stalled_head_stands_still_until_it_may_go_on(make: Make) -> None:
    producer = make("producer").produces().start().up()
    worker = make("worker").follows(producer).start().up()
    worker.reaches(3)
    stall = worker.data / "STANDIN_STALL"
    stall.touch()
    assert worker.stands_still()
    assert not producer.stands_still(0.7)
    assert worker.connected() == 1
    stall.unlink()
    worker.reaches(producer.head())
    (producer.data / "STANDIN_STALL").touch()
    assert producer.stands_still()


def test_a_paused_producer_says_so(node: Node) -> None:
    node.produces().start("--pause-on-startup").up()
    assert node.ask("/v1/producer/paused") == (201, True)
    assert node.stands_still(0.7)
    node.ask("/v1/producer/resume")
    assert node.ask("/v1/producer/paused") == (201, False)
    node.reaches(3)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\n",
        b"[]\n",
        b"{}\n{}\n",
        b'{"hello": {}}\n',
        b'{"hello": 1}\n',
        b"[" * 100_000 + b"\n",
        b'{"block": [1, 2]}\n',
        b"x" * 2_000_000,
    ],
)
def test_nonsense_on_the_port_disturbs_nobody(make: Make, sent: bytes) -> None:
    node = make("node").start().up()
    with socket.create_connection(("127.0.0.1", node.p2p), 5) as client:
        client.settimeout(5)
        with contextlib.suppress(ConnectionError):
            client.sendall(sent)
            while client.recv(65536):
                pass
    assert node.answers()
    assert "Traceback" not in node.said()


def hello(node: Node) -> dict[str, Any]:
    """Return a greeting that a node accepts."""
    with socket.create_connection(("127.0.0.1", node.p2p), 5) as client:
        said = json.loads(client.makefile().readline())["hello"]
    return {**said, "node_id": "f" * 64}


@pytest.mark.parametrize(
    "message",
    [
        {"block": ["0", "1", 2, 3, 4]},
        {"block": ["0" * 64, 10**30, 10**30, "eosio", "x"]},
        {"want": [-5, 10**9]},
        {"want": "all"},
        {"want": [float("inf"), 3]},
        {"blocks": [["0" * 64, 2, 2, "eosio", "x"]]},
    ],
)
def test_nonsense_after_a_greeting_disturbs_nobody(make: Make, message: dict[str, Any]) -> None:
    node = make("node").start().up()
    greeting = hello(node)
    with socket.create_connection(("127.0.0.1", node.p2p), 5) as client:
        client.sendall((json.dumps({"hello": greeting}) + "\n" + json.dumps(message) + "\n").encode())
        time.sleep(0.2)
        assert node.head() == 1
    assert node.answers()
    assert "Traceback" not in node.said()


@pytest.mark.slow
def test_names_are_looked_up_again_at_each_try(make: Make, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A peer that has moved is found by its name: here the machine's own file of names is replaced, in a namespace."""
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs mount namespaces")
    producer = make("producer").produces().start().up()
    hosts = tmp_path_factory.mktemp("names") / "hosts"
    hosts.write_text("127.0.0.9 elsewhere\n")
    worker = make("worker")
    worker.configure(f"p2p-peer-address = elsewhere:{producer.p2p}")
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    worker.start(command=["unshare", "-m", "sh", "-c", script, "sh", str(NODEOS)]).up()
    assert worker.stands_still(1.0)
    hosts.write_text("127.0.0.1 elsewhere\n")
    worker.reaches(3)
