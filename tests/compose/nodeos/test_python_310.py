"""The image has Ubuntu 22.04's Python 3.10, older than what the rest of the repository needs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.compose.nodeos.living import PLACE, container
from tests.real.servers import fetch

pytestmark = pytest.mark.slow


def python_310() -> str:
    """Return a Python 3.10."""
    candidates = [shutil.which("python3.10"), *sorted(Path.home().glob(".pyenv/versions/3.10.*/bin/python3"))]
    for candidate in (str(found) for found in candidates if found):
        told = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=False).stdout
        if told.startswith("Python 3.10."):
            return candidate
    pytest.skip("no Python 3.10 is installed")


def test_a_life_with_all_that_it_may_meet(tmp_path: Path) -> None:
    with container(tmp_path / "node", "snapshots", python=python_310(), CHAINWATCH_SNAPSHOT_EVERY="1") as node:
        node.run()
        node.wait(lambda: node.status()["snapshots"], "a snapshot")
        assert fetch(f"{node.url}/snapshots").json()
        node.cut_off()
        node.run()
        assert node.status()["started_from"].startswith("snapshot-")
        assert node.stop() == 0
        assert node.live(STANDIN_CRASH="segv") == 139


def test_it_needs_none_of_what_is_around_it(tmp_path: Path) -> None:
    """As in the image, where it lies alone."""
    copied = tmp_path / "compose" / "nodeos"
    shutil.copytree(PLACE / "compose" / "nodeos", copied, ignore=shutil.ignore_patterns("__pycache__"))
    modules = [
        ".".join(path.relative_to(tmp_path).with_suffix("").parts)
        for path in copied.rglob("*.py")
        if path.name not in {"__main__.py", "__init__.py"}
    ]
    code = f"import importlib; [importlib.import_module(name) for name in {modules!r}]"
    # -I leaves out the environment and the current directory, -S whatever is installed.
    prelude = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    done = subprocess.run([python_310(), "-I", "-S", "-c", prelude + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
