"""The harness itself: what lets everything pass would make the live matrix green for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.alerts.live.expecting import Expected, Firing, Lateness, complaints, expectations, firings, rows
from tests.alerts.live.scenes import Scene, scenes
from tests.alerts.live.stated import BEGIN, END, stated
from tests.alerts.live.webhook import Told, Webhook
from tests.health.matrix.cases import all_cases

DOCUMENT = Path(__file__).parents[3] / "docs/alerts.md"
LATE = Lateness(pipeline=5.0, margin=10.0)
DIES = "sealer-dies-ethereum"


def _scene(chain: str) -> tuple[Scene, list[float]]:
    """Return a scene, gathered every ten seconds, and when its steps begin if the first does at 1000."""
    scene = next(scene for scene in scenes() if scene.chain == chain)
    scene = replace(scene, interval=scene.case.interval)
    began = [1000.0]
    for number in range(len(scene.steps) - 1):
        began.append(began[-1] + scene.seconds(number))
    return scene, began


def _expected(chain: str = DIES) -> tuple[Expected, list[float]]:
    scene, began = _scene(chain)
    return next(expectations(scene, began, LATE)), began


def _as_it_should_be(began: Sequence[float]) -> dict[tuple[str, str], list[Firing]]:
    _, fault, mended = began
    return {
        ("NodeDown", "maker-1"): [Firing(fault + 52, mended + 130)],
        ("MakerAbsent", "maker-1"): [Firing(fault + 40, mended + 140)],
        ("QuorumAtRisk", ""): [Firing(fault + 40, mended + 140)],
    }


def _complaints(chain: str, told: dict[tuple[str, str], list[Firing]], end: float = 9999.0) -> list[str]:
    return list(complaints(_expected(chain)[0], told, end))


def test_what_is_as_it_should_be_is_nothing_to_complain_of() -> None:
    expected, began = _expected()
    told = _as_it_should_be(began)
    assert list(complaints(expected, told, 9999.0)) == []
    assert {row.alert: round(row.fires or 0) for row in rows(expected, told)} == {
        "NodeDown": 52,
        "MakerAbsent": 40,
        "QuorumAtRisk": 40,
    }
    assert {row.alert: round(row.clears or 0) for row in rows(expected, told)}["NodeDown"] == 130


@pytest.mark.parametrize(
    ("fires", "resolved", "says"),
    [
        ([52, 60], 130, ["was told 2 times"]),
        ([], 130, ["was not told"]),
        ([90], 130, ["was told 25.0 s late"]),
        ([52], -5, ["was resolved while its cause lasts"]),
        ([52], 200, ["was resolved 55.0 s late"]),
        ([52], None, ["was not resolved"]),
    ],
)
def test_what_is_missing_late_or_lasts_is_told(fires: list[float], resolved: float | None, says: list[str]) -> None:
    _, began = _expected()
    told = _as_it_should_be(began)
    over = None if resolved is None else began[2] + resolved
    told["NodeDown", "maker-1"] = [Firing(began[1] + at, over) for at in fires]
    assert _complaints(DIES, told) == [f"NodeDown maker-1 {each}" for each in says]


@pytest.mark.parametrize("key", [("ChainHalted", ""), ("NodeDown", "maker-2")])
def test_what_nothing_explains_is_told(key: tuple[str, str]) -> None:
    _, began = _expected()
    told = {**_as_it_should_be(began), key: [Firing(began[1] + 10, began[1] + 20)]}
    assert f"{' '.join(key).strip()} was told, and nothing explains it" in _complaints(DIES, told)


def test_what_fires_before_its_cause_is_not_explained_by_it() -> None:
    _, began = _expected()
    told = _as_it_should_be(began)
    told["NodeDown", "maker-1"].insert(0, Firing(began[1] - 10, began[1] - 5))
    assert "NodeDown maker-1 was told, and nothing explains it" in _complaints(DIES, told)


def test_in_health_whatever_is_told_is_wrong() -> None:
    told = {("NodeSlow", "other-1"): [Firing(1100.0, 1200.0)]}
    assert "NodeSlow other-1 was told, and nothing explains it" in _complaints("healthy-two-makers-nodeos", told)


def test_of_two_halves_that_are_alike_either_may_be_taken_for_the_chain() -> None:
    scene, began = _scene("split-nodeos-even-nodeos")
    forked = [
        {subject for alert, subject in expected if alert == "NodeForked"}
        for expected in expectations(scene, began, LATE)
    ]
    assert forked == [{"maker-1", "maker-2", "other-1"}, {"maker-3", "maker-4", "other-2"}]


def test_those_who_are_cut_off_and_sealed_last_are_behind_and_on_no_branch() -> None:
    scene, began = _scene("split-ethereum-ethereum")
    cut_off = {"maker-4", "maker-5", "maker-6", "other-2"}
    told = [
        {(alert, subject) for alert, subject in expected if alert in ("NodeBehind", "NodeForked", "NodeReorganised")}
        for expected in expectations(scene, began, LATE)
    ]
    assert told == [
        {(alert, subject) for alert in ("NodeForked", "NodeReorganised") for subject in cut_off},
        {("NodeBehind", subject) for subject in cut_off},
    ]


def test_a_node_that_is_away_for_less_than_the_alert_waits_need_not_be_told_of() -> None:
    assert _complaints("node-restarts-nodeos", {}) == []


def _told(at: float, *, firing: bool, subject: str = "0xabc") -> Told:
    return Told(at, firing, {"alertname": "MakerAbsent", "chain": "lab", "subject": subject}, {})


def test_changes_become_firings_and_makers_go_by_the_names_of_their_nodes() -> None:
    told: Iterable[Told] = [_told(1, firing=True), _told(2, firing=False), _told(3, firing=True)]
    assert firings(told, {"0xabc": "maker-1"}) == {("MakerAbsent", "maker-1"): [Firing(1, 2), Firing(3)]}


def test_the_webhook_notes_each_change_once() -> None:
    heard = Webhook()
    alert = '{"fingerprint": "f", "startsAt": "t", "status": "%s", "labels": {"alertname": "A"}, "annotations": {}}'
    for status in ("firing", "firing", "resolved"):
        heard.hear(f'{{"alerts": [{alert % status}]}}'.encode())
    assert [told.firing for told in heard.told] == [True, False]
    assert heard.calls == 3
    assert heard.firing() == set()


def test_the_table_in_the_documentation_is_that_of_the_cases(pytestconfig: pytest.Config) -> None:
    text = DOCUMENT.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin
    assert end
    wanted = f"{before}{begin}\n\n{stated(all_cases().values())}\n{end}{after}"
    if pytestconfig.getoption("--update-cases"):
        DOCUMENT.write_text(wanted)
    assert DOCUMENT.read_text() == wanted, "docs/alerts.md; if it should be so: pytest --update-cases"
