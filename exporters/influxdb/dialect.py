"""What server it is, where it takes lines, and how it says no.

| server          | at what address     | a bad line in a batch                                                     |
|-----------------|---------------------|---------------------------------------------------------------------------|
| InfluxDB 1.x    | /write              | 400 "partial write: ...": the rest is kept                                |
|                 |                     | 400 "unable to parse ...": there was no good line                         |
|                 |                     | 400 "field type conflict": two types of a new field, nothing is kept      |
| InfluxDB 2.x    | /api/v2/write       | 400: nothing is kept; 422 "...partial write...": the rest is kept         |
| InfluxDB 3.x    | either              | 400 with an object `data`: nothing is kept; with a list: the rest is kept |
| VictoriaMetrics | either              | 204; 400 for a line beyond its limit: part of the rest may be kept        |

What 1.6 says of partial writes has two forms: parse errors name every bad line and end in "dropped=0"; anything else
ends in "dropped=N" and is silent on parse errors in the same batch, which then go uncounted.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple

import orjson
from yarl import URL

from collector.remarks import excerpt
from exporters.connection import Answer
from exporters.influxdb.settings import Settings

_MAJOR = re.compile(r"v?(\d{1,4})\b")
_DROPPED = re.compile(r"\bdropped=(\d{1,9})\b")
_UNPARSED = re.compile(r"^(?:partial write: )?unable to parse '", re.MULTILINE)
_PARTIAL = ("partial write", "failure writing points to database: partial write")
_NO_DATABASE = "database not found"


class Server(NamedTuple):
    """What answered at /ping; `major` is the version of InfluxDB, 0 for anything else."""

    product: str
    version: str = ""
    major: int = 0

    def __str__(self) -> str:
        return f"{self.product} {self.version}".strip()


def identify(answer: Answer) -> Server:
    """Tell what server it is by its answer to `GET /ping`."""
    version = answer.headers.get("X-Influxdb-Version") or _version_in(answer.body)
    if found := _MAJOR.match(version):
        return Server("InfluxDB", excerpt(version, 40), int(found[1]))
    if "X-Influxdb-Build" in answer.headers:
        return Server(f"InfluxDB {excerpt(answer.headers['X-Influxdb-Build'], 40)}")
    if answer.status == 204 and "X-Server-Hostname" in answer.headers:  # noqa: PLR2004 - No Content
        return Server("VictoriaMetrics")
    return Server("a server that does not say what it is")


class Address:
    """Where requests go and what authorises them, for one server of a kind that is known."""

    def __init__(self, settings: Settings) -> None:
        url = URL(settings.url)
        self._base = url.with_user(None).with_query(None).with_fragment(None)
        self._settings = settings
        self._username = settings.username or url.user or ""
        self._password = settings.password or url.password or ""
        bucket, _, policy = settings.bucket.partition("/")
        self.database = settings.database or bucket
        self._policy = settings.retention_policy if settings.database else policy

    @property
    def ping(self) -> URL:
        """Where every server says what it is."""
        return self._base / "ping"

    @property
    def query(self) -> URL:
        """Where 1.x takes statements."""
        return self._base / "query"

    def has_database(self, server: Server) -> bool:
        """Tell whether lines go into a database, as with 1.x, rather than a bucket.

        1.6 and 1.7 lack the bucket's address, and in later 1.x a bucket is but a database and its retention policy.
        """
        return bool(self._settings.database) or server.major == 1

    def described(self, server: Server) -> str:
        """Return where lines go, in words."""
        if self.has_database(server):
            return f"database {self.database!r} at /write"
        return f"bucket {self._settings.bucket!r} at /api/v2/write"

    def write(self, server: Server) -> URL:
        """Return where the server takes lines."""
        if self.has_database(server):
            policy = {"rp": self._policy} if self._policy else {}
            return (self._base / "write").with_query({"db": self.database, **policy, "precision": "ns"})
        place = {"org": self._settings.org, "bucket": self._settings.bucket}
        return (self._base / "api/v2/write").with_query({**place, "precision": "ns"})

    def authorisation(self, server: Server | None) -> Mapping[str, str]:
        """Return the headers that authorise a request.

        1.8 takes a token "user:password", 1.6 and 1.7 don't: all three take the same as user and password.
        """
        token = self._settings.token
        if self._username:
            return _basic(f"{self._username}:{self._password}")
        if token and server and server.major == 1 and ":" in token:
            return _basic(token)
        return {"Authorization": f"Token {token}"} if token else {}


def create_database(name: str) -> str:
    """Return the statement of InfluxQL that creates a database."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'CREATE DATABASE "{quoted}"'


