"""What goes to stderr: our own lines and nodeos's. Nobody ever waits for whoever reads it."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timezone

WAITING = 4 * 1024 * 1024
"""Bytes that wait for a slow reader; beyond them lines are left out, and counted."""

LONGEST_LINE = 64 * 1024
TAIL = 100
"""Last lines of nodeos's that are kept, as evidence."""
LONGEST_KEPT = 500

SHORTEST_SECRET = 8


class Log:
    """Lines on their way to a file descriptor. What is secret is replaced on the way."""

    def __init__(self, node: str, out: int = 2) -> None:
        self._node = node
        self._out = out
        self._secrets: list[bytes] = []
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._left_out = 0
        self._changed = threading.Condition()
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def hide(self, secrets: Iterable[str]) -> None:
        """Never write these, however they come to be in a line."""
        found = {secret.encode() for secret in secrets if len(secret) >= SHORTEST_SECRET}
        self._secrets = sorted(found, key=len, reverse=True)

    def hidden(self, line: bytes) -> bytes:
        """Return a line without secrets."""
        for secret in self._secrets:
            line = line.replace(secret, b"***")
        return line

    def say(self, text: str) -> None:
        """Write a line of our own."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        shown = " ".join(text.split())
        self.pass_on(self.hidden(f"entrypoint {now} {self._node}: {shown}\n".encode(errors="replace")))

    def pass_on(self, line: bytes) -> None:
        """Write a line as it is, less what `hidden` was to take away."""
        with self._changed:
            if self._waiting + len(line) > WAITING:
                self._left_out += 1
                return
            if self._left_out:
                note = f"entrypoint: {self._left_out} lines left out, nobody read them\n".encode()
                self._left_out = 0
                self._append(note)
            self._append(line)

    def flush(self, within: float = 2.0) -> None:
        """Wait until all is written, but not for ever."""
        deadline = time.monotonic() + within
        with self._changed:
            while self._waiting and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _append(self, line: bytes) -> None:
        self._lines.append(line)
        self._waiting += len(line)
        self._changed.notify_all()

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._lines:
                    self._changed.wait()
                line = self._lines.popleft()
            try:
                written = 0
                while written < len(line):
                    written += os.write(self._out, line[written:])
            except OSError:  # nobody will ever read it: nodeos goes on all the same
                pass
            with self._changed:
                self._waiting -= len(line)
                self._changed.notify_all()


class Tail:
    """The lines of one run of nodeos: passed on, the last ones kept."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._last: deque[str] = deque(maxlen=TAIL)
        self._rest = b""

    def read(self, pipe: int) -> None:
        """Read until the other side is closed. Never waits for anyone else."""
        while chunk := os.read(pipe, LONGEST_LINE):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            for line in lines:
                self._take(line)
            if len(self._rest) >= LONGEST_LINE:
                self._take(self._rest)
                self._rest = b""
        if self._rest:
            self._take(self._rest)

    def lines(self) -> list[str]:
        """Return the last lines."""
        return list(self._last)

    def _take(self, line: bytes) -> None:
        line = self._log.hidden(line)
        self._last.append(line[:LONGEST_KEPT].decode(errors="replace"))
        self._log.pass_on(line + b"\n")


class Once:
    """Tells a failure that goes on only once, and its end."""

    def __init__(self, log: Log, what: str) -> None:
        self._log = log
        self._what = what
        self._told = ""

    def failed(self, reason: str) -> None:
        """Tell the reason unless it is the one told last."""
        if reason != self._told:
            self._told = reason
            self._log.say(f"{self._what}: {reason}")

    def worked(self) -> None:
        """Tell that it works again, if it did not."""
        if self._told:
            self._told = ""
            self._log.say(f"{self._what}: works again")
