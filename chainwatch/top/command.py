"""`chainwatch top`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator

from rich.console import Console

from chainwatch.top import screen as terminal
from chainwatch.top.marks import marks_for
from chainwatch.top.picture import Room
from chainwatch.top.reading import Collector, in_words
from chainwatch.top.view import View
from collector.failures import Failure
from collector.health.assessment import Severity
from collector.targets import without_secrets

DONE, FAILED, WRONG = 0, 1, 2

_EVERY = 1.0  # seconds, as often as the page itself
_WIDTH = 120  # cells of a line where it isn't a terminal's


async def run(options: argparse.Namespace) -> int:
    """Show the state until a key or a signal ends it, or once: where told to, or where there is no terminal.

    Returns 0; once, 1 where a critical finding stands or the collector can't be asked, and 2 where there is no such
    chain.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a name may hold what the terminal's encoding does not
    console = Console(markup=False, emoji=False, highlight=False)
    marks = marks_for(console.encoding)
    view = View(without_secrets(options.url), options.chain, marks)
    collector = Collector(options.url)
    try:
        if options.once or not sys.stdout.isatty() or console.is_dumb_terminal:
            return await _once(collector, view, console)
        with terminal.screen(console) as screen:
            await _follow(collector, view, screen)
    finally:
        await collector.close()
    return DONE


async def _once(collector: Collector, view: View, console: Console) -> int:
    try:
        view.tell(await collector.state())
    except Failure as failure:
        print(f"chainwatch: {in_words(failure)}", file=sys.stderr)  # noqa: T201 - a command's own error
        return FAILED
    if view.missing:
        print(f"chainwatch: {view.missing}", file=sys.stderr)  # noqa: T201 - as above
        return WRONG
    told = console.is_terminal or "COLUMNS" in os.environ
    width = console.width if told else _WIDTH
    await asyncio.to_thread(_print, view, console, width)
    critical = any(finding.severity is Severity.CRITICAL for chain in view.chains for finding in chain.findings)
    return FAILED if critical else DONE


def _print(view: View, console: Console, width: int) -> None:
    for line in view.lines(console, Room(width, None)):
        line.rstrip()
        console.print(line, end="\n", soft_wrap=True)


async def _follow(collector: Collector, view: View, screen: terminal.Screen) -> None:
    stop, draw = asyncio.Event(), asyncio.Event()
    with _told_to_stop(stop, draw), _keys(view, stop, draw):
        asking = asyncio.create_task(_ask(collector, view, draw))
        try:
            while not stop.is_set():
                draw.clear()
                await asyncio.to_thread(screen.show, view.lines)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_EVERY):  # ages go on
                        await draw.wait()
        finally:
            asking.cancel()
            await asyncio.wait([asking])


async def _ask(collector: Collector, view: View, draw: asyncio.Event) -> None:
    while True:
        try:
            view.tell(await collector.state())
        except Failure as failure:
            view.fail(in_words(failure))
        draw.set()
        await asyncio.sleep(_EVERY)


@contextlib.contextmanager
def _told_to_stop(stop: asyncio.Event, draw: asyncio.Event) -> Iterator[None]:
    """Stop at the signals that end a program, so that the terminal is given back."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        stop.set()
        draw.set()

    signals: tuple[signal.Signals, ...] = (signal.SIGINT, signal.SIGTERM)
    try:
        for number in signals:
            loop.add_signal_handler(number, told)
    except NotImplementedError:  # Windows: Ctrl-C ends it all the same
        signals = ()
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _keys(view: View, stop: asyncio.Event, draw: asyncio.Event) -> Iterator[None]:
    """Do what keys say; a closed standard input says nothing more."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        keys = terminal.pressed()
        if not keys:
            loop.remove_reader(sys.stdin)
        if "q" in keys.lower():
            stop.set()
        for _ in range(keys.count("s")):
            view.sort()
        draw.set()

    if not terminal.has_keys():
        yield
        return
    try:
        loop.add_reader(sys.stdin, read)
    except NotImplementedError:  # Windows
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(sys.stdin)
