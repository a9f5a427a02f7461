"""A database that nodeos won't have is put aside and restored: from a snapshot, else from the blocks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compose.nodeos.snapshots.kept import digest
from tests.compose.nodeos.living import CHAIN_ID, GENESIS, STANDIN, Container, container, fingerprint, nodeos_is
from tests.real.servers import fetch, wait_for

pytestmark = pytest.mark.slow


def snapshot_of(node: Container) -> Path:
    """Have nodeos take a snapshot; return where the node keeps it from its next start on."""
    node.grow()
    answer = fetch(f"http://127.0.0.1:{node.http}/v1/producer/create_snapshot", b"").json()
    taken = Path(answer["snapshot_name"])
    kept = node.data / "snapshots" / taken.name
    kept.parent.mkdir(exist_ok=True)
    return taken.rename(kept)


def dirty(node: Container) -> int:
    """Leave a database that was never closed; return the head that it had."""
    node.run()
    head = node.grow(2)
    node.cut_off()
    return head


def test_from_the_newest_snapshot(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        snapshot_of(node)
        newest = snapshot_of(node)
        node.cut_off()

        node.run()
        assert node.status()["started_from"] == newest.name
        assert node.status()["restores"] == 1
        assert "nodeos_entrypoint_restores_total 1" in node.page()
        assert node.info()["chain_id"] == CHAIN_ID
        [evidence] = node.evidence()
        assert (evidence / "state" / "shared_memory.bin").exists()
        assert "dirty" in (evidence / "reason.txt").read_text()
        assert "dirty flag set" in (evidence / "log.txt").read_text()
        assert node.life()["restoring"] is None
        assert node.stop() == 0
        node.run()  # and from then on as if nothing had been
        assert node.status()["started_from"] == "as it is"


def test_without_a_snapshot_the_blocks_are_replayed(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        head = dirty(node)
        node.run()
        assert node.status()["started_from"] == "replay"
        assert node.head() >= head - 1  # all that was irreversible


def test_with_neither_it_begins_with_the_genesis(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        dirty(node)
        shutil.rmtree(node.nodeos_data / "blocks")
        node.run()
        assert node.status()["started_from"] == "genesis"


def test_blocks_that_cannot_be_replayed(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        dirty(node)
        (node.nodeos_data / "blocks" / "blocks.log").write_bytes(b"garbage" * 1000)
        node.run()
        assert node.status()["started_from"] == "genesis"
        [evidence] = node.evidence()
        assert (evidence / "blocks" / "blocks.log").exists()


def test_a_producer_keeps_its_blocks_whatever_snapshots_there_are(tmp_path: Path) -> None:
    with container(tmp_path / "node", "producer") as node:
        node.run()
        snapshot_of(node)
        head = node.grow(4)
        node.cut_off()
        node.run()
        assert node.status()["started_from"] == "replay"
        assert node.head() >= head - 1


@pytest.mark.parametrize("written", ["nothing", "half"])
def test_a_producer_that_is_cut_off_while_nodeos_writes_its_blocks_anew(tmp_path: Path, written: str) -> None:
    """For a replay nodeos moves its blocks away, and what it writes in their place is whole only at the end."""
    with container(tmp_path / "node", "producer") as node:
        head = dirty(node)
        blocks = node.nodeos_data / "blocks"
        first = f"cd {node.nodeos_data}; mv blocks blocks-2026-01-01T00:00:00.000; mkdir blocks; "
        if written == "half":
            first += "head -c 300 blocks-2026*/blocks.log >blocks/blocks.log; "
        once = f"[ -e {tmp_path}/once ] || {{ touch {tmp_path}/once; {first} kill -KILL $$; }}"
        nodeos_is(node, f'case "$*" in *--hard-replay*) {once} ;; esac; exec "{STANDIN}" "$@"')
        assert node.live() == 128 + signal.SIGKILL
        assert (blocks / "blocks.log").exists() == (written == "half")
        node.run()
        assert node.status()["started_from"] == "replay"
        assert node.head() >= head - 1
        assert len(list(node.nodeos_data.glob("blocks-2*"))) == 1  # that of the second replay


def test_a_producer_without_blocks_does_not_begin_a_chain_that_exists(tmp_path: Path) -> None:
    with container(tmp_path / "other", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="1") as other:
        other.run()
        other.wait(lambda: other.status()["snapshots"], "a snapshot")
        with container(tmp_path / "node", "producer", CHAINWATCH_SNAPSHOTS_FROM=other.url) as node:
            node.start()
            told = node.wait_for_state("waiting")
            assert "to begin anew would split it" in told["reason"]
            assert not node.nodeos()
            assert node.stop() == 0


def test_a_producer_that_has_but_a_snapshot_left_does_not_begin_its_chain_anew(tmp_path: Path) -> None:
    with container(tmp_path / "node", "producer") as node:
        node.run()
        snapshot_of(node)
        assert node.stop() == 0
        shutil.rmtree(node.nodeos_data)
        node.start()
        assert "to begin anew would split it" in node.wait_for_state("waiting")["reason"]
        assert not node.nodeos()
        assert node.stop() == 0
        (node.config / "genesis.json").write_text(json.dumps({**GENESIS, "initial_timestamp": "2026-01-02T00:00:00"}))
        node.run()  # a chain that is another
        assert node.status()["started_from"] == "genesis"


def test_a_producer_without_data_waits_until_it_is_told_whether_its_chain_exists(tmp_path: Path) -> None:
    """Whoever knows may be slower to come up, or be gone for a while: to begin anew could split the chain."""
    with (
        container(tmp_path / "other", "snapshots", config="", CHAINWATCH_SNAPSHOT_EVERY="3600") as other,
        container(tmp_path / "node", "producer", CHAINWATCH_SNAPSHOTS_FROM=other.url) as node,
    ):
        node.start()
        told = node.wait_for_state("waiting")
        assert "whether there is a chain already is not known" in told["reason"]
        time.sleep(2 * node.pace["patience"])
        assert not node.nodeos()
        assert node.said().count("Connection refused") == 1
        other.start()  # which has no snapshot: there is no chain yet
        node.wait_up()
        assert node.status()["started_from"] == "genesis"


def test_a_snapshot_that_is_not_what_it_was(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        kept = snapshot_of(node)
        assert node.stop() == 0
        node.run()
        node.cut_off()
        with kept.open("r+b") as file:
            file.seek(1_000_000)
            file.write(b"x")
        node.run()
        assert node.status()["started_from"] == "replay"
        assert f"{kept.name} is not what it was" in node.said()
        assert not kept.exists()


def test_a_snapshot_that_nodeos_refuses(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="3600") as node:
        node.run()
        node.wait(lambda: node.status()["snapshots"] == 1, "a snapshot")
        newer = snapshot_of(node)
        with newer.open("r+b") as file:  # before anybody has a checksum of it
            file.seek(1_000_000)
            file.write(b"x")
        bad = digest(newer)
        node.cut_off()
        node.run()
        assert f"{newer.name} is bad" in node.said()
        assert node.life()["bad"] == [bad]
        assert node.status()["started_from"].startswith("snapshot-")
        assert not newer.exists()  # nor is it offered to others
        [offered] = fetch(f"{node.url}/snapshots").json()
        assert offered["name"] == node.status()["started_from"]


def test_blocks_that_do_not_reach_the_snapshot_are_set_aside(tmp_path: Path) -> None:
    with container(tmp_path / "other", "snapshots", CHAINWATCH_SNAPSHOT_EVERY="1") as other:
        other.run()
        other.grow(8)
        other.wait(lambda: fetch(f"{other.url}/snapshots").json()[0]["head_block_num"] > 8, "a snapshot")
        with container(tmp_path / "node", config="") as node:
            node.run()  # makes no blocks of its own: its log ends with the first
            node.cut_off()
            node.environment["CHAINWATCH_SNAPSHOTS_FROM"] = other.url
            node.run()
            assert node.status()["started_from"].startswith("snapshot-")
            assert node.head() > 8
            [evidence] = node.evidence()
            assert (evidence / "blocks" / "blocks.log").exists()
            assert not node.life()["bad"]


def _answers(node: Container) -> bool:
    try:
        return bool(node.info())
    except OSError:
        return False


@contextmanager
def foreign_nodeos(node: Container) -> Iterator[subprocess.Popen[bytes]]:
    """Run a nodeos on a node's data that its entrypoint knows nothing of."""
    argv = [str(STANDIN), f"--data-dir={node.nodeos_data}", f"--config-dir={node.config}"]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL, env=node.environment) as foreign:
        try:
            wait_for(lambda: _answers(node), "the foreign nodeos", every=0.05)
            yield foreign
        finally:
            foreign.send_signal(signal.SIGTERM)


