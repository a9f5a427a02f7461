"""The fault matrix, played: each case for each of its kinds of chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.catalogue import CATALOGUE
from collector.health.signals import SIGNALS
from tests.health.matrix.cases import Case, all_cases
from tests.health.matrix.judging import Judge, Timeline
from tests.health.matrix.table import BEGIN, END, table
from tests.health.matrix.world import World
from tests.helpers import run

CASES = all_cases()
METRICS = {
    metric.name for metric in CATALOGUE if metric.measurement in {"chain_health", "chain_maker", "chain_network"}
}
DOCUMENT = Path(__file__).parents[3] / "docs/health.md"
PLAYED = [pytest.param(case, kind, id=f"{name}-{kind}") for name, case in CASES.items() for kind in case.kinds]


async def play(case: Case, kind: str, seed: int = 1) -> None:
    """Play a case. Fails at the first gather at which something shows that should not, or the other way round."""
    judge, timeline = Judge(), Timeline()
    async with World(case, kind, seed) as world:
        for number, step in enumerate(case.steps, 1):
            timeline.heading(f"step {number}")
            judge.begin(step)
            for deed in step.do:
                await world.do(deed)
            for gather in range(1, step.gathers + 1):
                assessment = await world.gather()
                shown = list(world.shown(assessment))
                timeline.gather(gather, dict(shown))
                complaints = list(judge.complaints(gather, (name for name, _ in shown)))
                if complaints:
                    told = [f"step {number}, gather {gather}: {complaint}" for complaint in complaints]
                    pytest.fail("\n".join([*told, assessment.sentence, *timeline.lines]), pytrace=False)
        if case.untold is not None:
            assert world.metrics() == METRICS - set(case.untold)


@pytest.mark.slow
@pytest.mark.parametrize(("case", "kind"), PLAYED)
def test_exactly_the_signals_move_that_should(case: Case, kind: str) -> None:
    run(play(case, kind), timeout=120)


def test_every_signal_is_provoked() -> None:
    provoked = {move.partition(" ")[0] for case in CASES.values() for step in case.steps for move in step.shows}
    elsewhere = {
        "slow",  # by the real clock
        "unscheduled",  # the simulated schedule stands
        "out_of_turn",  # simulated signers are never late
    }
    assert provoked | elsewhere == SIGNALS.keys()
    assert not provoked & elsewhere


def test_the_table_in_the_documentation_is_that_of_the_cases(pytestconfig: pytest.Config) -> None:
    text = DOCUMENT.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin
    assert end
    wanted = f"{before}{begin}\n\n{table(CASES)}\n{end}{after}"
    if pytestconfig.getoption("--update-cases"):
        DOCUMENT.write_text(wanted)
    assert DOCUMENT.read_text() == wanted, "docs/health.md; if it should be so: pytest --update-cases"
