"""Network namespaces for tests: machines with cables between them, within this one, and gone afterwards.

A thread of the test enters one and opens its sockets there; they stay where they were opened. Programs that it starts
meanwhile live there, too. Needs root.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.real.servers import require, unavailable

_NETWORK = 0x40000000  # CLONE_NEWNET
_libc = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace."""

    def __init__(self, name: str) -> None:
        self.name = name

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be there, with this thread."""
        with Path("/proc/thread-self/ns/net").open() as before:
            with Path("/run/netns", self.name).open() as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())

    def run(self, *command: str, check: bool = True, said: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program there."""
        with self.entered():
            done = subprocess.run(command, input=said, capture_output=True, text=True, timeout=60, check=False)
        assert not check or done.returncode == 0, (command, done.stderr)
        return done

    def connected(self, host: str, port: int, source: str = "", within: float = 0.3) -> socket.socket | None:
        """Connect from there and return the connection, None where it is not accepted in time."""
        with self.entered():
            try:
                return socket.create_connection((host, port), within, (source, 0) if source else None)
            except OSError:
                return None

    def reaches(self, host: str, port: int, source: str = "", within: float = 0.3) -> bool:
        """Tell whether a connection from there is accepted."""
        connection = self.connected(host, port, source, within)
        if connection:
            connection.close()
        return connection is not None

    def listening(self, port: int) -> socket.socket:
        """Listen there at a port of all addresses."""
        with self.entered():
            return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)


@contextmanager
def namespaces(*names: str) -> Iterator[list[Namespace]]:
    """Make some, each with its loopback up."""
    if os.geteuid():
        unavailable("needs root, for network namespaces")
    require("ip")
    suffix = uuid.uuid4().hex[:6]
    made = [Namespace(f"cw-{name}-{suffix}") for name in names]
    try:
        for namespace in made:
            _ip("netns", "add", namespace.name)
            _ip("-n", namespace.name, "link", "set", "lo", "up")
            # Addresses are used at once: that nobody else has them is known.
            namespace.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0")
        yield made
    finally:
        for namespace in made:
            subprocess.run(["ip", "netns", "delete", namespace.name], check=False, capture_output=True)


def cable(one: Namespace, at_one: str, other: Namespace, at_other: str) -> None:
    """Lay a cable between two, of which each end has its name."""
    ends = ("link", "add", at_one, "type", "veth", "peer", "name", at_other, "netns", other.name)
    _ip("-n", one.name, *ends)
    for namespace, end in ((one, at_one), (other, at_other)):
        _ip("-n", namespace.name, "link", "set", end, "up")


def address(namespace: Namespace, device: str, *addresses: str) -> None:
    """Give a device addresses, with the length of their network."""
    for each in addresses:
        _ip("-n", namespace.name, "address", "add", each, "dev", device, *(["nodad"] if ":" in each else []))


def route(namespace: Namespace, *through: str) -> None:
    """Send what is for elsewhere through these."""
    for each in through:
        _ip("-n", namespace.name, "route", "add", "default", "via", each)


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, (arguments, done.stderr)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, _NETWORK):
        raise OSError(ctypes.get_errno(), "setns")