class Outcome(Enum):
    """What became of a batch."""

    TAKEN = auto()
    """The server has every line of it but those counted as dropped."""
    REFUSED = auto()
    """The server has none of it for the sake of some lines, or because it is too large."""
    KEPT = auto()
    """The server has none of it for reasons that have nothing to do with its lines."""


class Verdict(NamedTuple):
    """What the answer to a write means. `reason` is the server's own text, fit for the log."""

    outcome: Outcome
    dropped: int = 0
    reason: str = ""
    no_database: bool = False


def judge(answer: Answer, server: Server, lines: int) -> Verdict:
    """Tell what an answer to a write of so many lines means."""
    # A page for people is no database's answer: a proxy that wants somebody to log in sends one, with status 200.
    page = answer.headers.get("Content-Type", "").startswith("text/html")
    if 200 <= answer.status < 300 and not page:  # noqa: PLR2004 - the range that HTTP calls success
        return Verdict(Outcome.TAKEN)
    document = _decoded(answer.body)
    text = _said(document) or answer.body.decode("utf-8", "backslashreplace").strip()
    reason = excerpt(text) or "no reason given"
    if answer.status == 422:  # noqa: PLR2004 - Unprocessable Content
        return Verdict(Outcome.TAKEN, _count(document, text, lines), reason)
    if answer.status == 413:  # noqa: PLR2004 - Content Too Large
        return Verdict(Outcome.REFUSED, reason=reason)
    if answer.status == 400:  # noqa: PLR2004 - Bad Request
        dropped = _dropped_of_400(document, text, server, lines)
        return Verdict(Outcome.TAKEN, dropped, reason) if dropped else Verdict(Outcome.REFUSED, reason=reason)
    missing = answer.status == 404 and server.major <= 1 and text.startswith(_NO_DATABASE)  # noqa: PLR2004 - Not Found
    return Verdict(Outcome.KEPT, reason=reason, no_database=missing)


def _dropped_of_400(document: object, text: str, server: Server, lines: int) -> int:
    """Return how many lines were left out of a batch, 0 if all were: only a text that says so begins like these.

    An explanation too long to be read whole is no document any more, and counts as if all lines were refused: halves
    of the batch have shorter ones.
    """
    if _invalid_lines(document) or text.startswith(_PARTIAL):
        return _count(document, text, lines)
    return lines if server.major == 1 and text.startswith("unable to parse '") else 0


def refusal(answer: Answer) -> str:
    """Return why a statement failed, empty if it did not: 1.x answers 200 to statements that it refuses."""
    document = _decoded(answer.body)
    said = _said(document)
    if answer.status == 200 and isinstance(document, dict):  # noqa: PLR2004 - OK
        results = document.get("results")
        first = results[0] if isinstance(results, list) and results else None
        return excerpt(_said(first))
    return f"HTTP {answer.status}: {excerpt(said or answer.body) or 'no reason given'}"


def advice(status: int, *, database: bool) -> str:
    """Return what the operator can do about a status, empty where nothing is known."""
    if status == 401:  # noqa: PLR2004 - Unauthorized
        return "check the token, or username and password"
    if status == 403:  # noqa: PLR2004 - Forbidden
        return "may this token, or this user, write there?"
    if status == 404:  # noqa: PLR2004 - Not Found
        place = "url and database" if database else "url, org and bucket"
        return f"create the {'database' if database else 'bucket'}, or check {place}"
    if 300 <= status < 400:  # noqa: PLR2004 - the range of redirects
        return "redirects are not followed: set url to where the server really is"
    return ""


def _count(document: object, text: str, lines: int) -> int:
    """Return how many lines a partial write left out: 1 where the server does not say."""
    named = len(_invalid_lines(document))
    numbers = _DROPPED.findall(text)  # the last: the text may quote a line that holds such words
    counted = int(numbers[-1]) if numbers else 0
    return min(counted or named or len(_UNPARSED.findall(text)) or 1, lines)


def _invalid_lines(document: object) -> list[object]:
    """Return the lines that 3.x names as left out of a batch of which it kept the rest."""
    if isinstance(document, dict):
        for key in ("invalid_lines", "data"):
            if isinstance(found := document.get(key), list):
                return found
    return []


def _decoded(body: bytes) -> object:
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found


def _said(document: object) -> str:
    """Return the text of an error document: `error` in 1.x and 3.x, `message` in 2.x."""
    if isinstance(document, dict):
        for key in ("error", "message"):
            if isinstance(found := document.get(key), str):
                return found
    return ""


def _version_in(body: bytes) -> str:
    """Return the version that a 3.x server names in its answer's body."""
    document = _decoded(body)
    found = document.get("version") if isinstance(document, dict) else None
    return found if isinstance(found, str) else ""


def _basic(credentials: str) -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
