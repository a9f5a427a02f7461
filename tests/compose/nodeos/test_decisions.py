"""The parts by themselves: settings, chain ids, pauses, what to start from, notes, logs, the final configuration."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.nodeos import disk, life
from compose.nodeos.asking import Node
from compose.nodeos.beginning import Beginning
from compose.nodeos.chain_id import from_genesis, packed_id
from compose.nodeos.config import Config, ConfigError, entries
from compose.nodeos.evidence import Evidence
from compose.nodeos.parts import parts
from compose.nodeos.process import Exit
from compose.nodeos.record import CUT_OFF, MOST_BAD, MOST_KINDS, Facts, Record, Restoring, read
from compose.nodeos.restoring import Restoring as Restored
from compose.nodeos.saying import WAITING, Log, Once
from compose.nodeos.settings import Pace, SettingsError
from compose.nodeos.settings import read as settings_of
from compose.nodeos.snapshots.kept import MAGIC, Kept, Snapshot, understood
from compose.nodeos.snapshots.taken import Taking
from compose.nodeos.stopping import Stopping
from compose.nodeos.supervising import Supervisor
from tests.compose.nodeos.living import GENESIS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
MAINNET = {
    **GENESIS,
    "initial_timestamp": "2018-06-08T08:08:08.888",
    "initial_key": "EOS7EarnUhcyYqmdnPon8rm7mBCTnBoot6o7fE2WzjvEX2TdggbL3",
}
MAINNET_ID = "aca376f206b8fc25a6ed44dbdc66547c36c6c33e3a119ffbeaef943642f0e906"


def test_the_id_of_a_known_chain() -> None:
    assert packed_id(MAINNET) == MAINNET_ID


@given(changed=st.dictionaries(st.sampled_from([*MAINNET, "other"]), JSON, min_size=1))
def test_a_genesis_that_is_none_has_no_id(tmp_path_factory: pytest.TempPathFactory, changed: dict[str, object]) -> None:
    path = tmp_path_factory.getbasetemp() / "genesis.json"
    path.write_text(json.dumps({**MAINNET, **changed}))
    assert from_genesis(path) in {"", MAINNET_ID}


def test_no_genesis_has_no_id(tmp_path: Path) -> None:
    assert from_genesis(tmp_path / "none.json") == ""


REQUIRED = {"CHAINWATCH_NODE": "worker-3", "CHAINWATCH_ROLE": "worker"}


def test_settings_that_are_left_out() -> None:
    settings = settings_of(REQUIRED)
    assert settings.data == Path("/data")
    assert settings.listen == ("0.0.0.0", 8889)
    assert settings.pace == Pace()
    assert settings.secret_config is None
    assert settings.genesis == Path("/etc/nodeos/genesis.json")
    assert settings_of({**REQUIRED, "CHAINWATCH_GENESIS": "/run/genesis.json"}).genesis == Path("/run/genesis.json")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NODE", ""),
        ("NODE", "a b"),
        ("NODE", "a\nplugin = evil"),
        ("ROLE", "worker "*2),
        ("SLOT", "0"),
        ("SLOT", "nan"),
        ("SNAPSHOT_KEEP", "0"),
        ("SNAPSHOT_EVERY", "-1"),
        ("STOP_WITHIN", "inf"),
        ("SNAPSHOTS_FROM", "ftp://x"),
        ("SNAPSHOTS_FROM", "http://user:secret@x"),
        ("SNAPSHOTS_FROM", "http://x:99999"),
        ("SIBLINGS", "a b"),
        ("SIBLINGS", "a:x"),
        ("OUTSIDE_PEERS", "a"),
        ("OUTSIDE_PEERS", "a:1\nplugin = evil"),
        ("OUTSIDE_PEERS", "a:70000"),
        ("LISTEN", "8889"),
        ("PACE", "look=0"),
        ("PACE", "nothing=1"),
    ],
)  # fmt: skip
def test_settings_that_are_wrong(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"CHAINWATCH_{name}"):
        settings_of({**REQUIRED, f"CHAINWATCH_{name}": text})


def test_pauses_grow_to_the_longest() -> None:
    pauses = [life.pause(crashes, Pace()) for crashes in range(11)]
    assert pauses == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert life.pause(10**9, Pace()) == 300


FOUND = life.Found(state=False, blocks=True, snapshot=True, replay_failed=False, genesis=True, begun=True)


@pytest.mark.parametrize("role", ["producer", "snapshots", "worker"])
def test_a_database_is_taken_as_it_is(role: str) -> None:
    assert life.start(role, FOUND._replace(state=True)).how == life.AS_IT_IS


@given(found=st.builds(life.Found, *[st.booleans()] * 6))
def test_a_producer_never_begins_without_its_blocks_where_there_is_a_chain(found: life.Found) -> None:
    how = life.start("producer", found).how
    if found.begun and not found.blocks and not found.state:
        assert how == life.NOTHING
    if how in {life.SNAPSHOT, life.REPLAY}:
        assert found.blocks


@given(found=st.builds(life.Found, *[st.booleans()] * 6), role=st.sampled_from(["producer", "snapshots", "worker"]))
def test_nothing_is_started_from_what_is_not_there(found: life.Found, role: str) -> None:
    start = life.start(role, found)
    assert {
        life.AS_IT_IS: found.state,
        life.SNAPSHOT: found.snapshot,
        life.REPLAY: found.blocks and not found.replay_failed,
        life.GENESIS: found.genesis,
        life.NOTHING: bool(start.why),
    }[start.how]


BAD_SNAPSHOT = (
    "info  2026-11-21T07:14:19.4 nodeos    a.cpp:1 f ] Starting initialization from snapshot",
    "error 2026-11-21T07:14:19.439 nodeos main.cpp:161 main ] 3240000 snapshot_exception: Snapshot exception",
    "Binary snapshot validation threw IO exception (Snapshot exception)",
)
BAD_OPTION = ("error 2026-11-21T07:14:19.439 nodeos main.cpp:161 main ] unrecognised option '--snapshto'",)


@pytest.mark.parametrize(
    ("end", "deaths", "blamed"),
    [
        (Exit(254, BAD_SNAPSHOT, 1), 1, True),
        (Exit(254, BAD_SNAPSHOT[:1], 1), 1, False),  # an everyday line is no complaint
        (Exit(254, BAD_OPTION, 1), 9, False),
        (Exit(0, BAD_SNAPSHOT, 1), 9, False),
        (Exit(137, (), 1), 9, False),
        (Exit(139, (), 1), 1, False),
        (Exit(139, (), 1), 2, True),
    ],
)
def test_what_is_blamed_on_a_snapshot(end: Exit, deaths: int, blamed: bool) -> None:
    assert life.blamed(end, deaths) is blamed


def test_what_nodeos_said_of_its_end() -> None:
    assert Exit(254, BAD_SNAPSHOT, 1).reason == "exit code 254: 3240000 snapshot_exception: Snapshot exception"
    assert Exit(139, (), 1).reason == "signal SIGSEGV"
    assert Exit(1, ("last words",), 1).reason == "exit code 1: last words"
    assert Exit(2, (), 1).unusable
    assert Exit(
        254, ("error x y z f ] No existing fork database despite existing chain state. Replay required.",), 1
    ).unusable


@given(document=JSON | st.dictionaries(st.sampled_from(list(Facts.__dataclass_fields__)), JSON))
def test_notes_of_any_form(document: Any) -> None:  # noqa: ANN401 - JSON is anything
    facts = read(document)
    assert isinstance(facts.crashes, int)
    assert facts.crashes >= 0
    assert all(isinstance(began, (int, float)) for began in facts.restores)
    assert facts.restoring is None or isinstance(facts.restoring, Restoring)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b"[" * 100_000, b"0" * 300_000, b"1e999"])
def test_notes_that_are_garbage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "life.json").write_bytes(content)
    record = Record(tmp_path / "life.json", Log("x", os.open(os.devnull, os.O_WRONLY)))
    record.load()
    assert record.facts == Facts()
    record.started()
    assert json.loads((tmp_path / "life.json").read_text())["starts"] == 1


def test_notes_outlast_us_and_stay_small(tmp_path: Path) -> None:
    log = Log("x", os.open(os.devnull, os.O_WRONLY))
    record = Record(tmp_path / "life.json", log)
    record.started()
    for code in range(200):
        record.ended(str(code), "x" * 10_000, 0.0, crash=True)
        record.bad(f"{code:064}")
    record.restore_begins("2026")
    record.started()
    again = Record(tmp_path / "life.json", log)
    again.load()
    assert again.facts.crashes == 201  # the last one was cut off
    assert again.facts.last_exit["code"] == CUT_OFF
    assert len(again.facts.exits) <= MOST_KINDS + 2
    assert len(again.facts.bad) == MOST_BAD
    assert again.facts.restoring == Restoring("2026")
    assert (tmp_path / "life.json").stat().st_size < 20_000


def test_restores_are_counted_within_an_hour(tmp_path: Path) -> None:
    now = [1000.0]
    record = Record(tmp_path / "life.json", Log("x"), clock=lambda: now[0])
    for _ in range(3):
        assert record.restore_allowed_at(3600) == 0
        record.restore_begins("")
        now[0] += 100
    assert record.restore_allowed_at(3600) == 1000 + 3600
    now[0] = 1000 + 3601
    assert record.restore_allowed_at(3600) == 0
    now[0] = 0.0  # the clock was ahead, and has been put right
    assert record.restore_allowed_at(3600) == 0


@given(document=JSON | st.fixed_dictionaries(dict.fromkeys(Snapshot._fields, JSON)))
def test_descriptions_of_snapshots_of_any_form(document: Any) -> None:  # noqa: ANN401 - JSON is anything
    found = understood(document)
    assert found is None or "/" not in found.name


def test_the_final_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.ini").write_text(
        "# ours = no\nhttp-server-address = 0.0.0.0:7777\nplugin = a # comment\nplugin = b"
    )
    secret = tmp_path / "secret.ini"
    secret.write_text("signature-provider = EOS6=KEY:5Jprivate\nother=value\n")
    config = Config(tmp_path, secret, tmp_path / "made")
    assert config.http_port() == 7777
    assert config.secrets() == ["EOS6=KEY:5Jprivate", "5Jprivate", "value"]
    os.umask(os.umask(0))
    config.write(["p2p-peer-address = a:1"])
    config.write(["p2p-peer-address = b:1"])
    path = tmp_path / "made" / "config.ini"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [key for key, _ in entries(path.read_text())] == [
        "http-server-address", "plugin", "plugin", "signature-provider", "other", "p2p-peer-address",
    ]  # fmt: skip
    assert path.read_text().endswith("p2p-peer-address = b:1\n")


def test_a_configuration_that_cannot_be_read_is_told_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "config.ini").write_bytes(b"secret \xff")
    with pytest.raises(ConfigError) as caught:
        Config(tmp_path, None, tmp_path).http_port()
    assert "secret" not in str(caught.value)


def test_a_reader_that_does_not_read_loses_lines_and_is_told(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    log = Log("x", writing)
    began = time.monotonic()
    for _ in range(2 * WAITING // 1000):
        log.pass_on(b"x" * 999 + b"\n")
    assert time.monotonic() - began < 5
    log.flush(0.05)
    said = bytearray()

    def drain() -> None:
        while chunk := os.read(reading, 65536):
            said.extend(chunk)
            if b"last" in chunk:
                return

    thread = threading.Thread(target=drain)
    thread.start()
    time.sleep(0.2)
    log.say("last")
    thread.join(timeout=5)
    assert b"lines left out, nobody read them" in said
    assert b"x: last" in said


def test_our_own_lines_are_one_line_each_and_without_secrets(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    log = Log("x", writing)
    log.hide(["a-long-secret", "short"])
    log.say("a-long-secret is\nshort\r\n")
    log.flush()
    assert os.read(reading, 1000).endswith(b" x: *** is short\n")


def test_a_failure_is_told_once(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    log = Log("x", writing)
    once = Once(log, "it")
    for _ in range(3):
        once.failed("broken")
    once.worked()
    once.worked()
    once.failed("broken")
    log.flush()
    assert [line.partition(b"x: ")[2] for line in os.read(reading, 1000).splitlines()] == [
        b"it: broken", b"it: works again", b"it: broken",
    ]  # fmt: skip


def supervisor(tmp_path: Path) -> Supervisor:
    """Return what supervises a node that was never started."""
    (tmp_path / "config.ini").write_text("")
    settings = settings_of({**REQUIRED, "CHAINWATCH_DATA": str(tmp_path / "data"), "CHAINWATCH_PACE": "hurry=0.01"})
    log = Log("x", os.open(os.devnull, os.O_WRONLY))
    return Supervisor(parts(settings, log), Config(tmp_path, None, tmp_path / "made"))


def test_asked_to_stop_before_the_notes_are_read(tmp_path: Path) -> None:
    made = supervisor(tmp_path)
    (tmp_path / "data").mkdir()
    notes = tmp_path / "data" / "life.json"
    notes.write_text('{"crashes": 3, "restoring": {"replaying": true}}')
    made._volume.take()
    assert not made.stop()
    assert read(json.loads(notes.read_text())).restoring == Restoring(replaying=True)


def test_what_nobody_thought_of_counts_as_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tidy(_: object) -> None:
        raise ZeroDivisionError("nobody thought of it")

    monkeypatch.setattr(Supervisor, "_tidy", tidy)
    assert supervisor(tmp_path).run() == 1
    noted = read(json.loads((tmp_path / "data" / "life.json").read_text()))
    assert noted.crashes == 1
    assert noted.last_exit["reason"] == "ZeroDivisionError: nobody thought of it"


def test_no_replay_is_begun_that_cannot_be_noted(tmp_path: Path) -> None:
    settings = settings_of({**REQUIRED, "CHAINWATCH_DATA": str(tmp_path), "CHAINWATCH_GENESIS": "/nowhere"})
    made = parts(settings, Log("x", os.open(os.devnull, os.O_WRONLY)))
    blocks = tmp_path / "nodeos" / "blocks"
    blocks.mkdir(parents=True)
    (blocks / "blocks.log").write_bytes(b"blocks")
    beginning = Beginning(made, Restored(made))
    assert beginning.prepared().how == life.REPLAY
    (tmp_path / ".life.json.part").mkdir()
    with pytest.raises(OSError, match="without a note"):
        beginning.prepared()


def test_a_snapshot_from_a_clock_that_was_ahead_puts_the_next_off_by_no_more_than_an_interval(tmp_path: Path) -> None:
    settings = settings_of({**REQUIRED, "CHAINWATCH_DATA": str(tmp_path), "CHAINWATCH_SNAPSHOT_EVERY": "60"})
    made = parts(settings, Log("x", os.open(os.devnull, os.O_WRONLY)))
    made.kept.open("")
    (made.kept.folder / "one.bin").write_bytes(MAGIC)
    assert made.kept.adopt(made.kept.folder / "one.bin", "", made=time.time() + 1e6)
    assert Taking(settings, Node(1, 1.0), made.kept, made.status, made.log)._first_due() <= time.time() + 60


def test_what_was_sent_is_not_remembered_for_ever(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1, Log("x"))
    with kept.sending("one.bin"), kept.sending("one.bin"):
        assert kept._sent
    assert not kept._sent


def test_a_pause_is_as_long_as_it_was_meant_whatever_the_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    shown = iter([now, *[now - 3600] * 100])
    monkeypatch.setattr("compose.nodeos.stopping.time.time", lambda: next(shown))
    began = time.monotonic()
    Stopping().pause_until(now + 0.1)
    assert 0.1 <= time.monotonic() - began < 2


def test_evidence_that_has_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = tmp_path / "nodeos" / "state"
    state.mkdir(parents=True)
    (state / "shared_memory.bin").write_bytes(b"x" * 100_000)
    monkeypatch.setattr(disk, "free", lambda _: 1000)
    name = Evidence(tmp_path, tmp_path / "nodeos", Log("x")).keep(["last words"], "dirty")
    assert not state.exists()
    kept = tmp_path / "evidence" / name
    assert {path.name for path in kept.iterdir()} == {"log.txt", "reason.txt"}
    assert (kept / "log.txt").read_text() == "last words\n"
