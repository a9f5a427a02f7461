"""A real InfluxDB 1.x that asks for passwords, and the one-shot service that makes its users."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real.databases import InfluxDb, influxdb
from tests.real.servers import Answer, fetch, free_port

pytestmark = pytest.mark.real

PASSWORDS = {"admin": "of the admin", "collector": "with ' and \\ and \" and ü", "grafana": "of grafana"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InfluxDb]:
    """Run an InfluxDB where nobody has been made yet."""
    with influxdb(tmp_path, authorised=True) as running:
        yield running


def command(tmp_path: Path, url: str, **passwords: str) -> list[str]:
    """Return the command, its passwords in files."""
    for name, password in {**PASSWORDS, **passwords}.items():
        (tmp_path / name).write_text(f"{password}\n")
    argv = [sys.executable, "-m", "compose.influxdb_users", "--url", url, "--database", "chainwatch", "--days", "7"]
    argv += ["--admin", f"admin:{tmp_path / 'admin'}", "--write", f"collector:{tmp_path / 'collector'}"]
    return [*argv, "--read", f"grafana:{tmp_path / 'grafana'}", "--wait", "10"]


def set_up(argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the command, and check that it tells no password."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert not [password for password in PASSWORDS.values() if password in done.stdout + done.stderr]
    assert "Traceback" not in done.stderr
    return done


def authorised(name: str, password: str | None = None) -> dict[str, str]:
    """Return the header by which somebody logs in."""
    pair = f"{name}:{PASSWORDS[name] if password is None else password}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def write(server: InfluxDb, name: str, database: str = "chainwatch") -> int:
    """Write a point as somebody, and return the status of the answer."""
    return fetch(f"{server.url}/write?db={database}", b"point value=1", authorised(name)).status


def ask(server: InfluxDb, statement: str, name: str) -> tuple[Answer, Any]:
    """Send a statement as somebody; return the answer and its first result."""
    answer = server.query(statement, "chainwatch", authorised(name))
    return answer, answer.json().get("results", [{}])[0]


def test_each_user_may_do_what_is_theirs(server: InfluxDb, tmp_path: Path) -> None:
    done = set_up(command(tmp_path, server.url))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "made the administrator admin",
        "chainwatch keeps what it has for 7 days",
        "collector may write to and read chainwatch",
        "grafana may read chainwatch",
    ]
    assert write(server, "collector") == 204
    assert write(server, "grafana") == 403
    for name in ("collector", "grafana"):
        _, result = ask(server, "SELECT value FROM point", name)
        assert result["series"][0]["values"][0][1] == 1
        answer, result = ask(server, 'CREATE DATABASE "other"', name)
        assert "error" in result or answer.status == 403
    assert server.query("SHOW DATABASES").status == 401
    assert server.query("SHOW DATABASES", headers=authorised("collector", "wrong")).status == 401
    _, result = ask(server, 'SHOW RETENTION POLICIES ON "chainwatch"', "admin")
    (policy,) = (dict(zip(result["series"][0]["columns"], row, strict=True)) for row in result["series"][0]["values"])
    assert (policy["duration"], policy["shardGroupDuration"], policy["default"]) == ("168h0m0s", "24h0m0s", True)


def test_a_second_run_changes_what_differs_and_keeps_the_data(server: InfluxDb, tmp_path: Path) -> None:
    assert set_up(command(tmp_path, server.url)).returncode == 0
    assert write(server, "collector") == 204
    argv = command(tmp_path, server.url, grafana="another one")
    argv[argv.index("7")] = "400"
    done = set_up(argv)
    assert (done.returncode, done.stderr) == (0, "")
    assert "admin is the administrator" in done.stdout
    answer = server.query("SELECT value FROM point", "chainwatch", authorised("grafana", "another one"))
    assert answer.json()["results"][0]["series"][0]["values"][0][1] == 1
    _, result = ask(server, 'SHOW RETENTION POLICIES ON "chainwatch"', "admin")
    assert result["series"][0]["values"][0][1] == "9600h0m0s"


def test_an_administrator_with_another_password_is_told(server: InfluxDb, tmp_path: Path) -> None:
    assert set_up(command(tmp_path, server.url)).returncode == 0
    done = set_up(command(tmp_path, server.url, admin="lost"))
    assert done.returncode == 1
    assert "there is an administrator already" in done.stderr
    assert done.stderr.count("\n") == 1


def test_it_waits_for_the_server(tmp_path: Path) -> None:
    with influxdb(tmp_path, authorised=True) as server:
        server.stop()
        with subprocess.Popen(command(tmp_path, server.url), stdout=subprocess.PIPE, text=True) as process:
            time.sleep(1)
            assert process.poll() is None
            server.start()
            process.communicate(timeout=30)
        assert process.returncode == 0
        assert write(server, "collector") == 204


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    argv = command(tmp_path, f"http://127.0.0.1:{free_port()}")
    argv[argv.index("--wait") + 1] = "0.5"
    done = set_up(argv)
    assert done.returncode == 1
    assert "does not answer within 0.5 s" in done.stderr
    assert "Connection refused" in done.stderr
