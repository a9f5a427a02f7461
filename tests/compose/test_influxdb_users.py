"""Making InfluxDB's users where what answers is no InfluxDB, or refuses. A real one: tests/real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from compose.influxdb_users import main
from tests.answering import Answer, Answering, json
from tests.helpers import run

PASSWORD = "geheim'geheim"


def set_up(tmp_path: Path, answer: Answer | Callable[[bytes], Answer], *more: str) -> int:
    """Run the command against a server that answers every statement so."""
    password = tmp_path / "password"
    if not password.exists():
        password.write_text(f"{PASSWORD}\n")

    async def test() -> int:
        async with Answering({"/ping": Answer(status=204), "/query": answer}) as server:
            argv = ["--url", server.url, "--database", "d", "--days", "1", "--admin", f"a:{password}", *more]
            return await asyncio.to_thread(main, argv)

    return run(test())


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b""),
        Answer(b"<html>login</html>"),
        Answer(b"[]"),
        Answer(b"{}"),
        Answer(b'{"results": []}'),
        Answer(b'{"results": [7]}'),
        Answer(b"[" * 100_000),
        Answer(b"\xff"),
        Answer(b"gone", 502),
        Answer(b"[]", 401),
    ],
)
def test_what_is_no_influxdb_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: Answer) -> None:
    assert set_up(tmp_path, answer) == 1
    told = capsys.readouterr().err
    assert "is no InfluxDB 1.x, by what it answers" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_statement_that_is_refused_is_told_without_its_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], status: int
) -> None:
    document: dict[str, object] = {"error": "no such luck"}
    assert set_up(tmp_path, json({"results": [document]} if status == 200 else document, status)) == 1
    told = capsys.readouterr().err
    assert told.endswith(": SHOW USERS: no such luck\n")
    assert "geheim" not in told


def test_a_connection_that_is_cut_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(tmp_path, Answer(cut=True)) == 1
    assert "no answer" in capsys.readouterr().err


def test_passwords_are_in_bodies_alone_and_quoted(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    def refuse(body: bytes) -> Answer:
        bodies.append(body)
        return json({"error": "unable to parse authentication credentials"}, 401)

    assert set_up(tmp_path, refuse) == 1
    assert b"geheim%5C%27geheim" in bodies[-1]


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"", "is empty"), (b"\xff", "is no text")])
def test_a_password_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / "other").write_bytes(content)
    assert set_up(tmp_path, json({"results": [{}]}), "--read", f"grafana:{tmp_path / 'other'}") == 1
    told = capsys.readouterr().err
    assert f"{tmp_path / 'other'}: " in told
    assert why in told


@pytest.mark.parametrize(
    "more", [["--days", "0"], ["--url", "influxdb:8086"], ["--read", "grafana"], ["--write", ":x"], ["--days", "x"]]
)
def test_wrong_arguments_are_refused(tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--url", "http://x", "--database", "d", "--days", "1", "--admin", "a:b", *more])
    assert raised.value.code == 2
    assert more[0] in capsys.readouterr().err