def test_a_second_entrypoint_on_the_same_volume_waits(tmp_path: Path) -> None:
    with container(tmp_path / "node") as first, container(tmp_path / "second") as second:
        first.run()
        first.grow()
        before = fingerprint(first.nodeos_data / "state")
        second.environment["CHAINWATCH_DATA"] = str(first.data)
        second.start()
        told = second.wait_for_state("occupied")
        assert "another entrypoint" in told["reason"]
        assert "nodeos_entrypoint_occupied 1" in second.page()
        assert not second.nodeos()
        first.grow()
        assert fingerprint(first.nodeos_data / "state") == before
        assert first.stop() == 0
        second.wait_up()  # it goes on from where the first left off
        assert second.status()["started_from"] == "as it is"


def test_a_nodeos_that_somebody_else_runs_is_left_alone(tmp_path: Path) -> None:
    """It gives a second one the same exit code as a dirty database does."""
    with container(tmp_path / "node") as node:
        node.run()
        assert node.stop() == 0
        with foreign_nodeos(node) as foreign:
            before = fingerprint(node.nodeos_data / "state")
            content = node.state.read_bytes()[:4096]
            head = node.head()
            node.start()
            told = node.wait_for_state("occupied")
            assert f"process {foreign.pid}" in told["reason"]
            wait_for(lambda: node.head() > head, "it goes on")
            assert fingerprint(node.nodeos_data / "state") == before
            assert node.state.read_bytes()[:4096] == content
            assert not node.evidence()
        node.wait_up()
        assert node.status()["started_from"] == "as it is"
        assert not node.evidence()


