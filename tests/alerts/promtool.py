"""Prometheus' own judge of rules and of their tests."""

from __future__ import annotations

import re
import subprocess

from tests.real.servers import require

_WELL = re.compile(r"Unit Testing:  .*\n  SUCCESS\n\n?")
"""What it says of a file with which all is well."""


def promtool(*arguments: str) -> str:
    """Run promtool and return what it says. Raises AssertionError, with all of that, where it finds something wrong."""
    done = subprocess.run(
        [require("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=240, env={"TZ": "UTC"}
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, _WELL.sub("", said)
    return said
