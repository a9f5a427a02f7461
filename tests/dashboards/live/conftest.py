"""What the tests against real databases share: one run, first in health, then with faults."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.dashboards.live.stage import Stage, running

HEALTH = 30.0
"""Seconds in health before the boards are asked: some gathers, two dozen blocks, and a window of rates."""

TROUBLE = 40.0
"""Seconds from the faults on: producers have rounds to miss, and findings hold for two gathers."""


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a run that has been in health for a while."""
    with running(tmp_path_factory.mktemp("stage")) as made:
        time.sleep(HEALTH)
        yield made


@pytest.fixture(scope="session")
def troubled(stage: Stage) -> Stage:
    """Return the same run after a while in which some nodes had faults."""
    stage.faults()
    stage.disturb()
    time.sleep(TROUBLE)
    return stage
