"""nodeos ends by itself: so does the container, which is started again, after longer and longer pauses."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.compose.nodeos.living import PRODUCING, container, nodeos_is, volume
from tests.real.collecting import Page, collector

SEGV = 128 + signal.SIGSEGV


@pytest.mark.parametrize(("crash", "code"), [("segv", SEGV), ("abort", 128 + signal.SIGABRT), ("exit:7", 7)])
def test_the_container_ends_as_nodeos_did(tmp_path: Path, crash: str, code: int) -> None:
    with container(tmp_path / "node") as node:
        assert node.live(STANDIN_CRASH=crash) == code
        noted = node.life()
        assert noted["crashes"] == 1
        assert noted["exits"] == {str(code): 1}
        assert noted["last_exit"]["code"] == str(code)


def test_killed_from_outside(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        os.kill(node.nodeos()[0], signal.SIGKILL)
        assert node.ended() == 128 + signal.SIGKILL


def test_an_end_with_0_that_nobody_asked_for(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node, socket.create_server(("127.0.0.1", node.p2p)):
        assert node.live() == 1
        assert "ended, and nobody asked it to: exit code 0" in node.said()
        assert "in use" in node.life()["last_exit"]["reason"]


def test_no_nodeos_at_all(tmp_path: Path) -> None:
    with container(tmp_path / "node", PATH="/nowhere") as node:
        assert node.live() == 127
        assert "nodeos cannot be started: No such file or directory" in node.said()


@pytest.mark.slow
def test_ten_crashes_in_a_row(tmp_path: Path) -> None:
    with container(tmp_path / "node", CHAINWATCH_NODE="worker-4", CHAINWATCH_SLOT="4") as node:
        node.pace |= {"first_pause": 0.01, "longest_pause": 0.3}
        node.run()
        head = node.grow()
        assert node.stop() == 0
        (node.nodeos_data / "STANDIN_CRASH").write_text("segv")
        for _ in range(10):
            assert node.live() == SEGV
        pauses = [
            float(line.split("in ")[1].split(" s,")[0])
            for line in node.said().splitlines()
            if "starting nodeos in" in line
        ]
        assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16, 0.3, 0.3, 0.3, 0.3]

        pause = 8.0
        node.pace |= {"longest_pause": pause, "first_pause": pause}
        server = {"url": f"http://127.0.0.1:{node.http}", "name": "worker-4", "role": "worker"}
        chain = {"name": "lab", "kind": "nodeos", "servers": [server]}
        with collector(tmp_path, chain, interval=0.3, timeout=0.25) as watching:
            began = time.time()
            node.start()  # while it waits its name is there, and it says what it waits for, and until when
            told = node.wait_for_state("backing off")
            assert told["node"] == "worker-4"
            assert told["crashes"] == 10
            assert "10 crashes in a row" in told["reason"]
            assert "SIGSEGV" in told["reason"]
            until = datetime.fromisoformat(told["next_start"]).timestamp()
            assert began + pause - 1 <= until <= time.time() + pause
            page = Page(node.page())
            assert page.value("nodeos_entrypoint_info", node="worker-4", slot="4") == 1
            assert page.value("nodeos_entrypoint_backing_off") == 1
            assert page.value("nodeos_entrypoint_state", state="backing off") == 1
            assert page.value("nodeos_entrypoint_crashes_in_a_row") == 10
            assert page.value("nodeos_entrypoint_exits_total", code=str(SEGV)) == 10
            assert int(page.value("nodeos_entrypoint_next_start_timestamp_seconds")) == until

            for _ in range(3):  # gathers of the collector, which have begun since
                time.sleep(0.5)
                assert watching.page().value("chain_node_up", chain="lab", node="worker-4", role="worker") == 0
            assert node.status()["state"] == "backing off"  # all the while
            assert node.process
            assert node.process.poll() is None
            assert not node.nodeos()

            (node.nodeos_data / "STANDIN_CRASH").unlink()
            node.wait_up()  # mended: it comes up by itself
            assert node.head() >= head
            assert node.status()["crashes"] == 10  # until it has run for long
            assert "next_start" not in node.page()
            node.wait(lambda: watching.page().value("chain_node_up", node="worker-4") == 1, "seen")


@pytest.mark.slow
def test_a_disk_that_is_full_to_the_last_byte(tmp_path: Path) -> None:
    """Not even a crash can be noted: the pauses grow within one life, and room is all that it needs."""
    with container(tmp_path / "node") as node, volume(node.data, megabytes=8) as filled:
        node.pace |= {"first_pause": 0.1, "longest_pause": 60.0}
        node.run()
        head = node.grow(2)
        assert node.stop() == 0
        filled()
        node.start()
        node.wait(lambda: node.status().get("crashes", 0) >= 4, "crashes")
        told = node.wait_for_state("backing off")
        assert "exceeded file system configured threshold" in told["reason"]
        assert "life.json: cannot be written: No space left on device" in node.said()
        pauses = re.findall(r"starting nodeos in ([\d.]+) s", node.said())[:4]
        assert pauses == ["0.1", "0.2", "0.4", "0.8"]
        assert node.process
        assert node.process.poll() is None
        filled.undo()
        node.wait_up()
        assert node.status()["started_from"] == "as it is"  # its database was closed each time
        assert node.head() >= head
        assert not node.evidence()
        assert node.life()["crashes"] >= 4
        assert node.stop() == 0


@pytest.mark.slow
def test_a_disk_that_is_fuller_than_nodeos_allows(tmp_path: Path) -> None:
    """It ends with 0 while it runs, and whenever it is started: a failure, of which the disk is the reason."""
    quickly = f"{PRODUCING}resource-monitor-interval-seconds = 1\n"
    with container(tmp_path / "node", config=quickly) as node, volume(node.data, megabytes=80) as filled:
        node.run()
        filled(leave=200_000)
        assert node.ended() == 1
        assert node.live() == 1
        node.pace |= {"first_pause": 60.0, "longest_pause": 60.0}
        node.start()
        told = node.wait_for_state("backing off")
        assert told["crashes"] == 2
        assert "exceeded file system configured threshold" in told["reason"]
        filled.undo()
        assert node.stop() == 0
        node.run()
        assert node.status()["started_from"] == "as it is"
        assert not node.evidence()


def test_a_node_that_has_run_for_long_begins_to_count_anew(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        assert node.live(STANDIN_CRASH="segv") == SEGV
        node.pace |= {"settled": 0.5}
        node.run()
        node.wait(lambda: node.status()["crashes"] == 0, "settled")
        assert node.life()["crashes"] == 0


def test_a_power_cut_counts_as_a_crash(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        node.cut_off()
        node.run()
        assert node.life()["exits"]["cut off"] == 1


def test_notes_that_are_garbage(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.data.mkdir()
        (node.data / "life.json").write_bytes(b"{")
        node.run()
        assert node.stop() == 0
        assert "life.json cannot be read" in node.said()
        assert node.life()["starts"] == 1


def test_notes_that_make_no_sense(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.data.mkdir()
        notes = {"starts": 7, "last_exit": {"at": "x"}, "exits": {"1": -1}, "restores": [1e14], "crashes": "many"}
        (node.data / "life.json").write_text(json.dumps(notes))
        node.run()
        assert node.status()["last_exit"] is None
        assert node.status()["starts"] == 8


def test_notes_that_cannot_be_written(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        (node.data / ".life.json.part").mkdir(parents=True)
        node.run()
        assert node.stop() == 0
        assert node.said().count("life.json: cannot be written") == 1


def test_a_wrong_environment(tmp_path: Path) -> None:
    with container(tmp_path / "node", CHAINWATCH_ROLE="king", CHAINWATCH_SLOT="x") as node:
        assert node.live() == 2
        assert "CHAINWATCH_ROLE is 'king'" in node.said()
        assert "CHAINWATCH_SLOT is 'x'" in node.said()


def test_no_configuration(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        (node.config / "config.ini").unlink()
        assert node.live() == 2
        assert "config.ini: cannot be read" in node.said()


def test_the_producers_key_is_in_no_log_nor_page(tmp_path: Path) -> None:
    key = "5JtUScZK2XEp3g9gh7F8bwtPTRAkASmNrrftmx4AxDKD5K4zDnr"
    secret = tmp_path / "secret.ini"
    secret.write_text(f"signature-provider = EOS6MRy=KEY:{key}\n")
    with container(tmp_path / "node", CHAINWATCH_SECRET_CONFIG=str(secret)) as node:
        # As nodeos does where the option is malformed.
        nodeos_is(node, 'grep -h signature-provider "${2#--config-dir=}/config.ini" >&2; exit 254')
        assert node.live() == 254
        assert "***" in node.said()
        assert key not in node.said()
        assert key not in json.dumps(node.life())
        [made] = Path(node.environment["TMPDIR"]).rglob("config.ini")
        assert key in made.read_text()
        assert made.stat().st_mode & 0o777 == 0o600


def test_what_nodeos_says_is_passed_on(tmp_path: Path) -> None:
    with container(tmp_path / "node") as node:
        node.run()
        assert "nodeos version" in node.said()


def test_a_reader_that_has_stopped_reading_holds_nodeos_up_by_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with container(tmp_path / "node") as node:
        nodeos_is(node, "head -c 8000000 /dev/zero | tr '\\0' x | fold -w 1000 >&2; exit 5")
        node.log = Path(f"/dev/fd/{writing}")
        assert node.live() == 5
    os.close(reading)
    os.close(writing)
