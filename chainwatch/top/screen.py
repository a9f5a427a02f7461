"""The terminal while the picture is on it: the keys that are pressed, and whole again at the end, whatever happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from chainwatch.top.picture import Room


class Screen:
    """A terminal that shows nothing else."""

    def __init__(self, console: Console, live: Live) -> None:
        self.console = console
        self._live = live

    def show(self, draw: Callable[[Console, Room], Sequence[Text]]) -> None:
        """Draw anew, in the size that the terminal has now. Blocks while the terminal takes nothing."""
        size = self.console.size
        self._live.update(Group(*draw(self.console, Room(size.width, size.height))), refresh=True)


@contextmanager
def screen(console: Console) -> Iterator[Screen]:
    """Take the terminal, and give it back."""
    with (
        _single_keys(),
        Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False) as live,
    ):
        yield Screen(console, live)


@contextmanager
def _single_keys() -> Iterator[None]:
    """Have keys told as they are pressed, and not shown. Where standard input is no terminal there are none."""
    try:
        import termios  # noqa: PLC0415 - not on every platform
        import tty  # noqa: PLC0415 - as above
    except ImportError:
        yield
        return
    if not has_keys():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def has_keys() -> bool:
    """Tell whether somebody could press a key."""
    return bool(sys.stdin and sys.stdin.isatty())


def pressed() -> str:
    """Return the keys pressed since; "" at the end of input."""
    try:
        return os.read(sys.stdin.fileno(), 256).decode("utf-8", "replace")
    except OSError:  # the terminal is gone
        return ""
