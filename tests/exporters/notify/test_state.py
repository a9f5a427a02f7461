"""What outlives a restart: it is written whole and for us alone, and what can't be made sense of harms nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.health.assessment import Severity
from exporters.notify.keeping import Keeping
from exporters.notify.notice import Facts, Identity
from exporters.notify.outbox import Record
from exporters.notify.statefile import KnownAlert, KnownChannel, KnownRecord, State, StateFile, encoded
from tests.exporters.notify.notices import BEGAN, FACTS
from tests.exporters.notify.stage import EVERY, KEEPS, Stage
from tests.helpers import run

names = st.text(max_size=20)
identities = st.builds(Identity, names, names, names)
moments = st.floats(0, 4e9)
facts = st.builds(Facts, st.sampled_from(Severity), names, names, names)
records = st.builds(
    Record, facts, moments, moments, st.none() | moments, st.none() | moments, st.integers(0, 99), moments
)
states = st.builds(
    State,
    firing=st.lists(st.builds(KnownAlert, identities, moments, facts), max_size=3),
    channels=st.dictionaries(
        names,
        st.builds(KnownChannel, st.lists(st.builds(KnownRecord, identities, records), max_size=3), st.integers(0, 9)),
        max_size=3,
    ),
)


@given(states)
@settings(max_examples=40, deadline=None)
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, state: State) -> None:
    file = StateFile(tmp_path_factory.mktemp("state"))
    file.write(encoded(state))
    assert file.read() == state


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "not" / "there")
    file.write(encoded(State()))
    assert Path(str(file)).stat().st_mode & 0o777 == 0o600
    file.write(encoded(State()))
    assert [path.name for path in (tmp_path / "not" / "there").iterdir()] == ["notify.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"[]",
        b'{"format": "something else", "version": 1}',
        b'{"format": "chainwatch notify", "version": 2, "firing": "elsewhere"}',
        b'{"format": "chainwatch notify", "version": 2}',
        b'{"format": "chainwatch notify", "version": 1, "firing": [{"identity": ["a"]}]}',
        b'{"format": "chainwatch notify", "version": 1, "channels": {"a": [{}]}}',
        b"[" * 100_000,
        encoded(State(firing=[KnownAlert(Identity("a", "b", "c"), 1.0, FACTS)]))[:-20],
    ],
)
def test_what_makes_no_sense_is_set_aside(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The notifier begins afresh and works."""

    async def scenario() -> None:
        stage = Stage(tmp_path)
        await stage.begin()
        stage.findings["behind", "sealer-1"] = 3.0
        await stage.after(60)
        assert stage.receiver.statuses() == ["firing"]

    (tmp_path / "notify.json").write_bytes(content)
    run(scenario())
    assert (tmp_path / "notify.json.unreadable").read_bytes() == content
    assert "cannot be made sense of" in caplog.text
    assert len(StateFile(tmp_path).read().firing) == 1


def test_how_bad_it_is_is_what_the_configuration_says_now(tmp_path: Path) -> None:
    """`alerts.rules` was changed while it fires: who wants to know of what is so bad is told."""
    node = Identity("NodeBehind", "lab", "sealer-1")
    StateFile(tmp_path).write(encoded(State(firing=[KnownAlert(node, BEGAN, replace(FACTS, severity=Severity.INFO))])))

    async def scenario() -> None:
        stage = Stage(tmp_path, {"team": {"severity": "warning"}})
        stage.findings["behind", "sealer-1"] = 3.0
        await stage.begin()
        await stage.after(20)
        assert stage.receiver.statuses() == ["firing"]

    run(scenario())


def test_what_cannot_be_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As where it belongs to another user: a directory stands for that here, for root reads every file."""
    (tmp_path / "notify.json").mkdir()
    assert StateFile(tmp_path).read() == State()
    assert "cannot be read: what fired before is not known" in caplog.text
    caplog.clear()
    assert StateFile(tmp_path / "new").read() == State()
    assert not caplog.text


def test_what_nobody_watches_any_more_is_over(tmp_path: Path) -> None:
    """A chain that the configuration has no more, or an alert that nobody wants: who was told of it is told so."""
    gone = Identity("NodeBehind", "gone", "sealer-1")
    unknown = Identity("SomethingOld", "lab", "")
    record = Record(FACTS, BEGAN, BEGAN, None, BEGAN, 0, BEGAN)
    state = State(
        firing=[KnownAlert(each, BEGAN, FACTS) for each in (gone, unknown)],
        channels={
            "team": KnownChannel([KnownRecord(each, record) for each in (gone, unknown)]),
            "former": KnownChannel(),
        },
    )
    StateFile(tmp_path).write(encoded(state))

    async def scenario() -> None:
        stage = Stage(tmp_path)
        await stage.begin()
        await stage.after(20)  # two messages: they are of two chains
        assert {(each.alert, each.status.value) for each in stage.receiver.told} == {
            ("NodeBehind", "resolved"),
            ("SomethingOld", "resolved"),
        }

    run(scenario())


def test_what_is_yet_to_come_by_the_clock_keeps_nobody_waiting(tmp_path: Path) -> None:
    """The clock was ahead when the state was kept, and has been set right."""

    async def scenario() -> None:
        stage = Stage(tmp_path)
        stage.now += 1e8
        stage.findings["behind", "sealer-1"] = 3.0
        await stage.after(60)
        stage.now -= 1e8
        await stage.restart()
        stage.findings.clear()
        await stage.after(KEEPS + 30)
        assert stage.receiver.statuses() == ["firing", "resolved"]
        stage.findings["behind", "sealer-1"] = 3.0
        await stage.after(EVERY)
        assert stage.receiver.statuses() == ["firing", "resolved", "firing"]

    run(scenario())


class Disk(StateFile):
    """A disk that fails, or hangs until it is let go."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.fails = False
        self.free = threading.Event()
        self.free.set()
        self.writes = 0

    def write(self, content: bytes) -> None:
        """Write, or not."""
        self.writes += 1
        self.free.wait()
        if self.fails:
            raise OSError(28, "No space left on device")
        super().write(content)


def test_a_disk_that_fails_is_told_of_and_nobody_waits(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        disk = Disk(tmp_path)
        keeping = Keeping(disk, State)
        disk.fails = True
        keeping.changed()
        await keeping.flush()
        began = time.monotonic()
        keeping.changed()
        await keeping.kept()
        assert time.monotonic() - began < 1.5
        disk.fails = False
        await keeping.flush()
        await keeping.kept()

    run(scenario())
    assert "No space left on device" in caplog.text
    assert StateFile(tmp_path).read() == State()


def test_a_disk_that_hangs_holds_up_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("exporters.notify.keeping._PATIENCE", 0.1)
    monkeypatch.setattr("exporters.notify.keeping._STUCK", 0.2)

    async def scenario() -> None:
        disk = Disk(tmp_path)
        disk.free.clear()
        keeping = Keeping(disk, State)
        keeping.changed()
        writing = asyncio.create_task(keeping.flush())
        began = time.monotonic()
        await keeping.kept()
        assert 0.05 < time.monotonic() - began < 5
        await writing
        for _ in range(3):
            await keeping.flush()
        assert disk.writes == 1  # one thread waits, not one for each try
        disk.free.set()
        await asyncio.sleep(0.1)
        await keeping.flush()
        assert disk.writes == 2

    run(scenario())
    assert "a write takes too long" in caplog.text
