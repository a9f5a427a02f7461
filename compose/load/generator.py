"""The workers of one process: each asks, waits for the answer or the end of its patience, and asks again."""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from collections import deque
from functools import partial

from compose.load.connection import RESET, Connection
from compose.load.pace import EARLY, pace
from compose.load.plan import Share
from compose.load.tally import Tally

REFUSED, UNREACHABLE, TLS, OWN_LIMIT, TIMEOUT = "refused", "unreachable", "tls", "own_limit", "timeout"

STARTING = 256
"""Workers, of all processes together, whose first request is under way at a time where nothing paces them. If thousands
connected at once, the kernel of the server would drop what its queue does not hold and try again after a second, then
two, then four; and a server that is busy already may take none from its queue. That would measure the queue."""

_OWN_LIMITS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
"""What this machine has too little of: files, ports, memory."""


class _Worker:
    """Asks one thing at a time. `since` is what the latency is counted from, `begun` when the request began."""

    __slots__ = ("address", "begun", "connection", "opening", "since")

    def __init__(self, address: str) -> None:
        self.address = address
        self.connection: Connection | None = None
        self.opening: asyncio.Task[None] | None = None
        self.since = 0.0
        self.begun = 0.0


class Generator:
    """Makes the requests of one process and counts them in `tally`.

    Every request ends, within the load's timeout; one that failed is not made again.
    """

    def __init__(self, share: Share, tally: Tally) -> None:
        self.tally = tally
        self._load = load = share.load
        self._share = share
        self._request = load.call.request(load.host, keep=not load.new_connections)
        self._tls = ssl.create_default_context() if load.tls else None
        self._left = share.requests
        self._waiting: dict[_Worker, None] = {}  # in the order they began
        self._idle: deque[_Worker] = deque()
        self._fresh: deque[_Worker] = deque()
        self._starting = 0  # workers whose first request is to end before any begins its second
        self._opening: set[asyncio.Task[None]] = set()
        self._waking: asyncio.TimerHandle | None = None
        self._expiring: asyncio.TimerHandle | None = None

    async def run(self, start: float) -> None:
        """Make all requests, from this time on the monotonic clock on. If cancelled, what is not answered is left."""
        self._loop = asyncio.get_running_loop()
        self._over = self._loop.create_future()
        self._pace = pace(self._share, start)
        addresses = self._load.addresses
        workers = [
            _Worker(addresses[(self._share.number + i * self._load.processes) % len(addresses)])
            for i in range(self._share.workers)
        ]
        if not self._left:
            return
        await asyncio.sleep(start - time.monotonic())
        try:
            self._start(workers)
            await self._over
        finally:
            await self._leave(workers)

    async def _leave(self, workers: list[_Worker]) -> None:
        """Drop all that is open."""
        self._left = 0
        for timer in (self._waking, self._expiring):
            if timer:
                timer.cancel()
        for task in self._opening:
            task.cancel()
        for worker in workers:
            if worker.connection:
                worker.connection.leave()
        await asyncio.gather(*self._opening, return_exceptions=True)

    # Who asks next

    def _start(self, workers: list[_Worker]) -> None:
        """Let all begin, or where they are too many and nothing paces them, some, and others as these have answers."""
        most = max(STARTING // self._load.processes, 1)
        if self._load.rate or self._load.ceiling or len(workers) <= most:
            self._idle.extend(workers)
            self._wake()
            return
        self._starting = len(workers)
        self._fresh.extend(workers)
        for _ in range(min(most, self._left)):
            self._begin(self._fresh.popleft(), time.monotonic())

    def _wake(self) -> None:
        """Let idle workers begin what is due, and come back when more is."""
        self._waking = None
        while self._idle and self._left:
            now = time.monotonic()
            ahead = self._pace.due - now
            if ahead > EARLY:
                self._waking = self._loop.call_later(ahead, self._wake)
                return
            self._begin(self._idle.popleft(), now)

    def _next(self, worker: _Worker, now: float) -> None:
        """Let a worker that has become free begin what is due, or another that has not begun yet."""
        if self._starting:
            self._starting -= 1
            self._idle.append(worker)
            if self._fresh:
                self._begin(self._fresh.popleft(), now)
            elif not self._starting:
                self._wake()
        elif self._pace.due - now <= EARLY and not self._idle:
            self._begin(worker, now)
        else:
            self._idle.append(worker)
            if self._waking is None:
                self._wake()

    def _begin(self, worker: _Worker, now: float) -> None:
        """Begin the next request."""
        self._left -= 1
        self.tally.begun += 1
        worker.since = self._pace.take(now)
        worker.begun = self.tally.last_begun = now
        if now - worker.since > EARLY:
            self.tally.delayed += 1
        self._waiting[worker] = None
        if self._expiring is None:
            self._expiring = self._loop.call_later(self._load.timeout, self._expire)
        if worker.connection and worker.connection.usable:
            worker.connection.ask()
        else:
            worker.connection = Connection(
                self._load.call, self._request, partial(self._ended, worker), keep=not self._load.new_connections
            )
            worker.opening = self._loop.create_task(self._open(worker, worker.connection))
            self._opening.add(worker.opening)
            worker.opening.add_done_callback(self._opening.discard)

    async def _open(self, worker: _Worker, connection: Connection) -> None:
        try:
            await self._loop.create_connection(
                lambda: connection,
                worker.address,
                self._load.port,
                ssl=self._tls,
                server_hostname=self._load.hostname if self._tls else None,
            )
        except OSError as error:
            self._ended(worker, _kind(error))

    # How a request ends

    def _ended(self, worker: _Worker, failure: str | None) -> None:
        now = time.monotonic()
        del self._waiting[worker]
        tally = self.tally
        if failure is None:
            latency = now - worker.since
            tally.ok += 1
            tally.latencies.record(latency)
            if latency > self._load.late:
                tally.late += 1
        else:
            tally.fail(failure)
        tally.spent += now - worker.begun
        tally.last_ended = now
        if self._left:
            self._next(worker, now)
        elif not self._waiting and not self._over.done():
            self._over.set_result(None)

    def _expire(self) -> None:
        """End the requests whose time is up; they stand in the order they began."""
        self._expiring = None
        while self._waiting:
            worker = next(iter(self._waiting))
            ahead = worker.begun + self._load.timeout - time.monotonic()
            if ahead > 0:
                self._expiring = self._loop.call_later(max(ahead, EARLY), self._expire)
                return
            if worker.opening:
                worker.opening.cancel()
            if worker.connection:
                worker.connection.leave()
            self._ended(worker, TIMEOUT)


def _kind(error: OSError) -> str:
    """Return how a connection that could not be opened failed."""
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    if isinstance(error, ssl.SSLError):
        return TLS
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return RESET
    return OWN_LIMIT if error.errno in _OWN_LIMITS else UNREACHABLE
