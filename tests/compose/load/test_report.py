"""What is said of a load: figures, the picture, and what they are worth."""

from __future__ import annotations

import io

import msgspec
import pytest

from compose.load.histogram import Histogram
from compose.load.plan import Load
from compose.load.process import Account
from compose.load.processes import Outcome
from compose.load.progress import Progress, line
from compose.load.report import Report, in_words, picture, report
from compose.load.strain import Strain
from compose.load.tally import MOST_KINDS, Counted, Tally
from tests.compose.load.making import USUAL

CALM = Strain(busy=0.2, lag=0.002, lag_longest=0.004)


def counted(latency: float, ok: int = 1000, **failed: int) -> Tally:
    """Return a tally of answers that all took so long."""
    tally = Tally()
    for _ in range(ok):
        tally.latencies.record(latency)
    tally.ok = ok
    for kind, count in failed.items():
        tally.fail(kind, count)
    tally.begun = tally.made
    tally.spent = latency * tally.made
    return tally


def outcome(tally: Tally, seconds: float = 2.0, *strains: Strain, **more: object) -> Outcome:
    """Return what a load came to, all but what is given in good order."""
    return Outcome(tally, seconds, list(strains or [CALM]), until_begun=seconds, **more)  # type: ignore[arg-type]


def remarks(found: Outcome, load: Load = USUAL) -> str:
    """Return what is remarked of it."""
    return " ".join(report(load, found).remarks)


def test_figures() -> None:
    found = report(USUAL, outcome(counted(0.01, 990, status_503=7, timeout=3)))
    assert (found.made, found.ok, found.failed, found.complete) == (1000, 990, 10, True)
    assert found.failed_by == {"status_503": 7, "timeout": 3}
    assert (found.requests_per_second, found.ok_per_second) == (500.0, 495.0)
    assert found.latency["p99"] == pytest.approx(0.01, rel=0.01)
    assert not found.generator.limit
    assert found.remarks == []
    assert msgspec.json.decode(msgspec.json.encode(found), type=Report) == found


def test_of_nothing_there_are_no_figures() -> None:
    tally = Tally()
    found = report(USUAL, outcome(tally, 0.0))
    assert (found.made, found.complete, found.requests_per_second) == (0, False, 0.0)
    assert set(found.latency.values()) == {None}
    assert "1,000  of which 0 were under way" in in_words(found, tally.latencies)


def test_a_busy_generator_is_said_to_be_the_limit() -> None:
    busy = outcome(counted(0.01), 2.0, CALM, Strain(0.97, 0.001, 0.001))
    assert remarks(busy).startswith(
        "The generator was the limit: one of its processes used a core, or waited for one, 97%"
    )
    assert report(USUAL, busy).generator.limit


@pytest.mark.parametrize(("lag", "latency", "said"), [(0.05, 0.1, True), (0.05, 2.0, False), (0.009, 0.001, False)])
def test_one_that_was_held_up_is_told_of(lag: float, latency: float, *, said: bool) -> None:
    held_up = outcome(counted(latency), 2.0, Strain(0.3, lag, 0.2))
    assert ("held up itself, by 50 ms one time in a hundred and 200 ms at worst" in remarks(held_up)) is said
    assert not report(USUAL, held_up).generator.limit  # it had the time to make them all


def test_so_is_one_without_ports() -> None:
    without = outcome(counted(0.01, 997, own_limit=3))
    assert remarks(without).startswith("3 requests could not be sent")
    assert report(USUAL, without).generator.limit


def test_a_rate_that_was_reached() -> None:
    paced = msgspec.structs.replace(USUAL, rate=500.0)
    assert remarks(outcome(counted(0.01)), paced) == ""


def test_a_rate_too_high_for_the_workers() -> None:
    paced = msgspec.structs.replace(USUAL, rate=500.0)
    slow = remarks(outcome(counted(0.1), 5.0), paced)  # 20 workers, a tenth of a second each: 200 a second
    assert slow.startswith("The rate was not reached: 200 a second instead of 500, since all 20 workers were waiting")
    assert not report(paced, outcome(counted(0.1), 5.0)).generator.limit


def test_a_rate_too_high_for_the_generator() -> None:
    paced = msgspec.structs.replace(USUAL, rate=500.0)
    assert "though workers were free: the generator was the limit" in remarks(outcome(counted(0.001), 5.0), paced)
    assert report(paced, outcome(counted(0.001), 5.0)).generator.limit


def test_a_ceiling_is_told_of() -> None:
    limited = msgspec.structs.replace(USUAL, ceiling=1000.0, hostname="node-1")
    assert remarks(outcome(counted(0.01)), limited) == (
        "No more than 1,000 requests a second were made, since node-1 is not this machine. "
        "Say --rate N or --rate max to make more."
    )


def test_lost_processes_are_told_of() -> None:
    assert "A process of the generator was ended by SIGKILL" in remarks(
        outcome(counted(0.01), lost=["was ended by SIGKILL"])
    )


def test_the_picture_counts_every_answer() -> None:
    latencies = Histogram()
    for seconds in (49e-6, 150e-6, 0.003, 0.003, 0.003, 2.5, 90_000.0):
        latencies.record(seconds)
    rows = list(picture(latencies))
    assert rows[0].split() == ["up", "to", "50", "us", "1", "#" * 13]
    assert sum(int(row.split()[4]) for row in rows) == 7
    assert next(row for row in rows if "5 ms" in row).endswith("#" * 40)


def test_what_processes_tell_is_added_up() -> None:
    told = Tally()
    for number in range(1, 3):
        one = counted(0.01 * number, 10 * number, reset=number)
        one.late, one.delayed, one.begun, one.last_begun, one.last_ended = number, 3 * number, 100, 7.0 + number, 9.0
        told.add(msgspec.json.decode(msgspec.json.encode(one.counted()), type=Counted))
    assert (told.ok, told.failed, told.late, told.delayed, told.begun) == (30, {"reset": 3}, 3, 9, 200)
    assert (told.last_begun, told.last_ended) == (9.0, 9.0)
    assert told.spent == pytest.approx(0.11 + 0.44)
    assert (told.latencies.count, told.latencies.longest) == (30, 0.02)
    assert told.latencies.sum == pytest.approx(0.1 + 0.4)


def test_kinds_are_bounded() -> None:
    tally = Tally()
    for code in range(5000):
        tally.fail(f"rpc_error_{code}")
    assert tally.failures == 5000
    assert len(tally.failed) == MOST_KINDS + 1
    assert tally.failed["others"] == 5000 - MOST_KINDS


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress() -> None:
    assert line(450, 3, 1000, 100.0) == " 45% [#########           ] 450 of 1,000, 3 failed, 100/s, 0:05 left"
    assert line(0, 0, 1000, 0.0) == "  0% [                    ] 0 of 1,000, 0 failed, 0/s"
    terminal = _Terminal()
    progress = Progress(1000, terminal)
    progress.show([Account(counted(0.01, 100).counted(), CALM), Account()])
    assert terminal.getvalue().startswith("\r 10% [##")
    progress.clear()
    assert terminal.getvalue().endswith(" \r")


def test_no_progress_where_nobody_watches() -> None:
    stream = io.StringIO()
    progress = Progress(1000, stream)
    progress.show([Account()])
    progress.clear()
    assert stream.getvalue() == ""
