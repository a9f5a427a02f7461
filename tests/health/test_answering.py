"""How the gathers of nodes went."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from collector.health.nodes import Answering, Answers
from collector.health.nodes.answering import GATHERS


def gathered(took: Sequence[float | str], first: int = 0) -> Answering:
    """Return what is known after gathers 10 s apart: the seconds that each took, or the kind of its failure."""
    answering = Answering()
    for number, each in enumerate(took, first):
        tell(answering, 10.0 * number, each)
    return answering


def tell(answering: Answering, at: float, took: float | str) -> None:
    """Tell of one gather of `n1`."""
    if isinstance(took, str):
        answering.failed("n1", took, at)
    else:
        answering.took("n1", took, at)


def test_a_node_that_was_never_asked_tells_nothing() -> None:
    assert Answering().of("n1") == Answers()


def test_latency_is_the_median_and_the_95th_percentile_of_answers() -> None:
    answers = gathered([0.1] * 17 + ["timeout"] + [0.3] * 2 + [0.9]).of("n1")
    assert (answers.latency, answers.latency_p95) == (0.1, 0.3)
    assert answers.last_answer == 200.9
    assert gathered(["refused"]).of("n1").latency is None


def test_failures_are_counted_by_kind_and_as_a_share() -> None:
    answers = gathered([0.1, "timeout", "refused", "timeout"]).of("n1")
    assert answers.failed_share == 0.75
    assert answers.failures == {"timeout": 2, "refused": 1}
    assert (answers.failed_in_a_row, answers.failing_since) == (3, 10.0)


def test_in_health_none_failed() -> None:
    answers = gathered([0.1] * 100).of("n1")
    assert (answers.failed_share, answers.failures, answers.failed_in_a_row) == (0.0, {}, 0)
    assert answers.failing_since is None


def test_one_answer_ends_the_row() -> None:
    answers = gathered(["timeout", "timeout", 0.1]).of("n1")
    assert (answers.failed_in_a_row, answers.failing_since) == (0, None)


def test_a_row_longer_than_is_looked_at_keeps_its_length_and_its_beginning() -> None:
    answers = gathered([0.1, *["timeout"] * 500]).of("n1")
    assert (answers.failed_in_a_row, answers.failing_since, answers.last_answer) == (500, 10.0, 0.1)
    assert answers.failures == {"timeout": GATHERS}
    assert answers.latency is None


def test_a_node_that_is_forgotten_begins_anew() -> None:
    answering = gathered(["timeout"])
    answering.forget("n1")
    answering.forget("n1")
    assert answering.of("n1") == Answers()


def test_what_is_no_number_is_left_out() -> None:
    answering = gathered([0.1])
    for odd in (float("nan"), float("inf")):
        answering.took("n1", odd, 10.0)
        answering.took("n1", 0.1, odd)
        answering.failed("n1", "timeout", odd)
    assert answering.of("n1").latency == 0.1


_TOOK = st.one_of(st.floats(0, 5), st.sampled_from(["timeout", "refused"]))


@given(st.lists(_TOOK, min_size=1, max_size=GATHERS), st.data())
def test_no_order_and_no_repetition_matters(took: list[float | str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(took))))
    again = data.draw(st.lists(st.sampled_from(order), max_size=10))
    answering = Answering()
    for number in [*order, *again]:
        tell(answering, 10.0 * number, took[number])
    assert answering.of("n1") == gathered(took).of("n1")


@given(st.lists(st.tuples(st.integers(0, 300), _TOOK), max_size=300))
def test_memory_is_bounded_whatever_comes(told: list[tuple[int, float | str]]) -> None:
    answering = Answering()
    for at, took in told:
        tell(answering, at, took)
    answers = answering.of("n1")
    assert sum((answers.failures or {}).values()) <= GATHERS
    assert all(len(row.gathers) <= GATHERS for row in answering._rows.values())
