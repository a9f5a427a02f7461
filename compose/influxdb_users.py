"""`python -m compose.influxdb_users`: the one-shot service `influxdb-setup`: an administrator, a database, its users.

InfluxDB 1.x with authentication on lets anybody create the first administrator, and nobody else do anything. What is
there already is brought into line: passwords, privileges, and for how long the database keeps what it has.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from collector.remarks import excerpt

Say = Callable[[str], None]

_TIMEOUT = 10.0
_PAUSE = 0.5
_LONGEST_ANSWER = 1 << 20
_OK, _UNAUTHORISED, _FORBIDDEN = 200, 401, 403

_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Ignores proxies that the environment names: the database is next door."""


class Failed(Exception):  # noqa: N818 - named for what became of the setup
    """What could not be done, and why: one line for the operator, never a password."""


@dataclass(frozen=True)
class User:
    """Somebody who logs in."""

    name: str
    password: str


def set_up(
    url: str, database: str, days: int, *, admin: User, writers: Sequence[User], readers: Sequence[User], say: Say
) -> None:
    """Make what is missing and bring the rest into line. Raises Failed."""
    server = _Server(url)
    if _is_admin(server, admin):
        say(f"{admin.name} is the administrator")
    else:
        _create_admin(server, admin)
        say(f"made the administrator {admin.name}")
    server.user = admin
    server.ask(f"CREATE DATABASE {_name(database)}")
    for policy in server.rows(f"SHOW RETENTION POLICIES ON {_name(database)}"):
        if policy.get("default"):
            kept = f"DURATION {days}d REPLICATION 1 SHARD DURATION {_shard(days)}"
            server.ask(f"ALTER RETENTION POLICY {_name(str(policy['name']))} ON {_name(database)} {kept}")
    say(f"{database} keeps what it has for {days} days")
    there = {row.get("user") for row in server.rows("SHOW USERS")}
    for user, privilege in [*((user, "ALL") for user in writers), *((user, "READ") for user in readers)]:
        if user.name in there:
            server.ask(f"SET PASSWORD FOR {_name(user.name)} = {_text(user.password)}")
        else:
            server.ask(f"CREATE USER {_name(user.name)} WITH PASSWORD {_text(user.password)}")
        server.ask(f"GRANT {privilege} ON {_name(database)} TO {_name(user.name)}")
        say(f"{user.name} may {'write to and read' if privilege == 'ALL' else 'read'} {database}")


def wait_until_up(url: str, within: float) -> None:
    """Return as soon as the server answers. Raises Failed if it doesn't within so many seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            _fetch(f"{url}/ping", None, {}, timeout=min(_TIMEOUT, max(within, 1.0)))
        except OSError as error:
            if time.monotonic() + _PAUSE > deadline:
                raise Failed(f"{url}: does not answer within {within:g} s: {_why(error)}") from None
            time.sleep(_PAUSE)
        else:
            return


class _Server:
    """Takes statements of InfluxQL, on behalf of `user` once there is one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.user: User | None = None

    def ask(self, statement: str) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the result of a statement. Raises Failed, and `_Refused` where nobody may do this."""
        # In the body: servers and proxies log addresses.
        data = urlencode({"q": statement}).encode()
        try:
            status, body = _fetch(f"{self._url}/query", data, _authorisation(self.user), timeout=_TIMEOUT)
        except OSError as error:
            raise Failed(f"{self._url}: no answer: {_why(error)}") from None
        try:
            document = json.loads(body)
            result = document["results"][0] if status == _OK else document
            problem = result.get("error")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise Failed(f"{self._url}: is no InfluxDB 1.x, by what it answers (HTTP {status})") from None
        if status in (_UNAUTHORISED, _FORBIDDEN):  # forbidden is everything while there is no administrator
            raise _Refused(f"{self._url}: {excerpt(str(problem))}")
        if status != _OK or problem:
            raise Failed(f"{self._url}: {_verb(statement)}: {excerpt(str(problem or f'HTTP {status}'))}")
        return result

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Return the rows that a statement yields. Raises Failed."""
        series = self.ask(statement).get("series") or [{}]
        return [dict(zip(series[0]["columns"], row, strict=True)) for row in series[0].get("values", ())]


