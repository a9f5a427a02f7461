"""The engine of the tests itself: nothing of it is left, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import images
from tests.e2e.engine import Docker, engine
from tests.e2e.parts import ROOT
from tests.real.servers import wait_for

NETWORK = Path("/proc/thread-self/ns/net")
IMAGE = "prom/node-exporter:v0"


@pytest.fixture(scope="module", autouse=True)
def _fetched() -> None:
    images.fetch([IMAGE])


def test_nothing_is_left_when_it_ends() -> None:
    network = NETWORK.readlink()
    with engine() as docker:
        run_a_container(docker)
        assert NETWORK.readlink() != network
        assert any(left(docker.folder.name))

    assert NETWORK.readlink() == network
    assert list(left(docker.folder.name)) == []


def test_nothing_but_files_is_left_when_the_tests_are_killed() -> None:
    with subprocess.Popen([sys.executable, "-m", __name__], cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout
        folder = Path(tests.stdout.readline().strip())
        assert any(left(folder.name))
        tests.send_signal(signal.SIGKILL)
    wait_for(lambda: not [line for line in left(folder.name) if "cgroup" not in line], "its processes are gone", 10)
    assert folder.exists()

    with engine():
        assert not folder.exists()
        assert list(left(folder.name)) == []


def run_a_container(docker: Docker) -> None:
    """Run one until the engine ends."""
    images.build(docker, [IMAGE])
    docker("run", "--detach", "--publish", "127.0.0.1:9100:9100", IMAGE)


def left(folder: str) -> Iterator[str]:
    """Yield a line for each process, mount and cgroup that there is of an engine, by the name of its folder."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if folder in command:
            yield f"process {process.name}: {command}"
    yield from (line for line in Path("/proc/mounts").read_text().splitlines() if folder in line)
    yield from (f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(f"**/{folder}"))


if __name__ == "__main__":
    with engine() as running:
        run_a_container(running)
        print(running.folder, flush=True)  # noqa: T201 - for the test that started this
        signal.pause()