def test_a_nodeos_of_somebody_else_that_comes_in_between(tmp_path: Path) -> None:
    """Between the look at the lock and our start: ours ends with 2, and nothing is cleared all the same."""
    with container(tmp_path / "node") as node:
        node.run()
        assert node.stop() == 0
        began, go = tmp_path / "began", tmp_path / "go"
        nodeos_is(node, f'touch {began}; while [ ! -e {go} ]; do sleep 0.05; done; exec "{STANDIN}" "$@"')
        node.start()
        node.wait(began.exists, "our nodeos, which hesitates")
        with foreign_nodeos(node) as foreign:
            before = fingerprint(node.nodeos_data / "state")
            go.touch()
            told = node.wait_for_state("occupied")
            assert f"process {foreign.pid}" in told["reason"]
            assert node.life()["exits"]["2"] == 1
            assert fingerprint(node.nodeos_data / "state") == before
            assert node.head()
        node.wait_up()
        assert node.status()["started_from"] == "as it is"
        assert not node.evidence()


def test_the_entrypoint_is_killed_and_nodeos_lives_on(tmp_path: Path) -> None:
    """Not in a container, where all go with PID 1, but wherever else it is run."""
    with container(tmp_path / "node") as node:
        node.run()
        assert node.process
        [nodeos] = node.nodeos()
        node.process.kill()
        node.process.wait()
        node.start()
        node.wait_for_state("occupied")
        os.kill(nodeos, signal.SIGTERM)
        node.wait_up()
        assert node.status()["started_from"] == "as it is"


