"""What databases answer, and what transformations make of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from dashboards.drawing.asking import Flux, InfluxQl, Prometheus, RefusedError
from dashboards.drawing.frames import Cell, Column, Series, Table, is_empty
from dashboards.drawing.transforming import transformed
from dashboards.drawing.variables import Span

SPAN = Span(0, 60, 2, 2)

MATRIX = (
    '{"status":"success","data":{"resultType":"matrix","result":'
    '[{"metric":{"node":"n-1"},"values":[[0,"1"],[2,"NaN"],[10,"3"]]}]}}'
)
VECTOR = (
    '{"status":"success","data":{"resultType":"vector","result":'
    '[{"metric":{"node":"n-1"},"value":[60,"1"]},{"metric":{"node":"n-2","role":"x"},"value":[60,"2"]}]}}'
)
ROWS = (
    '{"results":[{"statement_id":0,"series":[{"name":"chain","tags":{"node":"n-1"},'
    '"columns":["time","max"],"values":[[1000,1],[3000,null]]}]}]}'
)
CSV = (
    "#datatype,string,long,dateTime:RFC3339,double,string\r\n"
    "#group,false,false,false,false,true\r\n"
    "#default,_result,,,,\r\n"
    ",result,table,_time,_value,node\r\n"
    ",,0,1970-01-01T00:00:01Z,1.5,n-1\r\n"
    ",,0,1970-01-01T00:00:03Z,,n-1\r\n"
    ",,1,1970-01-01T00:00:01Z,2,n-2\r\n"
    "\r\n"
    "#datatype,string,long,string,long\r\n"
    "#group,false,false,false,false\r\n"
    "#default,_result,,,\r\n"
    ",result,table,version,_value\r\n"
    ",,2,1.8.27,3\r\n"
    "\r\n"
)


@contextmanager
def answering(text: str, status: int = 200) -> Iterator[str]:
    """Answer every request with a text; yield the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the name that the base class wants

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_series_of_prometheus_have_holes_where_points_are_missing() -> None:
    with answering(MATRIX) as url:
        (series,) = Prometheus(url).ask({"expr": "x", "legendFormat": "{{ node }}!", "refId": "B"}, SPAN, {})
    assert series == Series("n-1!", [(0, 1.0), (2, None), (4, None), (10, 3.0)], {"node": "n-1"}, "B")


def test_a_table_of_prometheus_has_a_column_for_each_label() -> None:
    with answering(VECTOR) as url:
        (table,) = Prometheus(url).ask({"expr": "x", "instant": True, "format": "table", "refId": "C"}, SPAN, {})
    assert isinstance(table, Table)
    assert table.names == ["Time", "node", "role", "Value #C"]
    assert table.rows == [(60, "n-1", "", 1.0), (60, "n-2", "x", 2.0)]


def test_series_of_influxql_are_called_by_their_alias() -> None:
    with answering(ROWS) as url:
        database = InfluxQl(url, "db")
        (series,) = database.ask({"query": "q", "alias": "$tag_node [[col]] of $m"}, SPAN, {})
        (table,) = database.ask({"query": "q", "resultFormat": "table"}, SPAN, {})
    assert series == Series("n-1 max of chain", [(1.0, 1), (3.0, None)], {"node": "n-1"})
    assert isinstance(table, Table)
    assert table.rows == [(1.0, "n-1", 1), (3.0, "n-1", None)]


def test_tables_of_flux_with_times_are_series() -> None:
    with answering(CSV) as url:
        frames = Flux(url, "b").ask({"query": "q"}, SPAN, {})
    assert frames == [
        Series('_value {node="n-1"}', [(1.0, 1.5), (3.0, None)], {"node": "n-1"}),
        Series('_value {node="n-2"}', [(1.0, 2.0)], {"node": "n-2"}),
        Table([Column("version", ["1.8.27"]), Column("_value", [3.0])]),
    ]


def test_a_query_that_is_refused_says_which_and_why() -> None:
    with answering('{"status":"error","error":"no"}', 400) as url, pytest.raises(RefusedError, match=r"x\(: 400.*no"):
        Prometheus(url).ask({"expr": "x("}, SPAN, {})
    with answering('{"results":[{"error":"parse"}]}') as url, pytest.raises(RefusedError, match="q: parse"):
        InfluxQl(url, "db").ask({"query": "q"}, SPAN, {})
    with (
        answering(
            "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,wrong,1\r\n"
        ) as url,
        pytest.raises(RefusedError, match="q: wrong"),
    ):
        Flux(url, "b").ask({"query": "q"}, SPAN, {})


@pytest.mark.parametrize("text", ["", "\r\n", CSV.splitlines()[0] + "\r\n" + CSV.splitlines()[3] + "\r\n"])
def test_flux_without_rows_is_empty(text: str) -> None:
    with answering(text) as url:
        assert is_empty(Flux(url, "b").ask({"query": "q"}, SPAN, {}))


def table(query: str, **columns: Sequence[Cell]) -> Table:
    return Table([Column(name, cells) for name, cells in columns.items()], query)


def test_merge_joins_rows_that_agree() -> None:
    first = table("A", chain=["a", "b"], one=[1.0, 2.0])
    second = table("B", chain=["b", "c"], two=[3.0, 4.0])
    (merged,) = transformed([first, second], [{"id": "merge", "options": {}}])
    assert isinstance(merged, Table)
    assert merged.names == ["chain", "one", "two"]
    assert merged.rows == [("a", 1.0, None), ("b", 2.0, 3.0), ("c", None, 4.0)]


def test_organize_leaves_out_puts_in_order_and_renames() -> None:
    options = {"excludeByName": {"Time": True}, "indexByName": {"v": 0, "chain": 1}, "renameByName": {"v": "Value"}}
    (made,) = transformed([table("A", Time=[1.0], chain=["a"], v=[2.0])], [{"id": "organize", "options": options}])
    assert isinstance(made, Table)
    assert made.names == ["Value", "chain"]


def test_fields_are_kept_by_name() -> None:
    options = {"include": {"names": ["chain"]}}
    (made,) = transformed([table("A", chain=["a"], v=[2.0])], [{"id": "filterFieldsByName", "options": options}])
    assert isinstance(made, Table)
    assert made.names == ["chain"]


def test_sort_puts_what_is_missing_first() -> None:
    options = {"sort": [{"field": "v", "desc": True}]}
    (made,) = transformed([table("A", v=[1.0, None, 3.0])], [{"id": "sortBy", "options": options}])
    assert isinstance(made, Table)
    assert made.rows == [(3.0,), (1.0,), (None,)]


def test_a_transformation_that_is_not_known_fails() -> None:
    with pytest.raises(KeyError, match="heatmap"):
        transformed([], [{"id": "heatmap"}])


def test_nothing_but_holes_is_empty() -> None:
    assert is_empty([Series("a", [(1.0, None)])])
    assert is_empty([table("A", v=[])])
    assert not is_empty([Series("a", [(1.0, None)]), Series("b", [(1.0, 0.0)])])
