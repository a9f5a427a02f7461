"""Identities that are broken off, disks that are full, and two who make them at once."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compose.identities import Unusable
from compose.identities.ethereum.ensuring import ensure, planned
from compose.identities.storing import Store
from tests.compose.identities.checking import check_complete, contents, options, quietly

KEPT = ("nodekey", "password", "keystore", "chain/genesis.json", "secrets")
"""What is made once: nothing of it may be another after a further run."""


class Killed(BaseException):
    """The process is gone; nothing after this runs."""


def after(count: int, original: Callable[..., Any], error: BaseException) -> Callable[..., Any]:
    """Return a function that fails from its n-th call on."""
    calls = itertools.count(1)

    def failing(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the original takes
        if next(calls) >= count:
            raise error
        return original(*args, **kwargs)

    return failing


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Path, "replace"),
        (Path, "mkdir"),
        pytest.param(os, "fsync", marks=pytest.mark.slow),
        pytest.param(os, "open", marks=pytest.mark.slow),
        pytest.param(os, "fchmod", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("error", [Killed(), OSError(errno.ENOSPC, "No space left on device")], ids=["killed", "full"])
def test_a_run_that_ends_at_any_point_is_finished_by_the_next(
    tmp_path: Path,
    owner: object,
    name: str,
    error: BaseException,
) -> None:
    wanted = options()
    for count in itertools.count(1):
        keys = tmp_path / "keys"
        shutil.rmtree(keys, ignore_errors=True)
        over, told = False, "No space left on device"
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(owner, name, after(count, getattr(owner, name), error))
            try:
                ensure(wanted, keys, lambda _: None)
                over = True
            except Killed:
                pass
            except Unusable as failure:
                told = str(failure)
        assert "No space left on device" in told
        assert "\n" not in told
        made = {path: content for path, content in contents(keys).items() if any(part in path for part in KEPT)}
        quietly(wanted, keys)
        check_complete(wanted, keys)
        now = contents(keys)
        assert {path: now.get(path) for path in made if ".part" not in path} == {
            path: content for path, content in made.items() if ".part" not in path
        }
        if over:
            assert count > 3
            break


def test_a_new_genesis_that_is_broken_off_loses_none(tmp_path: Path) -> None:
    for count in itertools.count(1):
        keys = tmp_path / f"{count}"
        quietly(options(), keys)
        old = (keys / "chain/genesis.json").read_bytes()
        wanted = options(geth={"clique_period": 1})
        over = False
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Path, "replace", after(count, Path.replace, Killed()))
            try:
                quietly(wanted, keys, new_genesis=True)
                over = True
            except Killed:
                pass
        assert old in [it.read_bytes() for it in keys.glob("chain/genesis*.json")]
        quietly(wanted, keys, new_genesis=True)
        check_complete(wanted, keys)
        if over:
            break


def test_two_at_once_make_everything_once(tmp_path: Path) -> None:
    (tmp_path / "options.yaml").write_text("sealer: {count: 2}\nclient: {count: 1}\n")
    argv = [sys.executable, "-m", "compose.identities", "--options", str(tmp_path / "options.yaml")]
    argv += ["--directory", str(tmp_path / "keys")]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    lines = [line for out, _ in told for line in out.splitlines()]
    assert len(lines) == len(set(lines)) == len(planned(options(sealer={"count": 2}), tmp_path / "nowhere"))
    check_complete(options(sealer={"count": 2}), tmp_path / "keys")


def test_who_waits_for_another_waits_for_so_long_and_no_longer(tmp_path: Path) -> None:
    store = Store(tmp_path)
    begun = time.monotonic()
    with store.locked(), pytest.raises(Unusable, match="somebody else is at work there"), store.locked(patience=0.2):
        pass
    assert 0.2 <= time.monotonic() - begun < 5
    with store.locked(patience=0):
        pass


def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    before = contents(tmp_path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", after(1, os.fsync, OSError(errno.EROFS, "Read-only file system")))
        with pytest.raises(Unusable, match=r"client-2\S*: cannot be \w+.*: Read-only file system$"):
            quietly(options(client={"count": 2}), tmp_path)
    now = contents(tmp_path)
    assert {path: now[path] for path in before} == before


def test_a_directory_that_can_only_be_read_is_enough_where_nothing_is_missing(tmp_path: Path) -> None:
    quietly(options(), tmp_path)

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.MonkeyPatch.context() as patched:
        for owner, name in ((Path, "mkdir"), (Path, "replace"), (os, "fchmod"), (Path, "chmod"), (Path, "unlink")):
            patched.setattr(owner, name, refused)
        quietly(options(), tmp_path)
