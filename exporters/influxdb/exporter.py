"""The exporter: takes readings without waiting, delivers them in batches, keeps what the server can't take now."""

from __future__ import annotations

import asyncio
import gzip
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from yarl import URL

from collector.about import About
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.targets import Target, without_secrets
from exporters.connection import Answer, Connection, NoAnswer
from exporters.influxdb.buffer import Buffer, Line
from exporters.influxdb.dialect import (
    Address,
    Outcome,
    Server,
    Verdict,
    advice,
    create_database,
    identify,
    judge,
    refusal,
)
from exporters.influxdb.settings import Settings
from exporters.lineprotocol import encode
from exporters.pauses import Backoff, retry_after

MOST_LINES = 5_000
"""Lines in a request: InfluxData recommends batches of 5,000 to 10,000."""

_AWAY = (429, 502, 503, 504)
"""Answers of a server, or of what stands before it, that is not there at the moment."""

_LARGE = 2**16
"""Bytes from which compression takes long enough to be noticed by others on the event loop."""

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_LINES = {"Content-Type": "text/plain; charset=utf-8", "Content-Encoding": "gzip"}

_log = logging.getLogger("chainwatch.influxdb")


class Influxdb:
    """Delivers to one server; see `docs/influxdb.md` for what it does when the server fails.

    Readings become lines as they are taken and wait in memory, bounded, until the server has said that it has them.
    One task sends them, one request at a time.
    """

    def __init__(self, settings: Settings, about: About) -> None:
        self.name = settings.name
        self._settings = settings
        self._address = Address(settings)
        self._connection = Connection(settings.timeout)
        self._server: Server | None = None
        self._announced = ""
        self._buffer = Buffer(settings.buffer_bytes)
        # A batch on its way can't make room for newer lines: it leaves them half of the buffer.
        self._batch_bytes = min(settings.batch_bytes, settings.buffer_bytes // 2)
        self._pushed_out = 0
        self._backoff = Backoff()
        self._woken = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        subject = f"output {settings.name} ({without_secrets(settings.url)})"
        self._subject = subject
        self._trouble = Remarks(_log, subject)
        self._losses = Remarks(_log, subject)  # these don't end with a recovery
        self._delivered = about.counter("readings_delivered_total", self.name)
        self._delivered_fields = about.counter("fields_delivered_total", self.name)
        self._dropped = about.counter("readings_dropped_total", self.name)
        self._errors = about.counter("output_errors_total", self.name)
        self._seconds = about.counter("output_seconds_total", self.name)
        self._waiting = about.gauge("buffer_readings", self.name)
        self._waiting_bytes = about.gauge("buffer_bytes", self.name)
        about.gauge("buffer_limit_bytes", self.name).set(settings.buffer_bytes)

    async def start(self) -> None:
        """Begin to deliver; the server need not be there yet."""
        self._task = asyncio.create_task(self._run(), name=f"influxdb {self.name}")

    def take(self, readings: Sequence[Reading], interval: float) -> None:  # noqa: ARG002 - of Exporter
        """Encode and keep them until they are delivered; drop the oldest if there is no room."""
        pushed_out = 0
        for reading in readings:
            if not reading.values:
                continue
            if line := encode(reading):
                pushed_out += self._buffer.append(Line(line, len(reading.values)))
            else:
                self._dropped.inc()
                measurement = excerpt(reading.shape.measurement, 40)
                self._losses.failed("unwritable", f"a reading of {measurement!r} dropped: line protocol can't hold it")
        if pushed_out:
            self._dropped.inc(pushed_out)
            self._pushed_out += pushed_out
            message = f"the buffer is full: {self._pushed_out:,} of the oldest readings dropped so far"
            self._losses.failed("full", message)
        self._gauge()
        self._woken.set()

    def follow(self, targets: Sequence[Target]) -> None:
        """Do nothing: what was said of a server that is gone is delivered still."""

    async def close(self, within: float) -> None:
        """Deliver what is left within so many seconds, count the rest as dropped, close the connection."""
        self._closing.set()
        self._woken.set()
        if self._task:
            await asyncio.wait({self._task}, timeout=within)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._connection.close()
        if left := self._buffer.readings:
            self._dropped.inc(left)
            _log.warning("%s: dropped for want of time at the end: %s of the readings", self._subject, f"{left:,}")
            self._buffer = Buffer(self._buffer.limit)
            self._gauge()

    async def _run(self) -> None:
        wait = 0.0
        while await self._batch_due(at_once=wait > 0):
            batch = self._buffer.take(self._batch_bytes, MOST_LINES)
            try:
                wait = await self._deliver(batch)
            except Exception:  # noqa: BLE001 - a defect costs a pause, no more: nobody would start this task again
                _log.exception("%s: a defect of chainwatch", self._subject)
                wait = self._backoff.pause()
            if wait:
                await self._pause(wait)

    async def _batch_due(self, *, at_once: bool) -> bool:
        """Wait until there is a batch to send: full, or its first line long enough ago. False when all is done.

        What has been tried before has waited long enough: `at_once`.
        """
        while not len(self._buffer):
            if self._closing.is_set():
                return False
            self._woken.clear()
            await self._woken.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.flush_interval):
                while not (at_once or self._closing.is_set() or self._buffer.holds(self._batch_bytes, MOST_LINES)):
                    self._woken.clear()
                    await self._woken.wait()
        return True

    async def _deliver(self, batch: list[Line]) -> float:
        """Bring a batch to the server, in parts if it has to be; return the seconds to wait before the next."""
        parts = [batch]
        try:
            while parts:
                verdict, wait = await self._write(parts[-1])
                if verdict.outcome is Outcome.KEPT:
                    return wait
                self._backoff.reset()
                self._trouble.recovered("delivers again")
                part = parts.pop()
                if verdict.outcome is Outcome.REFUSED and len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                else:
                    self._settle(part, verdict)
        finally:
            for part in parts:
                self._buffer.put_back(part)
            self._gauge()
        return 0.0

    def _settle(self, part: list[Line], verdict: Verdict) -> None:
        """Count a part that the server has taken, all or some of it, or a line that it will never take."""
        self._buffer.settle(part)
        self._gauge()
        dropped = verdict.dropped if verdict.outcome is Outcome.TAKEN else len(part)
        taken = len(part) - dropped
        self._delivered.inc(taken)
        # Which lines were left out is not always said: their fields are taken to be as many as those of the others.
        self._delivered_fields.inc(sum(line.fields for line in part) * taken // len(part))
        if not dropped:
            return
        self._dropped.inc(dropped)
        what = f"the reading {excerpt(part[0].text)!r}" if len(part) == 1 else f"{dropped:,} of {len(part):,} readings"
        self._losses.failed("refused", f"the server refuses {what}: dropped: {verdict.reason}")

    async def _write(self, part: list[Line]) -> tuple[Verdict, float]:
        """Send lines; return what became of them, and the seconds to wait if they have to be sent again."""
        try:
            server = self._server = self._server or await self._identified()
            answer = await self._send(part, server)
            verdict = judge(answer, server, len(part))
            if verdict.no_database and self._settings.create_database and await self._create_database():
                answer = await self._send(part, server)
                verdict = judge(answer, server, len(part))
        except NoAnswer as failure:
            self._server = None  # what comes back may be another version
            return self._kept(failure.kind, str(failure), failure.wait)
        if verdict.outcome is not Outcome.KEPT:
            return verdict, 0.0
        if answer.status == 404:  # noqa: PLR2004 - Not Found: is it another version by now?
            self._server = None
        hint = advice(answer.status, database=self._address.has_database(server))
        message = f"HTTP {answer.status}: {verdict.reason}{hint and '; ' + hint}"
        return self._kept(str(answer.status), message, retry_after(answer.headers.get("Retry-After")))

    def _kept(self, kind: str, message: str, wait: float) -> tuple[Verdict, float]:
        self._trouble.failed(kind, f"{message}; readings wait for the next try")
        return Verdict(Outcome.KEPT), max(wait, self._backoff.pause())

    async def _identified(self) -> Server:
        """Ask the server what it is. Raises NoAnswer."""
        answer = await self._request("GET", self._address.ping, {})
        if answer.status in _AWAY:
            message = f"HTTP {answer.status}: {excerpt(answer.body) or 'no reason given'}"
            raise NoAnswer(str(answer.status), message, retry_after(answer.headers.get("Retry-After")))
        server = identify(answer)
        found = f"found {server}; lines go to {self._address.described(server)}"
        if found != self._announced:
            self._announced = found
            _log.info("%s: %s", self._subject, found)
        return server

    async def _send(self, part: list[Line], server: Server) -> Answer:
        """Send lines. Raises NoAnswer."""
        text = b"".join(line.text for line in part)
        # Level 1 is many times faster than 9, and the result hardly larger.
        if len(text) < _LARGE:
            body = gzip.compress(text, 1, mtime=0)
        else:
            body = await asyncio.to_thread(gzip.compress, text, 1, mtime=0)
        return await self._request("POST", self._address.write(server), _LINES, body)

    async def _create_database(self) -> bool:
        """Create the database; say so, or why not. Raises NoAnswer."""
        database = self._address.database
        statement = URL.build(query={"q": create_database(database)}).raw_query_string
        refused = refusal(await self._request("POST", self._address.query, _FORM, statement.encode()))
        if refused:
            message = f"the database {database!r} is missing and may not be created: {refused}"
            self._trouble.failed("no database", message)
        else:
            _log.info("%s: the database %r was missing: created", self._subject, database)
        return not refused

    async def _request(self, method: str, url: URL, headers: Mapping[str, str], data: bytes | None = None) -> Answer:
        began = time.perf_counter()
        failed = True
        try:
            headers = {**headers, **self._address.authorisation(self._server)}
            answer = await self._connection.request(method, url, headers=headers, data=data)
            failed = not 200 <= answer.status < 300  # noqa: PLR2004 - the range that HTTP calls success
        finally:
            self._seconds.inc(time.perf_counter() - began)
            if failed:
                self._errors.inc()
        return answer

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until the end begins: then there is one try at once, and the pauses grow anew."""
        if self._closing.is_set():
            await asyncio.sleep(seconds)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
            self._backoff.reset()

    def _gauge(self) -> None:
        self._waiting.set(self._buffer.readings)
        self._waiting_bytes.set(self._buffer.bytes)
