"""The page for Prometheus: prometheus-client's own parsers read it back, in both formats."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from collector.readings import Field, Kind, Reading, Shape
from exporters.exposition import Layout


def render(readings: list[Reading], *, openmetrics: bool = False) -> str:
    return Layout([reading.shape for reading in readings]).render(readings, openmetrics=openmetrics).decode()


def node(name: str, values: list[float]) -> Reading:
    fields = [
        Field("head_block_number", Kind.GAUGE, "Number of the head block."),
        Field("gathers_total", Kind.COUNTER, "Gathers begun."),
        Field("node_info", Kind.INFO, "What it is."),
        Field("other", Kind.UNKNOWN, ""),
    ]
    return Reading(Shape("chain", {"chain": "lab", "node": name}, fields), values, 1)


def test_families_stand_together_under_one_header() -> None:
    assert render([node("a", [1, 2, 1, 4.5]), node("b", [5, 6, 1, 1e-9])]) == (
        "# HELP chain_head_block_number Number of the head block.\n"
        "# TYPE chain_head_block_number gauge\n"
        'chain_head_block_number{chain="lab",node="a"} 1\n'
        'chain_head_block_number{chain="lab",node="b"} 5\n'
        "# HELP chain_gathers_total Gathers begun.\n"
        "# TYPE chain_gathers_total counter\n"
        'chain_gathers_total{chain="lab",node="a"} 2\n'
        'chain_gathers_total{chain="lab",node="b"} 6\n'
        "# HELP chain_node_info What it is.\n"
        "# TYPE chain_node_info gauge\n"
        'chain_node_info{chain="lab",node="a"} 1\n'
        'chain_node_info{chain="lab",node="b"} 1\n'
        "# TYPE chain_other untyped\n"
        'chain_other{chain="lab",node="a"} 4.5\n'
        'chain_other{chain="lab",node="b"} 1e-9\n'
    )


def test_openmetrics_names_families_without_the_suffix_and_ends_the_page() -> None:
    page = render([node("a", [1, 2, 1, 4])], openmetrics=True)
    assert "# TYPE chain_gathers counter\nchain_gathers_total{" in page.replace(
        "# HELP chain_gathers Gathers begun.\n", ""
    )
    assert "# TYPE chain_node info\nchain_node_info{" in page
    assert "# TYPE chain_other unknown\n" in page
    assert page.endswith("# EOF\n")
    assert {
        family.name: family.type
        for family in parse_openmetrics(page)  # type: ignore[no-untyped-call]
    } == {
        "chain_head_block_number": "gauge",
        "chain_gathers": "counter",
        "chain_node": "info",
        "chain_other": "unknown",
    }


def test_a_counter_that_is_not_named_as_one_is_of_unknown_type_in_openmetrics() -> None:
    shape = Shape("m", {}, [Field("blocks", Kind.COUNTER)])
    assert "# TYPE m_blocks unknown\n" in render([Reading(shape, [1], 1)], openmetrics=True)


def test_families_that_would_share_a_name_in_openmetrics_keep_their_own() -> None:
    fields = [
        Field("a", Kind.GAUGE), Field("a_total", Kind.COUNTER), Field("a_info", Kind.INFO),
        Field("b_info", Kind.INFO), Field("b_total", Kind.COUNTER),
    ]  # fmt: skip
    page = render([Reading(Shape("m", {"x": "y"}, fields), [1, 2, 1, 1, 5], 1)], openmetrics=True)
    families = {family.name: family for family in parse_openmetrics(page)}  # type: ignore[no-untyped-call]
    assert {name: family.type for name, family in families.items()} == {
        "m_a": "gauge", "m_a_total": "unknown", "m_a_info": "unknown", "m_b": "info", "m_b_total": "unknown",
    }  # fmt: skip
    assert [sample.name for family in families.values() for sample in family.samples] == [
        f"m_{field.name}" for field in fields
    ]


def test_text_has_no_place_on_the_page() -> None:
    shape = Shape("chain", {}, [Field("hash", Kind.TEXT), Field("peers", Kind.GAUGE)])
    assert render([Reading(shape, ["0xab", 3], 1)]) == "# TYPE chain_peers gauge\nchain_peers 3\n"


def test_numbers_that_json_has_no_word_for_are_spelled_as_prometheus_does() -> None:
    shape = Shape("m", {}, [Field(name) for name in "abcde"])
    page = render([Reading(shape, [math.nan, math.inf, -math.inf, 2**70, True], 1)])
    assert [line.rsplit(" ", 1)[1] for line in page.splitlines() if not line.startswith("#")] == [
        "NaN",
        "+Inf",
        "-Inf",
        "1.1805916207174113e+21",
        "1.0",
    ]


def test_names_that_become_one_are_one_series() -> None:
    shape = Shape("m", {"a b": "1", "a_b": "2"}, [Field("x y"), Field("x-y"), Field("x_y")])
    assert render([Reading(shape, [1, 2, 3], 1)]) == '# TYPE m_x_y untyped\nm_x_y{a_b="1"} 1\n'


def test_two_shapes_that_spell_one_series_give_it_once() -> None:
    one = Shape("a", {}, [Field("b_c")])
    other = Shape("a_b", {}, [Field("c")])
    assert render([Reading(one, [1], 1), Reading(other, [2], 1)]) == "# TYPE a_b_c untyped\na_b_c 1\n"


def test_an_empty_page_is_a_page() -> None:
    assert render([]) == ""
    assert render([], openmetrics=True) == "# EOF\n"


@given(
    st.lists(
        st.tuples(
            st.text(min_size=1, max_size=10),
            st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=20), max_size=3),
            st.dictionaries(st.text(min_size=1, max_size=10), st.floats(), min_size=1, max_size=5),
            st.sampled_from([Kind.GAUGE, Kind.COUNTER, Kind.INFO, Kind.UNKNOWN]),
            st.text(max_size=20),
        ),
        max_size=5,
    )
)
def test_any_readings_make_a_page_that_parses_with_every_value(
    given_readings: list[tuple[str, dict[str, str], dict[str, float], Kind, str]],
) -> None:
    readings = [
        Reading(Shape(name, tags, [Field(field, kind, text) for field in fields]), list(fields.values()), 1)
        for name, tags, fields, kind, text in given_readings
    ]
    families = list(parse_text(render(readings)))
    samples = [sample for family in families for sample in family.samples]
    assert len({(sample.name, tuple(sorted(sample.labels.items()))) for sample in samples}) == len(samples)
    said = [value for reading in readings for value in reading.values]
    for sample in samples:
        assert any(sample.value == value or (math.isnan(sample.value) and math.isnan(float(value))) for value in said)


def test_a_layout_fits_only_its_own_shapes_in_their_order() -> None:
    a, b = node("a", [1, 1, 1, 1]).shape, node("b", [1, 1, 1, 1]).shape
    assert Layout([a, b]).fits([a, b])
    assert not Layout([a, b]).fits([b, a])
    assert not Layout([a, b]).fits([a])
