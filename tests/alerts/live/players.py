"""The process that plays scenes (playing.py), as who started it sees it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.alerts.live.scenes import Scene


class Begun(NamedTuple):
    """A step of a chain that began, and by how many seconds it was late."""

    chain: str
    at: float
    late: float


class Players:
    """Clusters that play scenes."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._steps: list[Begun] = []
        self._ready()
        self._reader = threading.Thread(target=self._read)

    @property
    def steps(self) -> Sequence[Begun]:
        """All steps that have begun, in the order in which they did."""
        return tuple(self._steps)

    def begin(self) -> None:
        """Let the scenes begin."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._reader.start()

    def check(self) -> None:
        """Raise AssertionError if they are gone."""
        assert self._process.poll() is None, self._log.read_text()

    def end(self) -> None:
        """End them."""
        self._process.kill()
        if self._reader.is_alive():
            self._reader.join()

    def _ready(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline(), self._log.read_text()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            self._steps.append(Begun(said["chain"], said["at"], said["late"]))


@contextmanager
def playing(folder: Path, chosen: Sequence[Scene]) -> Iterator[Players]:
    """Run the scenes' clusters for as long as the block lasts; the servers of each chain are in a file of `folder`."""
    argv = [sys.executable, "-m", "tests.alerts.live.playing", str(folder), *(scene.chain for scene in chosen)]
    log = folder / "players.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            players = Players(process, log)
            yield players
            players.check()
            players.end()
        finally:
            process.kill()
