"""A chain and its nodes as a model, and how what they tell may reach health: late, in any order, twice or never.

Unlike the simulated cluster nothing here travels over HTTP, so that thousands of gathers take no time.
"""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from collector.health.assessment import Assessment
from collector.health.chain import Settings
from collector.health.health import Health
from collector.observations import Block, Network, Observation, Peer
from collector.targets import Target

CHAIN = "lab"
START = 1_800_000_000.0
INTERVAL = 10.0
TURN = 12
EPOCH = 946_684_800
"""Slots of nodeos are counted from 2000-01-01."""


class ModelledChain:
    """A chain whose blocks come exactly when they are due, and reach everybody at once.

    Of kind "nodeos" each producer has twelve slots of half a second, of kind "ethereum" the signers take turns every
    three seconds. The maker at the place `absent` makes none: its slots stay empty, or the next signer seals for it.
    """

    def __init__(
        self, kind: str, makers: int, *, blocks: int = 400, name: str = CHAIN, absent: int | None = None
    ) -> None:
        self.kind = kind
        self.period = 0.5 if kind == "nodeos" else 3.0
        signers = sorted("0x" + _digits(name, "maker", i)[:40] for i in range(makers))
        self.makers = [f"prod{chr(97 + i)}" for i in range(makers)] if kind == "nodeos" else signers
        self.genesis = _digits(name, "genesis")
        self._name = name
        self._absent = absent
        self._blocks: list[Block] = []
        self._slot = int((START - EPOCH) / self.period) - blocks

    def block(self, number: int) -> Block:
        """Return the block of a number, from 1 on."""
        while len(self._blocks) < number:
            self._fill_slot()
        return self._blocks[number - 1]

    def head(self, at: float) -> Block:
        """Return the newest block at a moment."""
        while not self._blocks or self._blocks[-1].timestamp <= at:
            self._fill_slot()
        return self._blocks[max(0, bisect_right(self._blocks, at, key=lambda block: block.timestamp) - 1)]

    def _fill_slot(self) -> None:
        number, dpos = len(self._blocks) + 1, self.kind == "nodeos"
        slot, self._slot = self._slot, self._slot + 1
        turn = (slot // TURN if dpos else number) % len(self.makers)
        away = turn == self._absent
        if dpos and away:
            return
        self._blocks.append(
            Block(
                number,
                _digits(self._name, number),
                EPOCH + slot * self.period,
                parent=_digits(self._name, number - 1),
                maker=self.makers[(turn + away) % len(self.makers)],
                in_turn=None if dpos else not away,
                difficulty=None if dpos else 2 - away,
                transactions=number % 3,
            )
        )


@dataclass
class ModelledNode:
    """A node of a chain, `behind` so many blocks. `role` is that of its target."""

    name: str
    role: str
    chain: ModelledChain
    behind: int = 0
    stalled_at: float | None = None

    def head(self, at: float) -> Block:
        """Return the head that it has at a moment."""
        seen = at if self.stalled_at is None else min(at, self.stalled_at)
        head = self.chain.head(seen)
        return self.chain.block(max(1, head.number - self.behind))

    def blocks(self, numbers: Iterable[int], at: float) -> list[Block]:
        """Return those of these blocks that it has."""
        head = self.head(at).number
        return [self.chain.block(number) for number in numbers if 0 < number <= head]

    def observation(self, at: float, others: Sequence[str]) -> Observation:
        """Return what it tells at a moment."""
        head, dpos = self.head(at), self.chain.kind == "nodeos"
        lib = 24 * (2 * len(self.chain.makers) // 3) if len(self.chain.makers) > 1 else 1
        return Observation(
            at=at,
            took=0.01,
            head=Block(head.number, head.hash, head.timestamp, maker=head.maker) if dpos else head,
            finalized=max(0, head.number - lib) if dpos else None,
            network=Network(self.chain.genesis, "" if dpos else "1337", "" if dpos else "18"),
            version="v4.0.6" if dpos else "Geth/v1.13.15",
            identity=self.name,
            peer_count=len(others),
            peers=[Peer(id=other, name=other) for other in others],
            signers=None if dpos else self.chain.makers,
            schedule=self.chain.makers if dpos else None,
            period=None if dpos else self.chain.period,
            paused=False if dpos else None,
            pool=0,
        )


@dataclass
class Journey:
    """How what nodes tell reaches health; `share`s are of all that is told."""

    seed: int
    late: float = 0.0
    """Up to how many intervals an observation, or the blocks asked for, is under way."""
    lost: float = 0.0
    repeated: float = 0.0
    cut: float = 0.0
    """Share of the answers of which a part is missing."""


@dataclass
class Telling:
    """Health of a modelled chain, and the one who brings it what the nodes tell."""

    nodes: Sequence[ModelledNode]
    journey: Journey
    now: float = START
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        kind = self.nodes[0].chain.kind
        self._random = random.Random(self.journey.seed)
        self._under_way: list[tuple[float, int, str, object]] = []
        self._count = 0
        self.health = Health(wall=lambda: self.now)
        self.health.apply([Settings(CHAIN, kind, interval=INTERVAL)])
        self._targets = {
            node.name: Target(CHAIN, kind, node.name, f"http://{node.name}:1", role=node.role, interval=INTERVAL)
            for node in self.nodes
        }
        self.health.follow(list(self._targets.values()))

    def intervals(self, count: int) -> Iterator[Assessment]:
        """Let so many intervals go by: each node is asked once in each. Yields what health says at many moments."""
        journey, chance = self.journey, self._random
        for _ in range(count):
            begins = self.now
            asked = sorted((begins + chance.uniform(0, 1), node) for node in self._shuffled())
            for at, node in asked:
                if chance.random() >= journey.lost:
                    others = [other.name for other in self.nodes if other is not node and other.chain is node.chain]
                    self._send(at, node.name, node.observation(at, others))
            moments = sorted(begins + chance.uniform(0, INTERVAL) for _ in range(3))
            for moment in [*moments, begins + INTERVAL]:
                self._arrive(moment)
                self.now = moment
                [assessment] = self.health.assess()
                yield assessment

    def _shuffled(self) -> list[ModelledNode]:
        return self._random.sample(list(self.nodes), len(self.nodes))

    def _send(self, at: float, name: str, told: object) -> None:
        times = 1 + (self._random.random() < self.journey.repeated)
        for _ in range(times):
            self._count += 1
            arrives = at + 0.01 + self._random.uniform(0, self.journey.late * INTERVAL)
            self._under_way.append((arrives, self._count, name, told))

    def _arrive(self, until: float) -> None:
        """Bring what arrives until a moment."""
        while due := min(
            (each for each in self._under_way if each[0] <= until), default=None, key=lambda each: each[:2]
        ):
            self._under_way.remove(due)
            moment, _, name, told = due
            self.now = max(self.now, moment)
            target, node = self._targets[name], next(node for node in self.nodes if node.name == name)
            if isinstance(told, Observation):
                if wanted := self.health.gathered(target, told):
                    self._answer(name, node.blocks(wanted, self.now))
            elif isinstance(told, list):
                self.health.told(target, told)

    def _answer(self, name: str, blocks: list[Block]) -> None:
        chance = self._random
        if chance.random() < self.journey.lost:
            if chance.random() < 0.5:
                self.health.unanswered(self._targets[name])
            return
        if chance.random() < self.journey.cut:
            blocks = chance.sample(blocks, chance.randint(0, len(blocks)))
        self._send(self.now, name, blocks)


def _digits(*about: object) -> str:
    return hashlib.sha256("/".join(map(str, about)).encode()).hexdigest()
