"""Shielded nodes: is there a way to them from outside? A TCP connection is tried, and should come to nothing.

Nothing is sent and nothing read: whether a connection was accepted is all there is to know, and it is ended at once.
What a try tells depends on where it is made: from the node's own machine, or from within its network, much answers that
nobody outside can reach.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from collector import configuration as conf
from collector.catalogue import SHIELDED
from collector.discovery.addresses import Names
from collector.readings import Reading
from collector.remarks import Remarks, excerpt
from collector.shapes import Shapes
from collector.ticks import Ticks

_log = logging.getLogger("chainwatch")

Deliver = Callable[[list[Reading], float], None]
"""Takes the reading of one try and the interval of its node."""

MOST_ADDRESSES = 16
"""Addresses behind one name beyond which the rest are left alone: whoever answers for DNS may answer anything."""

_SHARE_OF_DNS = 0.5
"""Share of the timeout that finding the addresses of a name may take; the rest is for the connections."""

_NOT_ACCEPTED = frozenset(
    {errno.ECONNREFUSED, errno.ECONNRESET, errno.ECONNABORTED, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EHOSTDOWN}
)
"""Errors by which the network or the other end says no. All others, such as a missing route, are of this end."""

_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing sends a reset, after which neither end holds anything of the connection any more."""


@dataclass(frozen=True)
class Shielded:
    """One address at which the world would try a shielded node. `interval` and `timeout` are seconds."""

    chain: str
    node: str
    address: conf.Address
    role: str = ""
    interval: float = 10.0
    timeout: float = 5.0
    labels: tuple[tuple[str, str], ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.chain}/{self.node}"


class Outcome(Enum):
    """What came of one try."""

    OPEN = auto()
    """The connection was accepted."""
    CLOSED = auto()
    """It was refused, or nobody answered in time."""
    UNKNOWN = auto()
    """It could not be tried."""


def shielded_of(agent: conf.Agent, chain: conf.Chain) -> list[Shielded]:
    """Return the addresses that a chain's shielded nodes are tried at."""
    found = []
    for node in chain.shielded:
        interval, timeout = conf.schedule(agent, chain, node)
        labels = tuple(sorted(chain.labels.items()))
        found += [
            Shielded(chain.name, node.name, address, node.role, interval, timeout, labels) for address in node.addresses
        ]
    return found


def everything(_: str) -> bool:
    """Tell that a name falls to this collector, which is the only one."""
    return True


class Trial:
    """Tries one address of a shielded node, at ticks or once, and delivers a reading of every try.

    `holds` tells at each tick whether the node, by its name, falls to this collector; else another one tries it.
    """

    def __init__(
        self,
        shielded: Shielded,
        deliver: Deliver,
        holds: Callable[[str], bool] = everything,
        *,
        nameservers: Sequence[str] = (),
    ) -> None:
        self._shielded = shielded
        self._deliver = deliver
        self._holds = holds
        self._nameservers = nameservers
        self._remarks = Remarks(_log, f"{shielded} ({shielded.address})")
        tags = {"chain": shielded.chain, "node": shielded.node, "role": shielded.role, "address": str(shielded.address)}
        self._shapes = Shapes({**dict(shielded.labels), **tags})

    async def run(self, ticks: Ticks) -> None:
        """Try at every tick, until cancelled."""
        while True:
            await ticks.next()
            if self._holds(str(self._shielded)):
                await self.attempt()

    async def attempt(self) -> bool:
        """Try once and deliver what came of it. Returns whether the address was tried and is closed."""
        try:
            outcome = await self._outcome()
        except Exception as error:  # noqa: BLE001 - a defect must not end the tries, nor pass for a closed port
            _log.debug("%s: a defect", self._shielded, exc_info=True)
            outcome = self._unknown(f"a defect of chainwatch: {excerpt(repr(error))}")
        if outcome is Outcome.OPEN:
            self._remarks.failed("open", "accepts connections from here, and is meant to be shielded")
        elif outcome is Outcome.CLOSED:
            self._remarks.recovered("tried, and closed")
        values = {"tried": int(outcome is not Outcome.UNKNOWN)}
        if outcome is not Outcome.UNKNOWN:
            values["port_open"] = int(outcome is Outcome.OPEN)
        self._shapes.begin()
        self._deliver([self._shapes.curated(SHIELDED, values)], self._shielded.interval)
        return outcome is Outcome.CLOSED

    async def _outcome(self) -> Outcome:
        """Try every address behind the name: one that is open is enough, and one that was tried."""
        deadline = asyncio.get_running_loop().time() + self._shielded.timeout
        if not (addresses := await self._addresses()):
            return Outcome.UNKNOWN
        tried = await asyncio.gather(
            *(_connect(address, self._shielded.address.port, deadline) for address in addresses)
        )
        outcomes = [result for result in tried if isinstance(result, Outcome)]
        if not outcomes:
            why = next(str(result) for result in tried)
            return self._unknown(f"cannot be tried from here: {why}")
        return Outcome.OPEN if Outcome.OPEN in outcomes else Outcome.CLOSED

    async def _addresses(self) -> Sequence[str]:
        """Return the addresses to try; none, having said so, where the name has none that can be found."""
        host = self._shielded.address.host
        try:
            return [str(ipaddress.ip_address(host))]
        except ValueError:
            pass
        said: list[str] = []
        # Asked anew each time, without the memory that a chain's servers have: an address that the name has no longer
        # may be somebody else's by now.
        names = Names(said.append, self._nameservers)
        found = (await names.addresses([host], self._shielded.timeout * _SHARE_OF_DNS))[host]
        if not found:
            self._unknown(f"cannot be tried: {said[0] if said else 'DNS knows no address of this name'}")
        return found[:MOST_ADDRESSES]

    def _unknown(self, why: str) -> Outcome:
        self._remarks.failed("unknown", f"{why}; so it is not known whether it is shielded")
        return Outcome.UNKNOWN


async def _connect(address: str, port: int, deadline: float) -> Outcome | str:
    """Try to connect, until the deadline on the loop's clock; a text says why that could not be tried."""
    place = (address, port)
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            at_once = connection.connect_ex(place)
            if at_once not in (0, errno.EINPROGRESS):
                return Outcome.CLOSED if at_once in _NOT_ACCEPTED else f"{address}: {os.strerror(at_once)}"
            try:
                async with asyncio.timeout_at(deadline):
                    await asyncio.get_running_loop().sock_connect(connection, place)
            except TimeoutError:
                return Outcome.OPEN if _connected(connection) else Outcome.CLOSED
            except PermissionError:  # it was on its way: a firewall says so, of IPv6, by ICMP
                return Outcome.CLOSED
            return Outcome.OPEN
    except OSError as error:
        return Outcome.CLOSED if error.errno in _NOT_ACCEPTED else f"{address}: {os.strerror(error.errno or 0)}"


def _connected(connection: socket.socket) -> bool:
    """Tell whether it is connected: on a busy machine, the deadline may be seen to pass before the connection is."""
    try:
        connection.getpeername()
    except OSError:
        return False
    return True
