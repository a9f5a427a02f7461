"""What chainwatch knows of itself, as readings; and what is forgotten when a server goes."""

from __future__ import annotations

from collector.about import VERSION, About
from collector.catalogue import ABOUT
from collector.readings import Kind, Reading


def find(about: About, **tags: str) -> Reading:
    [found] = [r for r in about.readings() if r.shape.key == ("chainwatch", tuple(sorted(tags.items())))]
    return found


def test_counters_and_gauges_leave_as_readings_with_their_labels_as_tags() -> None:
    about = About()
    about.counter("gathers_total", "lab", "a").inc(3)
    about.gauge("gather_success_timestamp_seconds", "lab", "a").set(1.5)
    about.counter("gather_errors_total", "lab", "a", "timeout").inc()
    assert find(about, chain="lab", node="a").as_dict() == {
        "gathers_total": 3, "gather_success_timestamp_seconds": 1.5
    }  # fmt: skip
    assert find(about, chain="lab", node="a", kind="timeout").as_dict() == {"gather_errors_total": 1}
    kinds = {field.name: field.kind for field in find(about, chain="lab", node="a").shape.fields}
    assert kinds == {"gathers_total": Kind.COUNTER, "gather_success_timestamp_seconds": Kind.GAUGE}


def test_everything_in_the_readings_is_catalogued_or_of_the_process() -> None:
    about = About()
    for metric in ABOUT:
        (about.counter if metric.kind is Kind.COUNTER else about.gauge)(
            metric.field, *(VERSION if name == "version" else "x" for name in metric.labels)
        )
    readings = about.readings()
    said = {
        (field.name, field.kind) for r in readings if r.shape.measurement == "chainwatch" for field in r.shape.fields
    }
    assert said == {(metric.field, metric.kind) for metric in ABOUT}
    assert {reading.shape.measurement for reading in readings} == {"chainwatch", "process"}
    info = find(about, version=VERSION)
    assert [(field.name, field.kind) for field in info.shape.fields] == [("build_info", Kind.INFO)]
    assert all(field.help for reading in readings for field in reading.shape.fields)


def test_shapes_are_used_again_and_go_with_their_series() -> None:
    about = About()
    about.counter("gathers_total", "lab", "a").inc()
    first = find(about, chain="lab", node="a").shape
    about.counter("gathers_total", "lab", "b").inc()
    assert find(about, chain="lab", node="a").shape is first
    about.forget("lab", "b")
    about.readings()
    assert not any("b" in str(key) for key in about._shapes if key[1] == (("chain", "lab"), ("node", "b")))


def test_a_server_that_is_gone_takes_its_series_along_and_no_others() -> None:
    about = About()
    for node in ("a", "b"):
        about.counter("gathers_total", "lab", node).inc()
        about.counter("gather_errors_total", "lab", node, "timeout").inc()
    about.gauge("servers", "lab").set(2)
    about.forget("lab", "a")
    sample = about.registry.get_sample_value
    assert sample("chainwatch_gathers_total", {"chain": "lab", "node": "a"}) is None
    assert sample("chainwatch_gather_errors_total", {"chain": "lab", "node": "a", "kind": "timeout"}) is None
    assert sample("chainwatch_gathers_total", {"chain": "lab", "node": "b"}) == 1
    assert sample("chainwatch_servers", {"chain": "lab"}) == 2
    about.counter("gathers_total", "lab", "a").inc()
    assert sample("chainwatch_gathers_total", {"chain": "lab", "node": "a"}) == 1


def test_a_chain_that_is_called_as_an_output_takes_nothing_of_the_output_along() -> None:
    about = About()
    about.counter("readings_delivered_total", "prometheus").inc(5)
    about.gauge("servers", "prometheus").set(1)
    about.forget("prometheus")
    about.forget(VERSION)
    sample = about.registry.get_sample_value
    assert sample("chainwatch_readings_delivered_total", {"output": "prometheus"}) == 5
    assert sample("chainwatch_servers", {"chain": "prometheus"}) is None
    assert sample("chainwatch_build_info", {"version": VERSION}) == 1


def test_two_collectors_in_one_process_do_not_count_into_each_other() -> None:
    one, other = About(), About()
    one.counter("reloads_total").inc()
    assert other.registry.get_sample_value("chainwatch_reloads_total") == 0
