"""What firewalls answer instead of a node: a no is a no by whatever message, a missing way is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.configuration.values import Address
from collector.readings import Reading
from collector.shielded import Shielded, Trial
from tests.helpers import run
from tests.real.namespaces import Namespace, address, cable, namespaces
from tests.real.servers import require

pytestmark = pytest.mark.real

NODE = ("10.77.0.1", "fd77::1")
PORT = 8888
CLOSED, UNKNOWN = {"tried": 1, "port_open": 0}, {"tried": 0}


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Namespace, Namespace]]:
    """Lay a cable between a node's machine and one that tries it."""
    require("nft")
    with namespaces("node", "outside") as (node, outside):
        cable(node, "wire", outside, "wire")
        address(node, "wire", *(f"{each}/{64 if ':' in each else 24}" for each in NODE))
        address(outside, "wire", "10.77.0.2/24", "fd77::2/64")
        yield node, outside


@pytest.mark.parametrize(
    ("ipv4", "ipv6", "expected"),
    [
        ("icmp type admin-prohibited", "icmpv6 type admin-prohibited", CLOSED),  # firewalld's
        ("icmp type port-unreachable", "icmpv6 type port-unreachable", CLOSED),
        ("icmp type host-prohibited", "icmpv6 type addr-unreachable", CLOSED),
        ("tcp reset", "tcp reset", CLOSED),
        ("icmp type net-unreachable", "icmpv6 type no-route", UNKNOWN),
    ],
)
def test_what_a_firewall_answers(
    machines: tuple[Namespace, Namespace], ipv4: str, ipv6: str, expected: dict[str, int]
) -> None:
    node, outside = machines
    rules = [
        f"meta nfproto {family} tcp dport {PORT} reject with {how}" for family, how in (("ipv4", ipv4), ("ipv6", ipv6))
    ]
    chain = "\n".join(["type filter hook input priority 0", *rules])
    node.run("nft", "-f", "-", said=f"flush ruleset\ntable inet filter {{\nchain input {{\n{chain}\n}}\n}}\n")
    for host in NODE:
        found: list[Reading] = []
        at = Shielded("main", "producer", Address(host, PORT), timeout=2)
        with outside.entered():
            run(Trial(at, lambda readings, _: found.extend(readings)).attempt())  # noqa: B023 - it is over by then
        assert [reading.as_dict() for reading in found] == [expected], host
