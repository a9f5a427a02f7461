"""`python -m tests.dashboards.live`: run the stage for some minutes, then draw the boards for the documentation.

It needs the servers that the tests need, and Chromium. Towards the end some nodes have faults, so that there is
something to see.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from dashboards.drawing.__main__ import draw
from dashboards.drawing.variables import Span
from tests.dashboards.live.stage import ETHEREUM, EVERY, NODEOS, running

CHOSEN = {
    **{f"chainwatch-ethereum{language}": {"chain": (ETHEREUM,)} for language in ("", "-influxql", "-flux")},
    **{f"chainwatch-nodeos{language}": {"chain": (NODEOS,)} for language in ("", "-influxql", "-flux")},
    "chainwatch-node": {"node": ("client-2",)},
}
"""One chain, or node, where a board shows one after the other."""

SETTLING = 20.0
"""Seconds from the start that are not shown: the collector gets to know its chains."""


def main() -> int:
    """Run and draw as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.dashboards.live", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="that are shown (default 10)")
    parser.add_argument("--faults", type=float, default=3.0, metavar="N", help="minutes with faults (default 3)")
    parser.add_argument("--output", type=Path, default=Path("docs/dashboards"), metavar="DIR")
    options = parser.parse_args()
    seconds, faulty = options.minutes * 60, options.faults * 60
    with tempfile.TemporaryDirectory(prefix="chainwatch-stage-") as folder, running(Path(folder)) as stage:
        time.sleep(SETTLING + seconds - faulty)
        stage.faults()
        time.sleep(faulty)
        end = time.time()
        databases = {
            "promql": stage.database("prometheus"),
            "influxql": stage.database("influxql"),
            "flux": stage.database("flux"),
        }
        for path in draw(databases, Span(end - seconds, end, EVERY, EVERY), options.output, CHOSEN):
            print(path, f"{path.stat().st_size / 1000:.0f} kB")  # noqa: T201 - what the command was asked for
    return 0


if __name__ == "__main__":
    sys.exit(main())
