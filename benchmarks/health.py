"""What it costs to compare a thousand nodes: CPU per node and gather, for all signals, beside the gather itself.

Health takes what each node tells, is given the blocks that it asks for, and tells its readings once in an interval, as
in operation. The gather is one by the real source of what a simulated node answers, without the
network: the answers are asked for once and then taken from memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from collector.client import Client
from collector.health.chain import Settings
from collector.health.health import Health
from collector.observations import Block, Network, Observation, Peer
from collector.remarks import Remarks
from collector.sources import SourceFactory
from collector.sources.ethereum import Ethereum
from collector.sources.nodeos import Nodeos
from collector.targets import Target
from compose.simulated import SimulatedCluster

NODES = 1000
MAKERS = 21
PEERS = 25
INTERVALS = 15
WARM = 5
"""Intervals before those that are measured."""

CHAIN = "bench"
START = 1_800_000_000.0
INTERVAL = 10.0
PERIODS = {"ethereum": 3.0, "nodeos": 0.5}
SOURCES: dict[str, SourceFactory] = {"ethereum": Ethereum, "nodeos": Nodeos}
SLOTS_BEGIN = 946_684_800
TURN = 12
GATHERS = 300


@dataclass
class Costs:
    """Seconds of CPU per node and gather: to take what it told, and its share of assessing and telling all that."""

    taking: float = 0.0
    telling: float = 0.0

    @property
    def whole(self) -> float:
        """All of it."""
        return self.taking + self.telling


class Nodes:
    """Nodes of one chain in health: what they tell at a moment, and the blocks that they have."""

    def __init__(self, kind: str, count: int) -> None:
        self._dpos = kind == "nodeos"
        self._period = PERIODS[kind]
        self._makers = [f"prod{chr(97 + i)}" if self._dpos else _digits("maker", i, 40) for i in range(MAKERS)]
        self._blocks: list[Block] = []
        maker, other = ("producer", "worker") if self._dpos else ("sealer", "client")
        self.targets = [
            Target(CHAIN, kind, f"n{i}", f"http://10.0.{i >> 8}.{i & 255}:1", role=maker if i < MAKERS else other)
            for i in range(count)
        ]
        self._peers = [
            [Peer(_digits("node", (i + step) % count, 128), f"n{(i + step) % count}") for step in range(1, PEERS + 1)]
            for i in range(count)
        ]

    def told(self, at: float) -> Iterator[tuple[Target, Observation]]:
        """Yield what each node tells, asked within a tenth of a second."""
        for i, target in enumerate(self.targets):
            moment = at + 0.1 * i / len(self.targets)
            head = self.block(int((moment - START) / self._period) + 2000)
            yield (
                target,
                Observation(
                    at=moment,
                    took=0.01,
                    head=Block(head.number, head.hash, head.timestamp) if self._dpos else head,
                    finalized=head.number - 300 if self._dpos else None,
                    network=Network(_digits("genesis", 0, 64), "1337"),
                    version="v4.0.6",
                    identity=_digits("node", i, 128),
                    peer_count=PEERS,
                    peers=self._peers[i],
                    signers=None if self._dpos else self._makers,
                    schedule=self._makers if self._dpos else None,
                    period=None if self._dpos else self._period,
                    pool=0,
                    clock=None if self._dpos else 0.01,
                ),
            )

    def block(self, number: int) -> Block:
        """Return the block of a number."""
        while len(self._blocks) <= number:
            count = len(self._blocks)
            moment = START + (count - 2000) * self._period
            turn = round((moment - SLOTS_BEGIN) / self._period) // TURN if self._dpos else count
            self._blocks.append(
                Block(
                    count,
                    _digits("block", count, 64),
                    moment,
                    parent=_digits("block", count - 1, 64),
                    maker=self._makers[turn % MAKERS],
                    in_turn=None if self._dpos else True,
                    difficulty=None if self._dpos else 2,
                    transactions=count % 5,
                )
            )
        return self._blocks[number]


def measure(kind: str, count: int = NODES) -> Costs:
    """Return what the comparison of so many nodes costs."""
    nodes, costs, now = Nodes(kind, count), Costs(), START
    health = Health(wall=lambda: now)
    health.apply([Settings(CHAIN, kind, interval=INTERVAL)])
    health.follow(nodes.targets)
    for interval in range(INTERVALS):
        told = list(nodes.told(now))
        random.Random(interval).shuffle(told)
        nodes.block(int((now - START) / PERIODS[kind]) + 2000)
        began = time.process_time()
        for target, observation in told:
            if wanted := health.gathered(target, observation):
                health.told(target, [nodes.block(number) for number in wanted])
        now += INTERVAL / 2
        took = time.process_time()
        health.readings(CHAIN)
        if interval >= WARM:
            costs.taking += took - began
            costs.telling += time.process_time() - took
        now += INTERVAL / 2
    share = count * (INTERVALS - WARM)
    return Costs(costs.taking / share, costs.telling / share)


class Replaying(Client):
    """A client that asks each thing once, and from then on has the answer."""

    def __init__(self) -> None:
        super().__init__()
        self._answers: dict[tuple[str, bytes], bytes] = {}

    async def get(self, url: str) -> bytes:
        """Return the body of the first answer."""
        if (url, b"") not in self._answers:
            self._answers[url, b""] = await super().get(url)
        return self._answers[url, b""]

    async def post(self, url: str, body: bytes) -> bytes:
        """Return the body of the first answer to this body."""
        if (url, body) not in self._answers:
            self._answers[url, body] = await super().post(url, body)
        return self._answers[url, body]


async def gathering(kind: str) -> float:
    """Return the seconds of CPU of one gather by the source, without the network."""
    sealers, producers = (MAKERS, 0) if kind == "ethereum" else (0, MAKERS)
    async with SimulatedCluster(sealers=sealers, clients=0, newer=0, producers=producers, workers=0) as cluster:
        node = next(iter(cluster.nodes.values()))
        client = Replaying()
        remarks = Remarks(logging.getLogger("bench"), "bench")
        target = Target(CHAIN, kind, node.name, node.url, role=node.role)
        source = SOURCES[kind](target, client, remarks, lambda *_: None)
        for _ in range(5):
            await source.gather()
        began = time.process_time()
        for _ in range(GATHERS):
            await source.gather()
        took = time.process_time() - began
        await source.close()
        await client.close()
    return took / GATHERS


def main() -> None:
    """Print the costs for both kinds of chain."""
    for kind in PERIODS:
        costs = measure(kind)
        gather = asyncio.run(gathering(kind))
        print(f"\nhealth of {NODES:,} {kind} nodes, {MAKERS} of them makers, {PEERS} peers each; per node and gather")
        for what, seconds in (
            ("taking what a node told", costs.taking),
            ("its share of assessment and readings", costs.telling),
            ("health in all", costs.whole),
            ("the gather itself, without the network", gather),
        ):
            print(f"  {what:40} {seconds * 1e3:8.3f} ms  {seconds / gather:7.2f} x")


def _digits(what: str, number: int, length: int) -> str:
    return hashlib.sha512(f"{what}/{number}".encode()).hexdigest()[:length]


if __name__ == "__main__":
    main()