class _Refused(Failed):
    """The server wants to know who asks, or does not know them."""


def _is_admin(server: _Server, admin: User) -> bool:
    server.user = admin
    try:
        server.ask("SHOW USERS")
    except _Refused:
        return False
    return True


def _create_admin(server: _Server, admin: User) -> None:
    server.user = None
    try:
        server.ask(f"CREATE USER {_name(admin.name)} WITH PASSWORD {_text(admin.password)} WITH ALL PRIVILEGES")
    except _Refused as error:
        raise Failed(
            f"{error}: there is an administrator already, but none called {admin.name} with this password; restore "
            "the password's file, or remove the database's volume to begin anew"
        ) from None


def _fetch(url: str, data: bytes | None, headers: dict[str, str], *, timeout: float) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - main takes http and https alone
    try:
        with _http.open(request, timeout=timeout) as response:
            return response.status, response.read(_LONGEST_ANSWER)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_LONGEST_ANSWER)


def _why(error: OSError) -> str:
    reason = getattr(error, "reason", error)
    return excerpt(getattr(reason, "strerror", None) or str(reason) or type(reason).__name__)


def _authorisation(user: User | None) -> dict[str, str]:
    if user is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{user.name}:{user.password}".encode()).decode()}


def _shard(days: int) -> str:
    """Return how much goes, as a whole, when its time is up."""
    return "1d" if days < 180 else "7d"  # noqa: PLR2004 - InfluxDB's own choice for durations up to half a year


def _verb(statement: str) -> str:
    """Return what kind of statement it is, without what may be secret in it."""
    return " ".join(statement.split()[:2])


def _name(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 1 if something could not be done, 2 for wrong arguments."""
    asked = _parser().parse_args(arguments)
    try:
        wait_until_up(asked.url, asked.wait)
        set_up(
            asked.url,
            asked.database,
            asked.days,
            admin=_user(asked.admin),
            writers=[_user(given) for given in asked.write],
            readers=[_user(given) for given in asked.read],
            say=lambda line: print(line, flush=True),  # noqa: T201 - the command's output
        )
    except Failed as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command's own error
        return 1
    return 0


def _user(given: tuple[str, Path]) -> User:
    name, file = given
    try:
        password = file.read_text().strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'is no text'}") from None
    if not password:
        raise Failed(f"{file}: is empty; the password of {name} belongs there")
    return User(name, password)


def _name_and_file(text: str) -> tuple[str, Path]:
    name, separator, file = text.partition(":")
    if not (name and separator and file):
        raise ValueError(text)
    return name, Path(file)


def _url(text: str) -> str:
    if urlsplit(text).scheme not in ("http", "https"):
        raise ValueError(text)
    return text.rstrip("/")


def _days(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m compose.influxdb_users",
        description="Make the administrator, the database and the users of an InfluxDB 1.x.",
    )
    parser.add_argument("--url", type=_url, required=True, help="where the server is: http://influxdb:8086")
    parser.add_argument("--database", required=True, help="name of the database")
    parser.add_argument("--days", type=_days, required=True, help="for how long it keeps what it has")
    who = "NAME:FILE"
    parser.add_argument("--admin", type=_name_and_file, required=True, metavar=who, help="the administrator")
    parser.add_argument(
        "--write", type=_name_and_file, action="append", default=[], metavar=who, help="may write and read; repeatable"
    )
    parser.add_argument(
        "--read", type=_name_and_file, action="append", default=[], metavar=who, help="may read; repeatable"
    )
    parser.add_argument(
        "--wait", type=float, default=120.0, metavar="SECONDS", help="how long to wait for the server (%(default)g)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
