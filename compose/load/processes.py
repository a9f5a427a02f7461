"""Starts the processes of a load, follows what they count, and adds it up."""

from __future__ import annotations

import contextlib
import json
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

import msgspec

from compose.load.plan import Load, Share
from compose.load.process import EVERY, Account, Start
from compose.load.strain import Strain
from compose.load.tally import Tally

_UNTIL_READY = 60.0
_UNTIL_KILLED = 5.0
_AHEAD = 0.05
"""Seconds between telling the processes when to start and that time."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);from compose.load.process import main; sys.exit(main())"
)
"""Begins a process that imports from where this one does, and not from where the user happens to stand."""


@dataclass
class Outcome:
    """What a load came to. `seconds` is from the start to the last answer or failure.

    `signal` is what ended it early, or 0; `lost` says how processes ended that did not tell all they had counted.
    """

    tally: Tally
    seconds: float
    strains: list[Strain]
    until_begun: float
    signal: int = 0
    lost: list[str] = field(default_factory=list)


class Unstartable(Exception):  # noqa: N818 - as Unusable
    """A process of the generator did not come up."""


class _Child:
    """One process, and the latest of its accounts."""

    def __init__(self, share: Share) -> None:
        self.latest: Account | None = None
        self.ended = False
        self._rest = b""
        self.process = subprocess.Popen(  # noqa: S603 - this same interpreter
            [sys.executable, "-P", "-c", _CODE, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        assert self.process.stdout is not None
        self.output = self.process.stdout
        self.tell(share)

    def tell(self, message: Share | Start | None) -> None:
        """Send a line; None ends it."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone: the end of its output tells
            self.process.stdin.write(msgspec.json.encode(message) + b"\n")

    def read(self) -> None:
        """Take what it has written."""
        data = self.output.read(2**16)
        if not data:
            self.ended = True
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        if lines:
            self.latest = msgspec.json.decode(lines[-1], type=Account)

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait()


def make(load: Load, show: Callable[[list[Account]], None]) -> Outcome:
    """Make a load and return what came of it. `show` is given the latest accounts a few times a second.

    SIGINT (Ctrl-C) and SIGTERM end it early.

    Raises:
        Unstartable: a process did not come up.

    """
    with _caught() as caught, contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        children = []
        with _held_back():
            for number in range(load.processes):
                children.append(_Child(Share(load, number)))
                stack.callback(children[-1].close)
        for child in children:
            selector.register(child.output, selectors.EVENT_READ, child)
        _await_all(children, selector)
        start = time.monotonic() + _AHEAD
        for child in children:
            child.tell(Start(start))
        _follow(children, selector, caught, show)
        return _sum(children, start, caught[0] if caught else 0)


def _await_all(children: list[_Child], selector: selectors.BaseSelector) -> None:
    deadline = time.monotonic() + _UNTIL_READY
    while not all(child.latest for child in children):
        _read(selector, EVERY)
        if any(child.ended for child in children):
            raise Unstartable("a process of the generator ended before it began; its reason stands above")
        if time.monotonic() > deadline:
            raise Unstartable(f"a process of the generator was not ready within {_UNTIL_READY:g} s")


def _follow(
    children: list[_Child], selector: selectors.BaseSelector, caught: list[int], show: Callable[[list[Account]], None]
) -> None:
    shown = told = 0.0
    while not all(child.ended for child in children):
        _read(selector, EVERY)
        now = time.monotonic()
        if caught and not told:
            told = now
            for child in children:
                child.tell(None)
        if told and now > told + _UNTIL_KILLED:
            return
        if now >= shown + EVERY:
            shown = now
            show([child.latest for child in children if child.latest])


def _read(selector: selectors.BaseSelector, seconds: float) -> None:
    for key, _ in selector.select(seconds):
        child: _Child = key.data
        child.read()
        if child.ended:
            selector.unregister(child.output)


def _sum(children: list[_Child], start: float, number: int) -> Outcome:
    tally = Tally()
    strains, lost = [], []
    for child in children:
        assert child.latest is not None
        if child.latest.counted and child.latest.strain:
            tally.add(child.latest.counted)
            strains.append(child.latest.strain)
        if not child.latest.over:
            lost.append(_how(child.process))
    return Outcome(
        tally=tally,
        seconds=max(tally.last_ended - start, 0.0),
        strains=strains,
        until_begun=max(tally.last_begun - start, 0.0),
        signal=number,
        lost=lost,
    )


def _how(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(1.0)
    except subprocess.TimeoutExpired:
        return "did not end when told to"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


@contextlib.contextmanager
def _caught() -> Iterator[list[int]]:
    """Yield a list that signals are put into; a second one of the same ends the program as usual."""
    caught: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield caught
        return

    def note(number: int, _: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Keep signals from processes started meanwhile: Ctrl-C goes to all of a terminal's, and these have to report."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
