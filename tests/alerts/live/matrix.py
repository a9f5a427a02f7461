"""The live matrix: scenes are played, watched, judged and told, all at once; what came of it, as a table."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alerts.alert import Limits
from alerts.chosen import by_default
from alerts.rulefile import rules
from alerts.table import alerts
from tests.alerts.live.expecting import Lateness, Row, complaints, expectations, firings, rows
from tests.alerts.live.monitoring import Pace, alertmanager, judging, watching
from tests.alerts.live.players import playing
from tests.alerts.live.scenes import Scene
from tests.alerts.live.table import seconds
from tests.alerts.live.webhook import Told, webhook
from tests.health.matrix.stage import Stage
from tests.real.servers import free_port

PACE = Pace()
LATE = Lateness(PACE.longest + 1.0, margin=15.0)
KEEPS = max(alert.keeps for alert in alerts(Limits()) if alert.signal)

COLLECTORS = 2
"""Collectors that share the chains out between them: there are more nodes than most people watch with one."""

TIMEOUT = 9.0
"""Seconds that a gather has: a busy machine must not look like a node that is down."""

PUNCTUAL = 2.0
"""Seconds that a step may be late: then it begins before the nodes are gathered still."""


@dataclass(frozen=True)
class Outcome:
    """What came of a scene: what is not as it should be, and when its alerts came and went."""

    scene: Scene
    complaints: tuple[str, ...]
    rows: tuple[Row, ...]
    extra: tuple[str, ...]


def play(folder: Path, chosen: Sequence[Scene]) -> dict[str, Outcome]:
    """Play scenes and return what came of each, by chain. It takes as long as the longest, and what alerts take."""
    with ExitStack() as stack:
        heard = stack.enter_context(webhook())
        players = stack.enter_context(playing(folder, chosen))
        addresses = [f"127.0.0.1:{free_port()}" for _ in range(COLLECTORS)]
        for place, address in enumerate(addresses):
            settings = _settings(folder, chosen[place::COLLECTORS], address)
            stack.enter_context(watching(folder / f"collector-{place}", settings))
        (folder / "rules.yaml").write_text(rules(by_default()))
        telling = stack.enter_context(alertmanager(folder / "alertmanager", heard.url))
        stack.enter_context(judging(folder / "prometheus", addresses, folder / "rules.yaml", telling, PACE))
        players.begin()
        until = time.time() + max(map(_longest, chosen))
        while time.time() < until:
            time.sleep(1)
            players.check()
        told = heard.told
        steps = players.steps
    _note(folder, told=[(each.at, each.firing, dict(each.labels)) for each in told], steps=steps)
    assert not [step for step in steps if step.late > PUNCTUAL], "the machine is too busy to play anything in time"
    outcomes = {}
    for scene in chosen:
        began = [step.at for step in steps if step.chain == scene.chain]
        outcomes[scene.chain] = judge(scene, began, [each for each in told if each.chain == scene.chain], until)
    others = {each.name for each in told if not each.chain} - {"Watchdog"}
    assert not others, f"chainwatch itself was told of: {others}"
    return outcomes


def judge(scene: Scene, began: Sequence[float], told: Iterable[Told], end: float) -> Outcome:
    """Return what came of a scene, given when its steps began, and what was told of its chain up to the end."""
    mine = firings(told, Stage(scene.case, scene.kind, time.time).accounts())
    expected = min(expectations(scene, began, LATE), key=lambda each: len(list(complaints(each, mine, end))))
    extra = tuple(f"{name} {subject}".strip() for name, subject in mine if (name, subject) not in expected)
    return Outcome(scene, tuple(complaints(expected, mine, end)), tuple(rows(expected, mine)), extra)


def table(outcomes: Iterable[Outcome]) -> str:
    """Return what came of the scenes as Markdown; of an alert with several subjects, the slowest."""
    lines = [
        "| What happens | Chain | Alert | Fires within | Clears within | Others |",
        "| --- | --- | --- | --: | --: | --- |",
    ]
    for outcome in outcomes:
        lines += _lines(outcome)
    return "\n".join(lines) + "\n"


def _lines(outcome: Outcome) -> Iterator[str]:
    case, kind = outcome.scene.case, {"ethereum": "Ethereum", "nodeos": "nodeos"}[outcome.scene.kind]
    extra = ", ".join(outcome.extra) or "none"
    for row in outcome.rows or (Row("none", None, None),):
        yield f"| {case.what} | {kind} | {row.alert} | {seconds(row.fires)} | {seconds(row.clears)} | {extra} |"


def _longest(scene: Scene) -> float:
    """Return how long a scene takes until all is told, from when all begin; in health, for as long as the others."""
    if scene.is_healthy:
        return 0.0
    resolved = KEEPS if scene.steps[-1].clears else 0.0
    return 1.75 * scene.interval + sum(map(scene.seconds, range(len(scene.steps)))) + resolved + LATE.whole


def _settings(folder: Path, chosen: Iterable[Scene], address: str) -> Mapping[str, Any]:
    return {
        "agent": {"state_dir": "state", "timeout": TIMEOUT},
        "chains": [
            {
                "name": scene.chain,
                "kind": scene.kind,
                "interval": scene.interval,
                "metrics": [],
                "servers": [{"file": str(folder / f"{scene.chain}.yaml")}],
                "health": dict(scene.case.thresholds),
            }
            for scene in chosen
        ],
        "outputs": {"prometheus": {"listen": address}},
    }


def _note(folder: Path, **what: Any) -> None:  # noqa: ANN401 - JSON is anything
    """Write down what happened, for whoever wonders why a scene fails."""
    for name, value in what.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
