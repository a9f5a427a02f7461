"""Who is told: a receiver of Alertmanager's webhook, which notes what it hears and when."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.real.servers import wait_for


class Key(NamedTuple):
    """Which alert of whom: a node or a maker, or whatever else it is of; "" for a chain, or chainwatch, as a whole."""

    alert: str
    chain: str
    subject: str


@dataclass(frozen=True)
class Told:
    """One alert that was told, firing or resolved. `at` is when it was heard, in seconds since the epoch."""

    at: float
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        """The alert."""
        return self.labels["alertname"]

    @property
    def chain(self) -> str:
        """The chain that it is of; "" where it is of chainwatch."""
        return self.labels.get("chain", "")

    @property
    def subject(self) -> str:
        """Whom it is of."""
        return self.labels.get("subject", "")

    @property
    def key(self) -> Key:
        """Alert, chain and subject."""
        return Key(self.name, self.chain, self.subject)


class Webhook:
    """What was told, in the order in which it was heard, each change once."""

    def __init__(self) -> None:
        self.url = ""
        self._lock = threading.Lock()
        self._seen: set[tuple[str, str, str]] = set()
        self._told: list[Told] = []
        self._calls = 0

    @property
    def told(self) -> list[Told]:
        """Everything that was told up to now."""
        with self._lock:
            return list(self._told)

    @property
    def calls(self) -> int:
        """How many notifications came, those that told nothing new included."""
        with self._lock:
            return self._calls

    def firing(self) -> set[Key]:
        """Return what fires now, but for the watchdog."""
        now = {told.key: told.firing for told in self.told}
        return {key for key, firing in now.items() if firing and key.alert != "Watchdog"}

    def wait(self, condition: Callable[[], bool], what: str, within: float) -> None:
        """Wait until a condition holds. Raises AssertionError, which tells what fires, if it doesn't within seconds."""
        try:
            wait_for(condition, what, within)
        except AssertionError as error:
            error.add_note(f"what fires: {sorted(self.firing())}")
            raise

    def hear(self, body: bytes) -> None:
        """Take a notification."""
        at = time.time()
        with self._lock:
            self._calls += 1
            for alert in json.loads(body)["alerts"]:
                change = (alert["fingerprint"], alert["startsAt"], alert["status"])
                if change not in self._seen:
                    self._seen.add(change)
                    self._told.append(Told(at, alert["status"] == "firing", alert["labels"], alert["annotations"]))


@contextmanager
def webhook(host: str = "127.0.0.1") -> Iterator[Webhook]:
    """Listen for as long as the block lasts."""
    heard = Webhook()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.hear(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer((host, 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            heard.url = f"http://{host}:{server.server_port}/"
            yield heard
        finally:
            server.shutdown()
            thread.join()