@pytest.mark.parametrize("moment", ["as it begins", "while nodeos starts from it"])
def test_cut_off_half_way_through_a_restore(tmp_path: Path, moment: str) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        snapshot_of(node)
        node.cut_off()
        node.start()
        if moment == "as it begins":
            node.wait(node.evidence, "evidence")
        else:
            node.wait(lambda: "starting from the snapshot" in node.said() and node.nodeos(), "its nodeos")
        node.cut_off()
        (node.data / "snapshots" / ".snapshot-half.bin.part").write_bytes(b"half")
        (node.data / ".cleared").mkdir()
        node.run()
        assert node.status()["started_from"].startswith("snapshot-")
        assert len(node.evidence()) == 1
        assert not list(node.data.rglob("*.part"))
        assert not (node.data / ".cleared").exists()


def test_three_restores_an_hour_are_enough(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.pace |= {"restore_window": 30.0, "first_pause": 0.01, "longest_pause": 0.01}
        node.run()
        snapshot_of(node)
        node.cut_off()
        for count in range(1, 4):
            node.run()
            assert node.status()["restores"] == count
            node.cut_off()
        node.start()
        node.wait(lambda: "restored 3 times lately" in node.status().get("reason", ""), "enough")
        told = node.status()
        assert told["state"] == "backing off"
        assert told["next_start"]
        assert len(node.evidence()) == 1
        assert node.stop() == 0


def test_the_newest_evidence_alone_is_kept(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        for _ in range(2):
            dirty(node)
        node.run()
        assert len(node.evidence()) == 1
        assert len(list(node.nodeos_data.glob("blocks-2*"))) <= 2  # nodeos's own copies
        assert node.stop() == 0
        node.run()
        assert len(list(node.nodeos_data.glob("blocks-2*"))) == 1


def test_notes_name_a_snapshot_only_once_it_is_bad(tmp_path: Path) -> None:
    """A wrong option is no snapshot's fault, and all snapshots are there once it is mended."""
    with container(tmp_path / "node") as node:
        node.run()
        kept = snapshot_of(node)
        node.cut_off()
        config = node.config / "config.ini"
        good = config.read_text()
        config.write_text(good + "no-such-option = 1\n")
        for _ in range(3):
            assert node.live() == 254
        config.write_text(good)
        node.run()
        assert node.status()["started_from"] == kept.name
        assert json.loads(kept.with_name(f"{kept.name}.json").read_text())["sha256"] == digest(kept)


def test_a_snapshot_that_nodeos_dies_of(tmp_path: Path) -> None:
    """It says nothing of why: a second death of the same one is taken for an answer."""
    with container(tmp_path / "node") as node:
        node.run()
        snapshot = snapshot_of(node)
        node.cut_off()
        nodeos_is(node, f'case "$*" in *{snapshot.name}*) kill -SEGV $$ ;; esac; exec "{STANDIN}" "$@"')
        assert node.live() == 128 + signal.SIGSEGV
        node.run()
        assert f"{snapshot.name} is bad" in node.said()
        assert node.status()["started_from"] == "replay"


def test_a_database_that_fits_nothing_any_more(tmp_path: Path) -> None:
    """It calls for a replay by another exit code than that of a dirty one."""
    with container(tmp_path / "node") as node:
        node.run()
        assert node.stop() == 0
        (node.nodeos_data / "blocks" / "reversible" / "fork_db.dat").unlink()
        node.run()
        assert "Replay required" in node.said()
        assert node.status()["started_from"] == "replay"
