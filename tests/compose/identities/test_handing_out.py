"""The one-shot service `setup`: what it hands to other services, and its command line."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compose.identities import Unusable
from compose.identities.__main__ import main
from compose.identities.handing_out import gift, give, place

ME = os.geteuid()
READER = 10001 if ME == 0 else ME
"""Who is given things: another one where that can be done."""


def mode(path: Path) -> tuple[int, int]:
    """Return a file's owner and who may do what with it."""
    return path.stat().st_uid, path.stat().st_mode & 0o777


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return a directory with a secret."""
    (tmp_path / "keys" / "secrets").mkdir(parents=True)
    (tmp_path / "keys" / "secrets" / "ethstats").write_text("geheim\n")
    return tmp_path / "keys"


def test_a_secret_is_handed_to_its_reader_alone(keys: Path, tmp_path: Path) -> None:
    target = tmp_path / "volume" / "ethstats"
    lines: list[str] = []
    give(gift(f"secrets/ethstats:{READER}:{target}"), keys, lines.append)
    assert target.read_text() == "geheim\n"
    assert mode(target) == (READER, 0o400)
    assert lines == [f"handed secrets/ethstats to user {READER}: {target}"]


def test_what_is_right_is_left_alone(keys: Path, tmp_path: Path) -> None:
    target = tmp_path / "volume" / "ethstats"
    wanted = gift(f"secrets/ethstats:{READER}:{target}")
    give(wanted, keys, print)
    before = target.stat()
    lines: list[str] = []
    give(wanted, keys, lines.append)
    assert lines == []
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("change", ["content", "mode", "owner"])
def test_what_is_not_right_is_replaced(keys: Path, tmp_path: Path, change: str) -> None:
    if change == "owner" and ME != 0:
        pytest.skip("only root can give files away")
    target = tmp_path / "volume" / "ethstats"
    wanted = gift(f"secrets/ethstats:{READER}:{target}")
    give(wanted, keys, print)
    if change == "content":
        (keys / "secrets" / "ethstats").write_text("anders\n")
    elif change == "mode":
        target.chmod(0o444)
    else:
        os.chown(target, 0, 0)
    give(wanted, keys, print)
    assert target.read_bytes() == (keys / "secrets" / "ethstats").read_bytes()
    assert mode(target) == (READER, 0o400)


def test_a_first_file_is_placed_once_and_its_folder_is_its_users(keys: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "clients.yaml", tmp_path / "rotation" / "clients.yaml"
    source.write_text("first")
    wanted = gift(f"{source}:{READER}:{target}")
    lines: list[str] = []
    place(wanted, keys, lines.append)
    assert mode(target) == (READER, 0o644)
    assert target.parent.stat().st_uid == READER
    target.write_text("what the collector has written since")
    source.write_text("second")
    place(wanted, keys, lines.append)
    assert target.read_text() == "what the collector has written since"
    assert lines == [f"placed {target} for user {READER}"]


def test_what_is_not_there_can_not_be_given(keys: Path, tmp_path: Path) -> None:
    for hand in (give, place):
        with pytest.raises(Unusable, match="keys/secrets/nothing: cannot be read: No such file"):
            hand(gift(f"secrets/nothing:{READER}:{tmp_path}/volume/nothing"), keys, print)


def test_a_volume_that_can_not_be_written_is_one_line(
    keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unusable, match=r"ethstats: cannot be written: No space left on device$"):
        give(gift(f"secrets/ethstats:{READER}:{tmp_path}/volume/ethstats"), keys, print)
    assert not (tmp_path / "volume" / "ethstats").exists()


@pytest.mark.parametrize(
    "text", ["", "a", "a:b", "a:b:/c", "a:1:c", ":1:/c", "a:1:/c:d"], ids=lambda text: text or "empty"
)
def test_what_says_neither_whom_nor_where_is_refused(text: str) -> None:
    for hand in ("--give", "--place"):
        with pytest.raises(SystemExit) as raised:
            main(["--options=o", "--directory=d", f"{hand}={text}"])
        assert raised.value.code == 2


def arguments(tmp_path: Path, text: str = "sealer: {count: 1}\nclient: {count: 0}\n") -> list[str]:
    """Return the arguments of a command for a cluster with these options."""
    (tmp_path / "options.yaml").write_text(text)
    volume = tmp_path / "volume"
    return [
        f"--options={tmp_path / 'options.yaml'}",
        f"--directory={tmp_path / 'keys'}",
        f"--give=secrets/ethstats:{READER}:{volume}/ethstats",
        f"--place={tmp_path / 'options.yaml'}:{READER}:{tmp_path}/rotation/clients.yaml",
    ]


def test_the_command_makes_hands_out_and_says_so_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = arguments(tmp_path)
    assert main(given) == 0
    told = capsys.readouterr()
    assert "made chain/genesis.json" in told.out
    assert f"handed secrets/ethstats to user {READER}" in told.out
    assert (tmp_path / "volume" / "ethstats").read_text() not in told.out
    assert told.err == ""
    assert main(given) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [("sealer: {count: -1}", "options.yaml:1: sealer.count"), ("[", "options.yaml"), ("nonsense: 1", "nonsense")],
)
def test_wrong_options_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    assert main(arguments(tmp_path, text)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()


def test_what_can_not_be_used_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys").write_text("")
    assert main(arguments(tmp_path)) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_command_as_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "compose.identities", *arguments(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    again = subprocess.run(
        [sys.executable, "-m", "compose.identities", "--give=nonsense"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 2
