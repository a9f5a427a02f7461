"""`python -m compose.identities`: the one-shot service `setup`, before anything else of a cluster starts.

Makes what is missing of the identities, then hands each service its secrets. Runs as root, since what it hands out
belongs to other users. Prints a line for each thing that it made, and nothing at all where nothing was missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from collector.configuration import WrongConfiguration
from compose.identities import Unusable, ensure
from compose.identities.handing_out import gift, give, place
from compose.options.reading import read_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 1 if anything could not be done, 2 for wrong arguments."""
    asked = _parser().parse_args(arguments)
    say = partial(print, flush=True)
    try:
        options, _ = read_options(asked.options, {})
        ensure(options, asked.directory, say)
        for present in asked.give:
            give(present, asked.directory, say)
        for present in asked.place:
            place(present, asked.directory, say)
    except (Unusable, WrongConfiguration) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own error
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compose.identities",
        description="Make what is missing of a cluster's identities, and hand each service its secrets.",
    )
    parser.add_argument("--options", type=Path, required=True, metavar="FILE", help="the options of the cluster")
    parser.add_argument("--directory", type=Path, required=True, help="where the identities are kept")
    parser.add_argument(
        "--give",
        type=gift,
        action="append",
        default=[],
        metavar="SOURCE:UID:TARGET",
        help="copy a file of the directory (secrets/ethstats) to where user UID alone can read it; may be repeated",
    )
    parser.add_argument(
        "--place",
        type=gift,
        action="append",
        default=[],
        metavar="SOURCE:UID:TARGET",
        help="copy a file to a folder that is then user UID's, unless there is one; may be repeated",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
