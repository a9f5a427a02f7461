"""What is known of a chain: who is connected, stale or gone, who came back, when blocks arrived; the clock is set."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collector.about import About
from collector.catalogue import ABOUT, ETHSTATS, ETHSTATS_SEALER, ETHSTATS_UNREADABLE
from collector.configuration import Chain, EthstatsGroup
from collector.ethstats.arrivals import MOST_BLOCKS, Arrivals
from collector.ethstats.chain import DROPPED, LOGINS, PushedChain, State
from collector.ethstats.door import REFUSED
from collector.ethstats.limits import Limits
from collector.ethstats.messages import Hello, Info, Unreadable, decode
from collector.ethstats.nodes import Link
from collector.ethstats.readings import PushedReadings
from collector.ethstats.sealers import MOST_SEALERS, NOBODY
from collector.readings import Value
from collector.targets import Target
from tests.ethstats.reporting import SEALER, SECRET, Clock, block, chain, ethstats

GETH = "Geth/v1.13.15-stable/linux-amd64/go1.21"


class Known:
    """A chain whose clock is set, without a listener: `closed` names the connections that were ended from here."""

    def __init__(self, settings: Chain | None = None, limits: Limits | None = None) -> None:
        self.clock = Clock()
        self.about = About()
        self.chain = PushedChain(settings or chain(), self.about, limits, self.clock, lambda: self.clock.now + 1e9)
        self.made = PushedReadings(self.chain)
        self.closed: list[Link | None] = []

    def login(self, name: str = "n1", address: str = "10.0.0.1", secret: str = SECRET, version: str = GETH) -> Link:
        """Log in, with the right secret."""
        hello = Hello(name, secret, Info(name, version, "1337"))
        group = self.chain.group_of(hello)
        assert group is not None
        links: list[Link] = []
        link = self.chain.login(hello, group, address, lambda: self.closed.append(links[0]))
        assert link is not None
        links.append(link)
        return link

    def take(self, link: Link, kind: str, **body: object) -> None:
        """Take a message of a connection, now."""
        link.heard = self.clock.now
        raw = msgspec.Raw(json.dumps({"id": link.hello.id, **body}).encode())
        self.chain.take(link, decode(kind, raw), self.clock.now)

    def ping(self, link: Link, began: float, ahead: float = 0.0) -> None:
        """Send a ping of a process that began at a moment of the clock, whose own clock is wrong by so many seconds."""
        wall = self.clock.now + 1e9 + ahead
        seconds, rest = divmod(round(wall * 1e9), 10**9)
        shown = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
        self.take(link, "node-ping", clientTime=f"{shown}.{rest:09} +0000 UTC m=+{self.clock.now - began:.9f}")

    def block(self, link: Link, number: int, fork: int = 0, **more: object) -> None:
        """Take a head."""
        self.take(link, "block", block=block(number, fork, **more))

    def values(self, node: str = "n1", measurement: str = "ethstats", *targets: Target) -> dict[str, Value]:
        """Return what the readings of a measurement say of a node."""
        found: dict[str, Value] = {}
        for reading in self.made.readings(targets):
            tags = dict(reading.shape.tags)
            if (reading.shape.measurement, tags.get("node")) == (measurement, node):
                found |= reading.as_dict()
        return found


def target(name: str = "n1", **more: Any) -> Target:  # noqa: ANN401 - as their makers take them
    return Target("lab", "ethereum", name, "http://127.0.0.1:8545", **more)


# connected, stale, gone, forgotten


def test_45_s_of_silence_are_stale_60_s_are_gone_and_4_h_forgotten() -> None:
    known = Known()
    link = known.login()
    known.block(link, 1)
    for seconds, connected, stale in ((0, 1, 0), (44.9, 1, 0), (0.1, 1, 1), (14.9, 1, 1), (0.1, 0, 0)):
        known.clock.advance(seconds)
        values = known.values()
        assert (values["connected"], values["stale"]) == (connected, stale)
        assert ("head_block_number" in values) == bool(connected)
        assert bool(known.values("n1", "chain")) == bool(connected)
    known.chain.logout(link)
    known.clock.advance(4 * 3600 - 1)
    assert known.values()["connected"] == 0
    known.clock.advance(2)
    assert known.values() == {}
    assert known.chain._nodes == {}


def test_it_is_remembered_for_as_long_as_is_configured() -> None:
    known = Known(chain(ethstats=ethstats(forget_after=60)))
    known.chain.logout(known.login())
    known.clock.advance(59)
    assert known.values()
    known.clock.advance(2)
    assert not known.values()


def test_an_absent_node_can_be_forgotten_at_once_and_no_other() -> None:
    known = Known()
    link = known.login()
    assert not known.chain.forget("n1")
    assert not known.chain.forget("n2")
    known.chain.logout(link)
    assert known.chain.forget("n1")
    assert known.values() == {}


def test_more_nodes_than_there_is_room_for_push_out_absent_ones_but_nobody_else() -> None:
    known = Known(limits=Limits(nodes=3))
    links = [known.login(f"n{number}") for number in range(3)]
    assert known.chain.login(Hello("n3", SECRET), links[0].group, "10.0.0.1", lambda: None) is None
    known.chain.logout(links[1])
    known.clock.advance(1)
    known.chain.logout(links[0])
    known.login("n3")
    assert set(known.chain._nodes) == {"n0", "n2", "n3"}


# restarts, and names used twice


def test_the_same_process_that_comes_back_is_no_restart_another_is() -> None:
    known = Known()
    link = known.login()
    known.ping(link, began=100)
    assert known.values()["process_start_time_seconds"] == 1e9 + 100
    known.chain.logout(link)
    known.clock.advance(100)
    link = known.login()
    known.ping(link, began=100.3)
    assert known.values()["restarts_total"] == 0
    known.chain.logout(link)
    known.clock.advance(100)
    link = known.login()
    known.ping(link, began=1_150)
    assert known.values()["restarts_total"] == 1
    assert known.values()["process_start_time_seconds"] == 1e9 + 1_150
    known.clock.advance(1_000)
    known.ping(link, began=1_180)  # a clock that drifts, or a machine that slept: no process outlives its connection
    assert known.values()["restarts_total"] == 1
    assert known.values()["process_start_time_seconds"] == 1e9 + 1_150


@pytest.mark.parametrize("began", [100, 700])
def test_a_newer_connection_of_one_address_replaces_the_old_one(began: float) -> None:
    known = Known()
    old = known.login()
    known.ping(old, began=100)
    new = known.login()
    known.ping(new, began=began)
    assert known.closed == [old]
    assert known.values()["connected"] == 1
    assert known.values()["identity_conflicts"] == 0
    assert known.values()["restarts_total"] == (began > 100)
    known.chain.logout(old)  # its end is noticed later
    assert known.values()["connected"] == 1


@pytest.mark.parametrize(("address", "began"), [("10.0.0.1", 50), ("10.0.0.2", 700)])
def test_two_nodes_of_one_name_are_kept_apart_and_told(
    address: str, began: float, caplog: pytest.LogCaptureFixture
) -> None:
    known = Known()
    first = known.login()
    known.ping(first, began=100)
    known.block(first, 10)
    second = known.login(address=address)
    known.ping(second, began=began)
    known.block(second, 99)
    assert known.closed == []
    values = known.values()
    assert values["identity_conflicts"] == 1
    assert values["head_block_number"] == 10
    assert values["restarts_total"] == 0
    assert f"'n1' is the name of two nodes: 10.0.0.1 and {address}; the first one counts" in caplog.text
    known.chain.logout(first)
    assert known.values()["identity_conflicts"] == 0
    assert known.values()["head_block_number"] == 99


def test_a_secret_of_another_group_replaces_nobody() -> None:
    groups = (EthstatsGroup(name="sealers", secrets=("a",)), EthstatsGroup(name="clients", secrets=("b",)))
    known = Known(chain(ethstats=ethstats(groups=groups)))
    sealer = known.login("sealer-1", secret="a")
    known.block(sealer, 10)
    client = known.login("sealer-1", secret="b")  # from the same address, as behind a proxy
    known.block(client, 99)
    assert known.closed == []
    assert known.values("sealer-1")["head_block_number"] == 10
    assert known.values("sealer-1")["identity_conflicts"] == 1


def test_an_old_connection_that_fell_silent_does_not_speak_for_a_node() -> None:
    known = Known()
    first = known.login()
    known.block(first, 10)
    known.clock.advance(50)
    second = known.login(address="10.0.0.2")  # the machine came back with another address
    known.block(second, 11)
    assert known.values()["head_block_number"] == 11
    assert known.values()["identity_conflicts"] == 0


# arrivals


def test_the_delay_is_the_time_after_the_first_less_the_way_here() -> None:
    known = Known()
    near, far = known.login("near"), known.login("far")
    known.take(near, "latency", latency="10")
    known.take(far, "latency", latency="200")
    for link in (near, far):
        known.block(link, 1)
    known.block(near, 2)
    known.clock.advance(0.5)
    known.block(far, 2)
    assert known.values("near")["head_arrival_delay_seconds"] == 0
    assert known.values("far")["head_arrival_delay_seconds"] == pytest.approx(0.5 - 0.2 + 0.01)
    assert known.values("far")["latency_seconds"] == 0.2
    known.block(near, 3)
    known.clock.advance(0.1)  # it had the block 0.09 s before the other, for all that its word came later
    known.block(far, 3)
    assert known.values("far")["head_arrival_delay_seconds"] == 0
    assert known.values("far")["arrivals_total"] == 2


def test_the_head_of_a_login_is_no_arrival() -> None:
    """It was there before, whenever that was."""
    known = Known()
    first = known.login("first")
    known.block(first, 1)
    known.clock.advance(30)
    late = known.login("late")
    known.block(late, 1)
    assert "head_arrival_delay_seconds" not in known.values("late")
    assert known.values("late")["arrivals_total"] == 0
    known.block(first, 2)
    known.block(late, 2)
    assert known.values("late")["arrivals_total"] == 1


def test_a_node_that_catches_up_counts_no_block_again() -> None:
    known = Known()
    ahead = known.login("ahead")
    for number in range(1, MOST_BLOCKS + 102):
        known.block(ahead, number)
    behind = known.login("behind")
    for number in range(1, 101):
        known.block(behind, number)
    assert known.chain.sealers.by_address[SEALER].blocks == MOST_BLOCKS + 101
    assert known.values("behind")["arrivals_total"] == 0
    assert len(known.chain._arrivals._seen) == MOST_BLOCKS


def test_a_chain_that_begins_anew_is_counted() -> None:
    known = Known()
    link = known.login()
    for number in range(1, MOST_BLOCKS + 102):
        known.block(link, number)
    known.chain.logout(link)
    link = known.login()
    for number in range(1, 11):
        known.block(link, number, fork=1)
    assert known.chain.sealers.by_address[SEALER].blocks == MOST_BLOCKS + 111
    assert known.values()["arrivals_total"] == MOST_BLOCKS + 100 + 9


def test_blocks_of_two_branches_are_blocks_of_their_own() -> None:
    arrivals = Arrivals()
    assert arrivals.sighting(5, "a", 1.0, lambda: 5).first
    assert arrivals.sighting(5, "b", 2.0, lambda: 5).first
    assert arrivals.sighting(5, "a", 3.0, lambda: 5).delay == 2.0


def test_a_latency_that_nobody_can_have_measured_shifts_no_delay() -> None:
    known = Known()
    mad, good = known.login("mad"), known.login("good")
    for link in (mad, good):
        known.block(link, 1)
    with pytest.raises(Unreadable):
        known.take(mad, "latency", latency=1e15)
    known.block(mad, 2)
    known.clock.advance(0.25)
    known.block(good, 2)
    assert known.values("good")["arrival_delay_seconds_total"] == 0.25


def test_a_node_of_another_network_keeps_nobodys_blocks_from_being_counted() -> None:
    known = Known()
    foreign, first, second = known.login("foreign"), known.login("first"), known.login("second")
    for link in (first, second):
        known.block(link, 1)
    for number in range(1, MOST_BLOCKS + 102):
        known.block(foreign, 10**9 + number, fork=1, miner=f"0x{9:040x}")
    for number in range(2, 12):
        for link in (first, second):
            known.block(link, number)
    assert known.chain.sealers.by_address[SEALER].blocks == 11
    assert known.values("second")["arrivals_total"] == 10


# sealers


def test_blocks_of_a_sealer_are_counted_once_whoever_tells_of_them() -> None:
    known = Known()
    links = [known.login(f"n{number}") for number in range(3)]
    other = "0x" + 40 * "c"
    for number in range(1, 9):
        for link in links:
            known.block(
                link,
                number,
                miner=other.upper().replace("X", "x") if number % 4 == 0 else SEALER,
                difficulty=str(1 + (number % 4 > 0)),
            )
    by_address = {
        dict(reading.shape.tags)["sealer"]: reading.as_dict()
        for reading in known.made.readings([])
        if reading.shape.measurement == "ethstats_sealer"
    }
    assert by_address == {
        SEALER: {"blocks_total": 6, "in_turn_blocks_total": 6, "last_block_number": 7},
        other: {"blocks_total": 2, "in_turn_blocks_total": 0, "last_block_number": 8},
    }
    assert known.chain.sealers.shares == {SEALER: 6, other: 2}


def test_nobody_seals_a_block_whose_miner_is_the_zero_address() -> None:
    known = Known()
    link = known.login()
    known.block(link, 1, miner=NOBODY)
    known.block(link, 2, miner=None)
    assert known.chain.sealers.by_address == {}


def test_a_block_counts_once_somebody_knows_its_sealer() -> None:
    known = Known()
    script, *geths = [known.login(name) for name in ("script", "geth-1", "geth-2")]
    known.block(script, 1, miner=NOBODY)
    assert known.chain.sealers.by_address == {}
    for link in geths:
        known.block(link, 1)
    assert known.chain.sealers.by_address[SEALER].blocks == 1


def test_the_last_block_of_a_sealer_is_of_the_chain_that_there_is() -> None:
    known = Known()
    link = known.login()
    known.block(link, 2**63 - 1)  # a defect, or the chain before it was made anew
    known.block(link, 5, fork=1)
    known.block(link, 6, fork=1)
    assert known.chain.sealers.by_address[SEALER].last == 6
    known.block(link, 5, fork=2)  # a branch that is told of late
    assert known.chain.sealers.by_address[SEALER].last == 6


def test_made_up_sealers_are_bounded() -> None:
    known = Known()
    link = known.login()
    for number in range(MOST_SEALERS + 50):
        known.block(link, number, miner=f"0x{number + 1:040x}")
    assert len(known.chain.sealers.by_address) == MOST_SEALERS


# clocks


@pytest.mark.parametrize("ahead", [0.0, 12.5, -3_600.0])
def test_the_skew_is_told_without_the_way_here_and_does_not_shift_the_start(ahead: float) -> None:
    known = Known()
    link = known.login()
    known.take(link, "latency", latency="100")
    known.clock.advance(100)
    known.ping(link, began=200, ahead=ahead - 0.1)  # it was written 0.1 s ago
    assert known.values()["clock_skew_seconds"] == pytest.approx(ahead, abs=1e-6)
    assert known.values()["process_start_time_seconds"] == pytest.approx(1e9 + 200 - 0.1, abs=1e-6)


# labels, and what is said of whom


def test_a_polled_node_has_its_targets_labels_and_no_reading_twice() -> None:
    known = Known(chain(labels={"site": "east"}))
    polled = target(role="sealer", labels=(("rack", "7"),))
    link = known.login()
    known.block(link, 1)
    made = known.made.readings([polled])
    (own,) = [reading for reading in made if reading.shape.measurement == "ethstats"]
    assert dict(own.shape.tags) == {"chain": "lab", "node": "n1", "role": "sealer", "rack": "7"}
    assert not [reading for reading in made if reading.shape.measurement.startswith("chain")]
    made = known.made.readings([])
    tags = {reading.shape.measurement: dict(reading.shape.tags) for reading in made}
    assert tags["ethstats"] == tags["chain"] == {"chain": "lab", "node": "n1", "site": "east"}


def test_a_group_gives_its_nodes_a_role() -> None:
    groups = (EthstatsGroup(name="sealers", role="sealer", secrets=("a", "b")), EthstatsGroup(name="x", secrets=("c",)))
    known = Known(chain(ethstats=ethstats(groups=groups)))
    for secret, role in (("a", "sealer"), ("b", "sealer"), ("c", ""), (SECRET, "")):
        assert known.login(f"by-{secret}", secret=secret).group.role == role


def test_a_polled_node_with_a_name_that_never_pushed_is_not_connected() -> None:
    known = Known()
    unnamed = Target("lab", "ethereum", "127.0.0.1:8546", "http://127.0.0.1:8546")
    assert known.values("n1", "ethstats", target(), unnamed) == {"connected": 0}
    assert known.values("127.0.0.1:8546", "ethstats", target(), unnamed) == {}


def test_shapes_are_made_once() -> None:
    known = Known()
    link = known.login()
    known.ping(link, began=10)
    for number in (1, 2):
        known.block(link, number)
    before = {id(reading.shape) for reading in known.made.readings([target("n2")])}
    known.block(link, 3)
    assert {id(reading.shape) for reading in known.made.readings([target("n2")])} == before
    assert len(before) == 5


@pytest.mark.parametrize(
    ("id_", "name", "shown"),
    [("ab" * 64, "besu-1", "besu-1"), ("ab" * 64, "", "ab" * 50 + "…"), ("n1", "another", "n1")],
)
def test_besu_is_called_by_its_name(id_: str, name: str, shown: str) -> None:
    known = Known()
    hello = Hello(id_, SECRET, Info(name, "besu/v24.1.0/linux-x86_64/openjdk-java-17", "1337"))
    group = known.chain.group_of(hello)
    assert group is not None
    link = known.chain.login(hello, group, "10.0.0.1", lambda: None)
    assert link is not None
    known.take(link, "latency", latency="30")
    assert known.values(shown)["latency_seconds"] == 0.015  # it tells of the whole round trip


def test_an_update_of_an_old_reporter_holds_all_at_once() -> None:
    known = Known()
    link = known.login(version="eth-net-intelligence-api")
    known.take(
        link,
        "update",
        stats={
            "active": True,
            "peers": "4",
            "gasPrice": "18",
            "pending": 2,
            "block": block(9),
            "syncing": {"currentBlock": 3},
        },
    )
    assert known.values()["head_block_number"] == 9
    assert known.values("n1", "chain")["syncing"] == 1
    assert known.values("n1", "chain")["txpool_pending"] == 2
    assert known.values()["gas_price_wei"] == 18


def test_a_secret_that_holds_no_more_ends_its_connections_alone() -> None:
    def settings(*secrets: str) -> Chain:
        return chain(ethstats=ethstats(secret=None, groups=(EthstatsGroup(name="g", secrets=secrets),)))

    known = Known(settings("a", "b"))
    a, b = known.login("a", secret="a"), known.login("b", secret="b")
    known.chain.apply(settings("b", "c"))
    assert known.closed == [a]
    assert known.values("a")["connected"] == 0
    assert known.chain.state_of(b) is State.CONNECTED
    assert known.values("b")["connected"] == 1


def test_no_secret_is_kept_in_what_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    known = Known()
    link = known.login()
    assert SECRET not in repr(link) + repr(known.chain._nodes) + repr(link.hello) + caplog.text
    assert str(link.secret) not in repr(link)


def test_the_documentation_names_every_metric() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ethstats.md").read_text()
    names = [metric.name for metric in (*ETHSTATS, *ETHSTATS_UNREADABLE, *ETHSTATS_SEALER)]
    names += [metric.name for metric in ABOUT if metric.field.startswith("ethstats")]
    assert [name for name in names if f"`{name}" not in page] == []
    assert [kind for kind in (*LOGINS, *DROPPED, *REFUSED) if f"`{kind}`" not in page] == []


def test_wrong_secrets_of_a_thousand_addresses_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    known = Known()
    hello = Hello("n", "wrong")
    for number in range(1_500):
        known.chain.refused(hello, f"10.0.{number // 250}.{number % 250}")
    assert len(caplog.records) == len(known.chain._said) == 1_000
    known.clock.advance(3_601)
    known.chain.refused(hello, "10.9.9.9")
    assert len(caplog.records) == 1_001
    assert len(known.chain._said) == 1_000
