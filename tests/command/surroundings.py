"""What a collector has around it: simulated nodes, a database; all on an event loop in a thread of the tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from compose.simulated import AnyNode, SimulatedCluster
from tests.influxdb.fakes import Fake

T = TypeVar("T")


class Background:
    """An event loop that goes on while a test waits for a process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="surroundings")
        self._thread.start()

    def run(self, coro: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and return what it returns."""
        return asyncio.run_coroutine_threadsafe(coro, self._loop).result(10)

    def end(self) -> None:
        """End the loop, with whatever a test that failed has left on it."""
        self.run(self._cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _cancel_all(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Cluster:
    """A Clique chain of a sealer, another and a newer client, and a nodeos chain of a producer and a worker."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._simulated = SimulatedCluster(sealers=2, clients=0, newer=1, producers=1, workers=1, ethereum_period=1.0)

    def open(self) -> None:
        """Answer."""
        self._background.run(self._simulated.__aenter__())

    def end(self) -> None:
        """Answer no more."""
        self._background.run(self._simulated.__aexit__(None, None, None))

    @property
    def nodes(self) -> list[AnyNode]:
        """All nodes."""
        return list(self._simulated.nodes.values())

    def __getitem__(self, name: str) -> AnyNode:
        return self._simulated.nodes[name]

    def fault(self, name: str, fault: str, **parameters: float | str) -> None:
        """Give a node a fault."""
        self._background.run(self[name].fault(fault, **parameters))

    def heal(self, name: str) -> None:
        """Take all faults away from a node."""
        self._background.run(self[name].heal())

    def connections(self, name: str) -> set[object]:
        """Return the connections that a node has, each as something that is equal to itself alone."""
        protocols = self[name]._main._protocols
        return set(protocols.connections) if protocols else set()


class Database:
    """A fake InfluxDB 1.x that can be stopped and started again on its port."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self.fake = Fake()
        self.start()

    @property
    def output(self) -> dict[str, object]:
        """An output that delivers to it, as in a configuration."""
        return {"url": self.fake.url, "name": "db", "database": "chain", "flush_interval": "50ms", "timeout": "2s"}

    @property
    def stored(self) -> list[str]:
        """The lines that it has, oldest first."""
        return list(self.fake.stored)

    def start(self) -> None:
        """Take lines."""
        self._background.run(self.fake.start())

    def stop(self) -> None:
        """Refuse connections."""
        self._background.run(self.fake.stop())


@contextmanager
def background() -> Iterator[Background]:
    """Run an event loop in a thread."""
    made = Background()
    try:
        yield made
    finally:
        made.end()
