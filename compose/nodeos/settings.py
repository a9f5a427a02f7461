"""What the entrypoint is told, by environment variables, and the times it goes by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

ROLES = ("producer", "snapshots", "worker")
P2P_PORT = 9876

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]+\]")
_LARGEST_PORT = 65535


class SettingsError(Exception):
    """The environment makes no sense. The message names every mistake."""


class Pace(NamedTuple):
    """Seconds. `CHAINWATCH_PACE` sets some, as in `first_pause=0.1,settled=2`: a life of hours within a test."""

    first_pause: float = 1.0
    """Before the start that follows a crash; doubled by each further crash in a row."""
    longest_pause: float = 300.0
    settled: float = 600.0
    """A node that has run for so long has not crashed in a row."""
    restore_window: float = 3600.0
    """Within which a node's database is restored no more than three times."""
    hurry: float = 1.0
    """Given to whatever is in progress, once we are asked to stop and no nodeos runs."""
    ask: float = 5.0
    """Given to nodeos for an answer."""
    first_answer_every: float = 0.5
    look: float = 30.0
    """Between looks at who the siblings are."""
    patience: float = 30.0
    """For which a node without data tries to reach those who offer snapshots; a producer tries on."""
    retry: float = 2.0
    stall: float = 15.0
    """Without a byte, after which a transfer is given up."""
    head: float = 2.0
    """Between two looks at the head, to see whether it moves."""
    snapshot_answer: float = 900.0
    """Given to nodeos to take a snapshot, which waits for its block to be irreversible."""


class Settings(NamedTuple):
    """The environment, understood."""

    node: str
    role: str
    slot: int
    data: Path
    config: Path
    genesis: Path
    """The chain's beginning; absent where a public network is joined by a snapshot."""
    secret_config: Path | None
    snapshots_from: str
    """URL of the node that offers snapshots, without a slash at its end; "" for none."""
    siblings: tuple[str, ...]
    """`name` or `name:port`; a name that begins with `tasks.` stands for as many nodes as it has addresses."""
    outside_peers: tuple[str, ...]
    workers: int
    snapshot_every: float
    snapshot_keep: int
    stop_within: float
    listen: tuple[str, int]
    pace: Pace

    @property
    def nodeos_data(self) -> Path:
        """The --data-dir of nodeos."""
        return self.data / "nodeos"

    @property
    def snapshots(self) -> Path:
        """Where whole snapshots are kept."""
        return self.data / "snapshots"


def read(environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises SettingsError."""
    return _Reading(environment).settings()


class _Reading:
    """Reads on after a mistake, so that all of them are told at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._mistakes: list[str] = []

    def settings(self) -> Settings:
        secret = self._text("SECRET_CONFIG")
        config = Path(self._text("CONFIG") or "/etc/nodeos")
        found = Settings(
            node=self._matching("NODE", _NAME, "a name of letters, digits, -, _ and ."),
            role=self._matching("ROLE", re.compile("|".join(ROLES)), f"one of {', '.join(ROLES)}"),
            slot=int(self._number("SLOT", 1, least=1)),
            data=Path(self._text("DATA") or "/data"),
            config=config,
            genesis=Path(self._text("GENESIS") or config / "genesis.json"),
            secret_config=Path(secret) if secret else None,
            snapshots_from=self._url("SNAPSHOTS_FROM"),
            siblings=self._peers("SIBLINGS", port_needed=False),
            outside_peers=self._peers("OUTSIDE_PEERS", port_needed=True),
            workers=int(self._number("WORKERS", 1, least=0)),
            snapshot_every=self._number("SNAPSHOT_EVERY", 600, least=0.1),
            snapshot_keep=int(self._number("SNAPSHOT_KEEP", 3, least=1)),
            stop_within=self._number("STOP_WITHIN", 280, least=0),
            listen=self._listen("LISTEN"),
            pace=self._pace(),
        )
        if self._mistakes:
            raise SettingsError("; ".join(self._mistakes))
        return found

    def _text(self, name: str) -> str:
        return self._environment.get(f"CHAINWATCH_{name}", "").strip()

    def _wrong(self, name: str, expected: str) -> None:
        self._mistakes.append(f"CHAINWATCH_{name} is {self._text(name)[:80]!r}: {expected} was expected")

    def _matching(self, name: str, form: re.Pattern[str], expected: str) -> str:
        text = self._text(name)
        if not form.fullmatch(text):
            self._wrong(name, expected)
        return text

    def _number(self, name: str, default: float, *, least: float) -> float:
        text = self._text(name)
        try:
            number = float(text) if text else default
        except ValueError:
            number = float("nan")
        if not least <= number <= 1e9:  # noqa: PLR2004 - thirty years; not-a-number fails this, too
            self._wrong(name, f"a number from {least:g} on")
            return default
        return number

    def _url(self, name: str) -> str:
        url = self._text(name).rstrip("/")
        if not url:
            return ""
        try:
            parts = urlsplit(url)
            good = parts.scheme == "http" and parts.hostname and not parts.query and not parts.username
            _ = parts.port
        except ValueError:
            good = False
        if not good:
            self._wrong(name, "http://HOST:PORT")
        return url

    def _peers(self, name: str, *, port_needed: bool) -> tuple[str, ...]:
        peers = tuple(dict.fromkeys(peer.strip() for peer in self._text(name).split(",") if peer.strip()))
        expected = "HOST:PORT" if port_needed else "NAME or NAME:PORT"
        for peer in peers:
            host, port = split_port(peer, 0)
            if not _HOST.fullmatch(host) or not 0 <= port <= _LARGEST_PORT or (port_needed and not port):
                self._mistakes.append(f"CHAINWATCH_{name} holds {peer[:80]!r}: {expected} was expected")
        return peers

    def _pace(self) -> Pace:
        given: dict[str, float] = {}
        for entry in filter(None, self._text("PACE").split(",")):
            name, _, seconds = (part.strip() for part in entry.partition("="))
            try:
                given[name] = float(seconds)
            except ValueError:
                given[name] = float("nan")
            if name not in Pace._fields or not 0 < given[name] < float("inf"):
                self._wrong("PACE", "NAME=SECONDS,...")
                return Pace()
        return Pace()._replace(**given)

    def _listen(self, name: str) -> tuple[str, int]:
        host, port = split_port(self._text(name) or "0.0.0.0:8889", -1)
        if not _HOST.fullmatch(host) or not 0 <= port <= _LARGEST_PORT:
            self._wrong(name, "HOST:PORT")
        return host.strip("[]"), port


def split_port(text: str, default: int) -> tuple[str, int]:
    """Return the host and the port of `host:port`; a port that is no number is -1."""
    host, colon, port = text.rpartition(":")
    if not colon or "]" in port:
        return text, default
    return host, int(port) if port.isascii() and port.isdigit() else -1
