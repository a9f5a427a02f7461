"""Every fault of the health matrix gives its alerts and no others, within the time that is stated, and all of it live.

All scenes that are asked for are played at once; `-k` chooses some.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.alerts.live.matrix import Outcome, play, table
from tests.alerts.live.scenes import Scene, scenes
from tests.alerts.live.table import written

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    chains = {item.name.partition("[")[2].rstrip("]") for item in request.session.items}
    played = [scene for scene in scenes() if scene.chain in chains]
    found = play(tmp_path_factory.mktemp("live"), played)
    written("alerts-matrix", table(found.values()))
    return found


@pytest.mark.parametrize("scene", [pytest.param(scene, id=scene.chain) for scene in scenes()])
def test_a_scene_gives_its_alerts(scene: Scene, outcomes: Mapping[str, Outcome]) -> None:
    assert outcomes[scene.chain].complaints == ()
