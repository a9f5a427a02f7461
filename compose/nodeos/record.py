"""What is remembered from one life of the container to the next: `life.json` on the volume."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from compose.nodeos import disk
from compose.nodeos.saying import Log, Once

LARGEST = 256 * 1024
"""Bytes that the file may have; it never comes near."""

MOST_KINDS = 32
"""Exit codes that are counted one by one; others come under `other`."""
MOST_BAD = 64
LONGEST = 500
RESTORES_PER_WINDOW = 3
LATEST = 1e11
"""Seconds since 1970, in the year 5138: neither a time nor a count that we wrote comes near."""

CUT_OFF = "cut off"
"""The exit code of a run whose end nobody saw: the container was killed, or the power went."""


@dataclass
class Restoring:
    """A restore that nodeos has not yet come up from. Whatever lies in `state/` meanwhile is half."""

    evidence: str = ""
    """Where what was found is kept, below `evidence/`; "" where nothing is."""
    replaying: bool = False
    """Whether nodeos was set to replay its blocks, which it moves and writes anew for that."""
    replay_failed: bool = False
    deaths: dict[str, int] = field(default_factory=dict)
    """How often nodeos died of each attempt: a snapshot's SHA-256, or `replay`."""


@dataclass
class Facts:
    """The content of the file."""

    starts: int = 0
    exits: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    """In a row: since nodeos last ran for as long as makes it settled, or ended as it was asked to."""
    running_since: float = 0.0
    """Seconds since 1970; 0 when nodeos doesn't run."""
    last_exit: dict[str, Any] = field(default_factory=dict)
    restores: list[float] = field(default_factory=list)
    """When the last ones began."""
    restores_total: int = 0
    restoring: Restoring | None = None
    chain_id: str = ""
    """As nodeos itself has told it."""
    bad: list[str] = field(default_factory=list)
    """SHA-256 of snapshots that nodeos refused or died of."""


class Record:
    """The facts, changed by one thread at a time and written at each change.

    A file that cannot be read is told and begun anew; one that cannot be written is told, and the facts stand until the
    process ends: `lasting` is whether they are on the disk.
    """

    def __init__(self, path: Path, log: Log, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._log = log
        self._writing = Once(log, path.name)
        self._lock = threading.Lock()
        self.facts = Facts()
        self.lasting = True

    def load(self) -> None:
        """Read what earlier lives left, and take a run without an end as a crash."""
        try:
            self.facts = read(json.loads(disk.read_bounded(self._path, LARGEST)))
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            self._log.say(f"{self._path.name} cannot be read ({type(error).__name__}), and is begun anew")
            return
        if self.facts.running_since:
            since = self.facts.running_since
            self.ended(CUT_OFF, "it was cut off, with the container or the power", since, crash=True)

    def started(self) -> None:
        """Note that nodeos is started."""
        with self._lock:
            self.facts.starts += 1
            self.facts.running_since = self._clock()
            self._write()

    def ended(self, code: str, reason: str, since: float, *, crash: bool) -> None:
        """Note that nodeos has ended, and whether that is a crash."""
        with self._lock:
            facts = self.facts
            now = self._clock()
            facts.running_since = 0.0
            kind = code if code in facts.exits or len(facts.exits) < MOST_KINDS else "other"
            facts.exits[kind] = facts.exits.get(kind, 0) + 1
            facts.crashes = facts.crashes + 1 if crash else facts.crashes
            ran = round(max(0.0, now - since), 3)
            facts.last_exit = {"code": code, "reason": reason[:LONGEST], "at": now, "ran": ran}
            self._write()

    def well(self) -> None:
        """Note that crashes until now were none in a row with what may follow."""
        with self._lock:
            self.facts.crashes = 0
            self._write()

    def answered(self, chain_id: str) -> None:
        """Note that nodeos has come up, hence that what it was started from is good."""
        with self._lock:
            self.facts.restoring = None
            self.facts.chain_id = chain_id or self.facts.chain_id
            self._write()

    def restore_begins(self, evidence: str) -> None:
        """Note that the database is to be restored, and where what was found of it is kept."""
        with self._lock:
            self.facts.restores_total += 1
            self.facts.restores = [*self.facts.restores, self._clock()][-RESTORES_PER_WINDOW:]
            self.facts.restoring = Restoring(evidence)
            self._write()

    def restoring(self, **changed: Any) -> None:  # noqa: ANN401 - the fields of Restoring
        """Note how far the restore is."""
        with self._lock:
            self.facts.restoring = self.facts.restoring or Restoring()
            for name, value in changed.items():
                setattr(self.facts.restoring, name, value)
            self._write()

    def died_of(self, attempt: str) -> int:
        """Note that nodeos died of an attempt to restore; return how often it has."""
        with self._lock:
            self.facts.restoring = self.facts.restoring or Restoring()
            deaths = self.facts.restoring.deaths
            deaths[attempt] = deaths.get(attempt, 0) + 1
            self._write()
            return deaths[attempt]

    def bad(self, sha256: str) -> None:
        """Note that a snapshot is not to be used again."""
        with self._lock:
            self.facts.bad = [*(other for other in self.facts.bad if other != sha256), sha256][-MOST_BAD:]
            self._write()

    def restore_allowed_at(self, window: float) -> float:
        """Return when the next restore may begin, in seconds since 1970."""
        now = self._clock()  # which may have been put right since: what is yet to come was not lately
        lately = [began for began in self.facts.restores if now - window < began <= now]
        return min(lately) + window if len(lately) >= RESTORES_PER_WINDOW else 0.0

    def _write(self) -> None:
        try:
            disk.write_whole(self._path, json.dumps(asdict(self.facts), indent=1).encode())
        except OSError as error:
            self.lasting = False
            self._writing.failed(f"cannot be written: {error.strerror or error}")
        else:
            self.lasting = True
            self._writing.worked()


def read(document: Any) -> Facts:  # noqa: ANN401 - JSON is anything
    """Return what a document says, with the usual where it says nothing fit."""
    facts: Facts = _filled(Facts, document)
    restoring = document.get("restoring") if isinstance(document, dict) else None
    facts.restoring = _filled(Restoring, restoring) if isinstance(restoring, dict) else None
    facts.exits = {code: count for code, count in facts.exits.items() if _is(count, int)}
    facts.restores = [began for began in facts.restores if _is(began, float)]
    if not _is(facts.last_exit.get("at"), float):
        facts.last_exit = {}
    facts.bad = [sha256 for sha256 in facts.bad if _is(sha256, str)][-MOST_BAD:]
    if facts.restoring:
        deaths = facts.restoring.deaths
        facts.restoring.deaths = {name: count for name, count in deaths.items() if _is(count, int)}
    return facts


def _filled(kind: type, document: Any) -> Any:  # noqa: ANN401 - JSON is anything
    made = kind()
    given = document if isinstance(document, dict) else {}
    for name in (entry.name for entry in fields(kind)):
        usual = getattr(made, name)
        if usual is not None and name in given and _is(given[name], type(usual)):
            setattr(made, name, given[name])
    return made


def _is(value: object, kind: type) -> bool:
    """Tell whether a value is of a kind, and a number one that can have been written."""
    if kind in {int, float}:
        kinds = int if kind is int else (int, float)
        return isinstance(value, kinds) and not isinstance(value, bool) and 0 <= value < LATEST
    return isinstance(value, kind)
