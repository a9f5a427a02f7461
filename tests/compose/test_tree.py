"""What a deployment writes into a directory: nothing of somebody else's is touched, and nothing is half there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from compose.tree import MANIFEST, Kind, Refused, Tree

FILES = {"compose.yaml": "services: {}\n", "config/geth/start.sh": "#!/bin/sh\n", "config/a.yaml": "a: 1\n"}
LATER = {"compose.yaml": "services: {a: }\n", "config/a.yaml": "a: 1\n", "config/b/b.yaml": "b: 1\n"}


def write(directory: Path, files: dict[str, str]) -> list[str]:
    """Write files as a deployment does, and return what is said of each."""
    tree = Tree(directory)
    tree.make()
    tree.announce(files)
    changes = tree.changes(files)
    tree.write(files, changes)
    return [str(change) for change in changes]


def contents(directory: Path) -> dict[str, str]:
    """Return all files but the manifest."""
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def test_the_first_time_all_is_new(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    assert write(directory, FILES) == ["compose.yaml: new", "config/a.yaml: new", "config/geth/start.sh: new"]
    assert contents(directory) == FILES
    assert write(directory, FILES) == []


def test_modes_are_those_that_containers_need_whatever_the_umask(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    before = os.umask(0o077)
    try:
        write(directory, FILES)
    finally:
        os.umask(before)
    modes = {str(path.relative_to(tmp_path)): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {
        "d": 0o755,
        f"d/{MANIFEST}": 0o644,
        "d/compose.yaml": 0o644,
        "d/config": 0o755,
        "d/config/a.yaml": 0o644,
        "d/config/geth": 0o755,
        "d/config/geth/start.sh": 0o755,
    }
    (directory / "config/a.yaml").chmod(0o600)
    assert write(directory, FILES) == ["config/a.yaml: changed"]
    assert (directory / "config/a.yaml").stat().st_mode & 0o777 == 0o644


def test_what_differs_is_changed_and_what_is_not_needed_goes(tmp_path: Path) -> None:
    write(tmp_path / "d", FILES)
    same = (tmp_path / "d/config/a.yaml").stat()
    assert write(tmp_path / "d", LATER) == [
        "compose.yaml: changed",
        "config/b/b.yaml: new",
        "config/geth/start.sh: removed",
    ]
    assert contents(tmp_path / "d") == LATER
    assert not (tmp_path / "d/config/geth").exists()
    now = (tmp_path / "d/config/a.yaml").stat()
    assert (now.st_ino, now.st_mtime_ns) == (same.st_ino, same.st_mtime_ns)


def test_files_of_others_stay_where_they_are(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    write(directory, FILES)
    (directory / "compose.override.yaml").write_text("mine")
    (directory / "config/geth/mine").write_text("mine")
    write(directory, LATER)
    assert contents(directory) == {**LATER, "compose.override.yaml": "mine", "config/geth/mine": "mine"}


def test_what_was_edited_by_hand_is_kept(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    write(directory, FILES)
    (directory / "compose.yaml").write_text("edited")
    (directory / "config/geth/start.sh").write_text("edited")
    assert write(directory, LATER) == [
        "compose.yaml: changed; what was edited by hand is in compose.yaml.edited",
        "config/b/b.yaml: new",
        "config/geth/start.sh: not needed any more; left, as it was edited by hand",
    ]
    assert contents(directory) == {**LATER, "compose.yaml.edited": "edited", "config/geth/start.sh": "edited"}
    assert write(directory, LATER) == []


def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("mine")
    with pytest.raises(Refused, match=r"has files that `chainwatch deploy` did not write, such as compose\.yaml"):
        Tree(tmp_path)
    tree = Tree(tmp_path, force=True)
    changes = tree.changes(FILES)
    assert (changes[0].path, changes[0].kind) == ("compose.yaml", Kind.CHANGED)
    tree.write(FILES, changes)
    assert contents(tmp_path) == {**FILES, "compose.yaml.edited": "mine"}
    with pytest.raises(Refused, match="is no directory"):
        Tree(tmp_path / "compose.yaml")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"files": []}',
        '{"files": {"a": 1}}',
        '{"files": {"../a": []}}',
        '{"files": {"/a": []}}',
        '{"files": {"a/../../b": []}}',
        '{"files": {"": []}}',
        "[" * 100_000,
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(Refused, match="is not what `chainwatch deploy` wrote"):
        Tree(tmp_path)


@pytest.mark.parametrize("link", ["config", "config/geth", "compose.yaml", "config/a.yaml"])
def test_no_link_leads_elsewhere(tmp_path: Path, link: str) -> None:
    write(tmp_path / "d", FILES)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place = tmp_path / "d" / link
    place.rename(tmp_path / "away")
    place.symlink_to(elsewhere)
    with pytest.raises(Refused, match="move it away"):
        Tree(tmp_path / "d").changes(LATER)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("there", ["config", "compose.yaml"])
def test_something_else_in_the_way_is_refused(tmp_path: Path, there: str) -> None:
    (tmp_path / MANIFEST).write_text('{"files": {}}')
    if there == "config":
        (tmp_path / there).write_text("a file")
    else:
        (tmp_path / there).mkdir()
    with pytest.raises(Refused, match="move it away"):
        Tree(tmp_path).changes(FILES)


def test_two_at_once_are_one_too_many(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    with tree.locked(), pytest.raises(Refused, match="is being deployed to"), tree.locked():
        pytest.fail("both have it")
    with tree.locked():
        pass


class Ended(BaseException):
    """Stands for the end of a process."""


def test_a_run_that_ends_half_way_is_finished_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = Path.replace
    for steps in range(20):
        directory = tmp_path / str(steps)
        write(directory, FILES)
        left = [steps]

        def ending(self: Path, target: Path, left: list[int] = left) -> Path:
            if left[0] == 0:
                raise Ended
            left[0] -= 1
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", ending)
        ended = False
        try:
            write(directory, LATER)
        except Ended:
            ended = True
        monkeypatch.setattr(Path, "replace", replace)
        for path, text in contents(directory).items():
            assert text in (FILES.get(path), LATER.get(path)), "a file is half there"
        assert not any("edited" in line for line in write(directory, LATER))
        assert contents(directory) == LATER
        if not ended:
            assert steps > 3
            return
    pytest.fail("it never came to an end")


def test_a_killed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    directory = tmp_path / "d"
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.compose.test_tree import FILES, write\n"
        "replace, left = Path.replace, [2]\n"
        "def ending(self, target):\n"
        "    left[0] -= 1\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if left[0] < 0 else None\n"
        "    return replace(self, target)\n"
        "Path.replace = ending\n"
        "write(Path(sys.argv[1]), FILES)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(directory)], check=False)
    assert done.returncode == -9
    assert len(contents(directory)) == 2, "one in its place, one unfinished"
    write(directory, FILES)
    assert contents(directory) == FILES


def test_the_manifest_names_the_files_and_nothing_secret(tmp_path: Path) -> None:
    write(tmp_path / "d", FILES)
    manifest = json.loads((tmp_path / "d" / MANIFEST).read_text())
    assert manifest["files"].keys() == FILES.keys()
    assert manifest["written_by"].startswith("chainwatch ")


def test_what_was_edited_of_a_secret_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Editors write files anew, with a mode of their own."""

    def written(text: str) -> None:
        tree = Tree(tmp_path / "d", secret={"join/config.toml"})
        tree.make()
        tree.announce({"join/config.toml": text})
        tree.write({"join/config.toml": text}, tree.changes({"join/config.toml": text}))

    written("hunter2")
    (tmp_path / "d/join/config.toml").write_text("hunter2 # mine")
    (tmp_path / "d/join/config.toml").chmod(0o644)
    written("hunter3")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "d/join").iterdir()}
    assert modes == {"config.toml": 0o600, "config.toml.edited": 0o600}
