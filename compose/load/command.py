"""`chainwatch load`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import sys

import msgspec

from compose.load.arguments import Unusable, load
from compose.load.processes import Unstartable, make
from compose.load.progress import Progress
from compose.load.report import in_words, report

DONE, FAILED, WRONG = 0, 1, 2


def run(options: argparse.Namespace) -> int:
    """Make a load and print what came of it.

    Returns 0 if every request was answered, 1 if not, 2 if there is no such load, and for a signal what a shell says of
    it.
    """
    try:
        asked = load(options)
    except Unusable as error:
        print(f"chainwatch: {error}", file=sys.stderr)  # noqa: T201 - a command's own error
        return WRONG
    progress = Progress(asked.requests, sys.stderr)
    try:
        outcome = make(asked, progress.show)
    except Unstartable as error:
        print(f"chainwatch: {error}", file=sys.stderr)  # noqa: T201 - as above
        return FAILED
    finally:
        progress.clear()
    told = report(asked, outcome)
    text = (
        msgspec.json.format(msgspec.json.encode(told)).decode()
        if options.json
        else in_words(told, outcome.tally.latencies)
    )
    print(text)  # noqa: T201 - what it was asked for
    if outcome.signal and not told.complete:
        return 128 + outcome.signal
    return DONE if told.ok == told.requests else FAILED
