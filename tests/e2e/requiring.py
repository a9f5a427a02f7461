"""What the tests on an engine of their own begin with: they are marked, and what they lack is said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.e2e import parts
from tests.e2e.engine import PROGRAMS, missing


def mark_and_require(items: Sequence[pytest.Item], folder: Path, more: Mapping[str, str] | None = None) -> None:
    """Mark the tests of a folder, and say what they lack before anything begins: nothing is skipped.

    `more` are programs besides the engine's, each with its Debian package. Raises pytest.UsageError.
    """
    ours = [item for item in items if folder in item.path.parents]
    for item in ours:
        item.add_marker("e2e")
    lacks = [*missing({**PROGRAMS, **(more or {})}), *parts.lacking()]
    if os.geteuid():
        lacks.insert(0, "needs root: it runs a Docker engine of its own")
    if ours and lacks:
        raise pytest.UsageError("\n".join(lacks))
