"""What server it is, and what its answers mean. The words are those of real servers where no other is named."""

from __future__ import annotations

import base64

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from exporters.connection import LONGEST_ANSWER, Answer
from exporters.influxdb.dialect import (
    Address,
    Outcome,
    Server,
    advice,
    create_database,
    identify,
    judge,
    refusal,
)
from exporters.influxdb.settings import Settings

ONE = Server("InfluxDB", "1.6.7~rc0", 1)
TWO = Server("InfluxDB", "v2.7.1", 2)
THREE = Server("InfluxDB", "3.4.0", 3)
VICTORIA = Server("VictoriaMetrics")
UNKNOWN = Server("a server that does not say what it is")

TAKEN, REFUSED, KEPT = Outcome.TAKEN, Outcome.REFUSED, Outcome.KEPT


def answer(status: int, document: object = None, **headers: str) -> Answer:
    """Make an answer: of bytes as they are, of anything else as JSON."""
    body = document if isinstance(document, bytes) else b"" if document is None else orjson.dumps(document)
    return Answer(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), body)


def address(**settings: str) -> Address:
    """Make the address of an output with these settings."""
    return Address(Settings(**{"url": "http://h:8086", "name": "influx", **settings}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pong", "server"),
    [
        (answer(204, X_Influxdb_Version="1.6.7~rc0", X_Influxdb_Build="OSS"), ONE),
        (answer(204, X_Influxdb_Version="v2.7.1"), TWO),
        (answer(200, {"version": "3.4.0", "revision": "e6"}, x_influxdb_version="3.4.0"), THREE),
        (answer(200, {"version": "3.4.0", "revision": "e6"}), THREE),
        (answer(204, X_Server_Hostname="vm"), VICTORIA),
        (answer(204, X_Influxdb_Build="Cloud"), Server("InfluxDB Cloud")),
        (answer(204, X_Influxdb_Version="unknown"), UNKNOWN),
        (answer(204, X_Influxdb_Version="12345678"), UNKNOWN),
        (answer(204), UNKNOWN),
        (answer(404, b"404 page not found"), UNKNOWN),
        (answer(401, {"code": "unauthorized"}), UNKNOWN),
        (answer(200, b"<html>"), UNKNOWN),
        (answer(200, [1]), UNKNOWN),
        (answer(200, {"version": 3}), UNKNOWN),
    ],
)
def test_identify(pong: Answer, server: Server) -> None:
    assert identify(pong) == server


def test_a_long_version_is_cut() -> None:
    told = str(identify(answer(204, X_Influxdb_Version="1.8.\x1b[31m" + "9" * 5000)))
    assert len(told) < 100
    assert told.isprintable()


@pytest.mark.parametrize(
    ("server", "settings", "url"),
    [
        (ONE, {"database": "d"}, "http://h:8086/write?db=d&precision=ns"),
        (ONE, {"database": "d", "retention_policy": "r"}, "http://h:8086/write?db=d&rp=r&precision=ns"),
        (TWO, {"database": "d"}, "http://h:8086/write?db=d&precision=ns"),
        (THREE, {"database": "d"}, "http://h:8086/write?db=d&precision=ns"),
        (VICTORIA, {"database": "d"}, "http://h:8086/write?db=d&precision=ns"),
        (UNKNOWN, {"database": "d"}, "http://h:8086/write?db=d&precision=ns"),
        (TWO, {"org": "o", "bucket": "b"}, "http://h:8086/api/v2/write?org=o&bucket=b&precision=ns"),
        (THREE, {"org": "", "bucket": "b"}, "http://h:8086/api/v2/write?org=&bucket=b&precision=ns"),
        (VICTORIA, {"org": "o", "bucket": "b"}, "http://h:8086/api/v2/write?org=o&bucket=b&precision=ns"),
        (UNKNOWN, {"org": "o", "bucket": "b/r"}, "http://h:8086/api/v2/write?org=o&bucket=b/r&precision=ns"),
        (ONE, {"org": "o", "bucket": "b/r"}, "http://h:8086/write?db=b&rp=r&precision=ns"),
        (ONE, {"org": "o", "bucket": "b"}, "http://h:8086/write?db=b&precision=ns"),
        (ONE, {"url": "https://h/influx/", "database": "a;b&c"}, "https://h/influx/write?db=a%3Bb%26c&precision=ns"),
        (ONE, {"url": "http://u:p@h:1?x=1#f", "database": "d"}, "http://h:1/write?db=d&precision=ns"),
    ],
)
def test_where_lines_go(server: Server, settings: dict[str, str], url: str) -> None:
    assert str(address(**settings).write(server)) == url


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


@pytest.mark.parametrize(
    ("server", "settings", "header"),
    [
        (ONE, {}, None),
        (ONE, {"username": "u", "password": "p:ü"}, basic("u:p:ü")),
        (ONE, {"url": "http://u:p%40@h:8086"}, basic("u:p@")),
        (ONE, {"token": "u:p"}, basic("u:p")),
        (ONE, {"token": "t"}, "Token t"),
        (TWO, {"token": "u:p"}, "Token u:p"),
        (None, {"token": "u:p"}, "Token u:p"),
        (THREE, {"token": "t"}, "Token t"),
    ],
)
def test_authorisation(server: Server | None, settings: dict[str, str], header: str | None) -> None:
    assert address(**settings).authorisation(server).get("Authorization") == header


CONFLICT = 'partial write: field type conflict: input field "a" on measurement "m" is type string, already exists as '


@pytest.mark.parametrize(
    ("server", "said", "outcome", "dropped"),
    [
        (ONE, answer(204), TAKEN, 0),
        (THREE, answer(200), TAKEN, 0),
        # 1.6.7
        (ONE, answer(400, {"error": CONFLICT + "type float dropped=2"}), TAKEN, 2),
        (ONE, answer(400, {"error": CONFLICT + "type float dropped=99"}), TAKEN, 9),
        (ONE, answer(400, {"error": "partial write: points beyond retention policy dropped=3"}), TAKEN, 3),
        (
            ONE,
            answer(
                400,
                {
                    "error": "partial write: unable to parse 'm,b a=1 1': missing tag value\n"
                    "unable to parse 'bad': missing fields\nunable to parse 'm3 a= 1': missing field value dropped=0"
                },
            ),
            TAKEN,
            3,
        ),
        (
            ONE,
            answer(400, {"error": "partial write: unable to parse 'm,t=dropped=7 unable to parse 'x': no dropped=0"}),
            TAKEN,
            1,
        ),
        (ONE, answer(400, {"error": "unable to parse 'bad': missing fields"}), TAKEN, 9),
        (ONE, answer(400, {"error": "field type conflict"}), REFUSED, 0),
        (ONE, answer(400, b'{"error":"partial write: ' + b"x" * LONGEST_ANSWER), REFUSED, 0),
        (ONE, answer(404, {"error": 'database not found: "x"'}), KEPT, 0),
        (ONE, answer(500, {"error": "retention policy not found: nope"}), KEPT, 0),
        (ONE, answer(413, {"error": "Request Entity Too Large"}), REFUSED, 0),
        (ONE, answer(401, {"error": "authorization failed"}), KEPT, 0),
        (ONE, answer(403, {"error": '"bob" user is not authorized to write to database "x"'}), KEPT, 0),
        # 2.x, as its users report it
        (TWO, answer(400, {"code": "invalid", "message": "unable to parse 'bad': missing fields"}), REFUSED, 0),
        (TWO, answer(400, {"code": "invalid", "message": "unable to parse 'm,t=partial\\ write'"}), REFUSED, 0),
        (
            TWO,
            answer(
                422,
                {
                    "code": "unprocessable entity",
                    "message": f"failure writing points to database: {CONFLICT}type float dropped=4",
                },
            ),
            TAKEN,
            4,
        ),
        (
            TWO,
            answer(
                422,
                {
                    "message": "failure writing points to database: partial write: dropped 3 points outside retention "
                    "policy of duration 72h0m0s - oldest point m at x dropped because it violates a Retention Policy "
                    "Lower Bound at y dropped=3 for database: 0f3c for retention policy: autogen"
                },
            ),
            TAKEN,
            3,
        ),
        (TWO, answer(422, {"code": "unprocessable entity", "message": "no idea"}), TAKEN, 1),
        (TWO, answer(404, {"code": "not found", "message": 'bucket "b" not found'}), KEPT, 0),
        (TWO, answer(429, {"code": "too many requests"}), KEPT, 0),
        # 3.x, as its own tests have it
        (
            THREE,
            answer(
                400,
                {
                    "error": "partial write of line protocol occurred",
                    "data": [{"original_line": "m a= 1", "line_number": 2, "error_message": "No fields were provided"}],
                },
            ),
            TAKEN,
            1,
        ),
        (
            THREE,
            answer(
                400,
                {
                    "error": "parsing failed for write_lp endpoint",
                    "data": {"original_line": "m a= 1", "line_number": 2, "error_message": "No fields were provided"},
                },
            ),
            REFUSED,
            0,
        ),
        (THREE, answer(400, {"error": "x", "invalid_lines": [{}, {}]}), TAKEN, 2),
        (THREE, answer(400, {"error": "x", "data": []}), REFUSED, 0),
        # VictoriaMetrics
        (VICTORIA, answer(400, b"cannot read line: too long line: more than 262144 bytes"), REFUSED, 0),
        # in between
        (UNKNOWN, answer(400, b"<html>Bad Request"), REFUSED, 0),
        (UNKNOWN, answer(400, [1]), REFUSED, 0),
        (UNKNOWN, answer(200, b"<html>Log in", Content_Type="text/html; charset=utf-8"), KEPT, 0),
        (UNKNOWN, answer(302), KEPT, 0),
        (UNKNOWN, answer(405), KEPT, 0),
        (UNKNOWN, answer(502, b"<html>Bad Gateway"), KEPT, 0),
        (UNKNOWN, answer(599), KEPT, 0),
    ],
)
def test_what_answers_mean(server: Server, said: Answer, outcome: Outcome, dropped: int) -> None:
    verdict = judge(said, server, 9)
    assert (verdict.outcome, verdict.dropped) == (outcome, dropped)


@given(st.integers(100, 599), st.binary(max_size=200), st.integers(0, 3), st.integers(1, 20))
def test_any_answer_has_a_meaning(status: int, body: bytes, major: int, lines: int) -> None:
    verdict = judge(answer(status, body), Server("InfluxDB", "", major), lines)
    assert 0 <= verdict.dropped <= lines
    assert len(verdict.reason) <= 201 * 10
    assert verdict.reason.isprintable()


@pytest.mark.parametrize(
    ("server", "said", "missing"),
    [
        (ONE, answer(404, {"error": 'database not found: "x"'}), True),
        (UNKNOWN, answer(404, {"error": 'database not found: "x"'}), True),
        (TWO, answer(404, {"error": "database not found"}), False),
        (ONE, answer(404, b"404 page not found\n"), False),
        (ONE, answer(500, {"error": "database not found"}), False),
    ],
)
def test_a_missing_database_is_known(server: Server, said: Answer, missing: bool) -> None:
    assert judge(said, server, 1).no_database is missing


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (answer(200, {"results": [{"statement_id": 0}]}), ""),
        (answer(200, {"results": [{"statement_id": 0, "error": "invalid name"}]}), "invalid name"),
        (answer(200, b"<html>"), "HTTP 200: <html>"),
        (answer(200, {"results": 5}), ""),
        (answer(403, {"error": "requires admin privilege"}), "HTTP 403: requires admin privilege"),
        (answer(502, b"<html>"), "HTTP 502: <html>"),
        (answer(302), "HTTP 302: no reason given"),
    ],
)
def test_why_a_statement_failed(said: Answer, reason: str) -> None:
    assert refusal(said) == reason


def test_names_of_databases_are_quoted() -> None:
    assert create_database("chain") == 'CREATE DATABASE "chain"'
    assert create_database('a"; DROP DATABASE "b\\\n') == r'CREATE DATABASE "a\"; DROP DATABASE \"b\\\n"'


def test_advice_names_what_to_change() -> None:
    assert "token" in advice(401, database=False)
    assert "bucket" in advice(404, database=False)
    assert "bucket" not in advice(404, database=True)
    assert "url" in advice(308, database=True)
    assert advice(500, database=True) == ""


def test_settings_hide_their_secrets() -> None:
    shown = repr(Settings(url="http://u:secret@h", name="n", password="secret", token="secret"))
    assert "secret" not in shown
