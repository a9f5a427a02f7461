"""Chains as networks make them: blocks take their time to get about, makers meet, and the collector is somewhere else.

Clique by the rules of go-ethereum's consensus/clique: who is in turn seals when a block is due, all others up to half a
second per signer later if they have not heard of it by then. So two blocks of one height happen every few blocks, and
nodes exchange one. DPoS by those of nodeos: a producer begins with what it has heard of, so that now and then the last
block of a turn gets lost at the handover.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from collector.health.assessment import Assessment, Finding
from collector.health.chain import Settings
from collector.health.health import Health
from collector.observations import Block, Network, Observation, Peer
from collector.targets import Target

CHAIN = "lab"
BALANCER = "balancer"
TIMEOUT = 5.0
START = 1_800_000_000.0
EPOCH = 946_684_800
TURN = 12
SLOT = 0.5
WIGGLE = 0.5
EARLY = 0.25
"""Seconds before its time at which a producer is done with a block, and goes by what it has heard."""

TAIL = 0.05
"""Share of the blocks that take three times as long on their way to a node."""

CHECKED = 64
"""Blocks that a node tells of at once, at most."""


@dataclass(eq=False)
class Made:
    """A block, the one beneath it, and what it weighs with all beneath."""

    block: Block
    parent: Made | None
    weight: int

    @property
    def number(self) -> int:
        """Its height."""
        return self.block.number


@dataclass
class Life:
    """How a chain lives. `orders`: from which block on which makers take turns. `away` tells when one makes nothing."""

    kind: str = "ethereum"
    orders: Sequence[tuple[int, Sequence[str]]] = ()
    others: int = 2
    period: float = 5.0
    latency: tuple[float, float] = (0.02, 0.3)
    seed: int = 1
    start: float = START
    lasts: float = 600.0
    away: Callable[[str, float], bool] = lambda _maker, _at: False

    def order(self, number: int) -> Sequence[str]:
        """Return whose turns a block is of."""
        return next(names for first, names in reversed(self.orders) if number >= first)


class Lived:
    """All that happened on a network, worked out beforehand: which node had which head when."""

    def __init__(self, life: Life, genesis: str = "genesis") -> None:
        self.life = life
        self.genesis = _digits(genesis)
        self._random = random.Random(life.seed)
        makers = dict.fromkeys(name for _, names in life.orders for name in names)
        self.nodes = [*makers, *(f"other-{i}" for i in range(life.others))]
        root = Made(Block(0, self.genesis, life.start - 1.0), None, 0)
        self._arrived: dict[str, dict[Made, float]] = {node: {root: life.start - 1.0} for node in self.nodes}
        self.heads: dict[str, list[tuple[float, Made]]] = {node: [(life.start - 1.0, root)] for node in self.nodes}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        if life.kind == "nodeos":
            self._at(life.start, lambda: self._slot(int((life.start - EPOCH) / SLOT) + 1))
        else:
            for node in self.nodes:
                self._prepare(node, life.start)
        while self._events and self._events[0][0] <= life.start + life.lasts:
            self.now, _, event = heapq.heappop(self._events)
            event()

    def head(self, node: str, at: float) -> Made:
        """Return the head that a node had at a moment."""
        heads = self.heads[node]
        return heads[max(0, bisect_right(heads, at, key=lambda each: each[0]) - 1)][1]

    def blocks(self, node: str, numbers: Iterable[int], at: float) -> list[Block]:
        """Return those of these blocks that a node had as its chain at a moment."""
        wanted, found = set(numbers), []
        made: Made | None = self.head(node, at)
        while made is not None and wanted and made.number >= min(wanted):
            if made.number in wanted and made.parent is not None:
                found.append(made.block)
            made = made.parent
        return found[:CHECKED]

    def _at(self, at: float, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, self._count, event))

    def _make(self, maker: str, parent: Made, timestamp: float, *, weight: int, at: float) -> None:
        clique = self.life.kind != "nodeos"
        number = parent.number + 1
        block = Block(
            number,
            _digits(parent.block.hash, maker, timestamp),
            timestamp,
            parent=parent.block.hash,
            maker=maker,
            in_turn=weight == 2 if clique else None,
            difficulty=weight if clique else None,
            transactions=number % 3,
        )
        made = Made(block, parent, parent.weight + weight)
        for node in self.nodes:
            way = 0.0 if node == maker else self._random.uniform(*self.life.latency)
            if self._random.random() < TAIL:
                way *= 3.0
            arrives = max(at + way, self._arrived[node].get(parent, at) + 0.001)
            self._arrived[node][made] = arrives
            self._at(arrives, lambda node=node: self._take(node, made))  # type: ignore[misc]

    def _take(self, node: str, made: Made) -> None:
        if made.weight <= self.heads[node][-1][1].weight:
            return
        self.heads[node].append((self.now, made))
        if self.life.kind != "nodeos":
            self._prepare(node, self.now)

    def _prepare(self, node: str, at: float) -> None:
        """Let a signer set about sealing on its head."""
        parent = self.heads[node][-1][1]
        order = self.life.order(parent.number + 1)
        recent, back = [], parent
        for _ in range(len(order) // 2):
            recent.append(back.block.maker)
            back = back.parent or back
        if node not in order or node in recent or self.life.away(node, at):
            return
        due = max(parent.block.timestamp + self.life.period, float(int(at)))
        in_turn = order[(parent.number + 1) % len(order)] == node
        late = 0.0 if in_turn else self._random.uniform(0.0, (len(order) // 2 + 1) * WIGGLE)

        def seal() -> None:
            if self.heads[node][-1][1] is parent:
                self._make(node, parent, due, weight=1 + in_turn, at=self.now)

        self._at(max(at, due) + late, seal)

    def _slot(self, slot: int) -> None:
        """Let the producer of a slot set about its block, half a slot before its time."""
        moment = EPOCH + slot * SLOT
        self._at(moment + SLOT - EARLY, lambda: self._slot(slot + 1))
        order = self.life.order(max(head[-1][1].number for head in self.heads.values()) + 1)
        maker = order[slot // TURN % len(order)]
        parent = self.heads[maker][-1][1]
        if not self.life.away(maker, moment) and parent.block.timestamp < moment:
            self._make(maker, parent, moment, weight=1, at=moment - EARLY)


@dataclass
class Asked:
    """How the collector asks. Times are seconds; `clock` is by how much its clock is ahead, as time goes by."""

    interval: float = 10.0
    jitter: float = 0.0
    took: tuple[float, float] = (0.01, 3.0)
    lost: float = 0.05
    seed: int = 1
    bursts: int = 4
    asleep: tuple[float, float] = (0.0, 0.0)
    """Seconds from the start between which the collector's machine is suspended."""
    clock: Callable[[float], float] = lambda _at: 0.0
    watched: Sequence[str] = ()
    balancer: str = ""
    """The node that a load balancer beside them stands before."""
    tell: Callable[[str, float, Observation], Observation] = lambda _node, _at, observation: observation
    """What a node says otherwise than in general."""


@dataclass
class Collector:
    """The collector: it asks each node at its tick, and blocks at once after that, as `collector.watch` does."""

    network: Lived
    asked: Asked
    now: float = START
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        life, asked = self.network.life, self.asked
        self._random = random.Random(asked.seed)
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.health = Health(wall=lambda: self.now + asked.clock(self.now - START), steady=lambda: self.now)
        self.health.apply([Settings(CHAIN, life.kind, interval=asked.interval)])
        makers = {name for _, names in life.orders for name in names}
        role, other = ("producer", "worker") if life.kind == "nodeos" else ("sealer", "client")
        roles = {name: role if name in makers else other for name in asked.watched or self.network.nodes}
        if asked.balancer:
            roles[BALANCER] = "balancer"
        self._targets = {
            name: Target(
                CHAIN, life.kind, name, f"http://{name}:1", role=role, interval=asked.interval, timeout=TIMEOUT
            )
            for name, role in roles.items()
        }
        self.health.follow(list(self._targets.values()))

    def assessments(self, begin: float = 0.0) -> Iterator[Assessment]:
        """Yield what health says, three times in each interval, for a collector that begins after so many seconds."""
        asked = self.asked
        self.now = at = START + begin
        for name in self._targets:
            self._tick(name, at + random.Random(f"{asked.seed}/{name}").uniform(0, asked.jitter))
        while at < self.network.life.start + self.network.life.lasts:
            at += asked.interval / 3
            if asked.asleep[0] <= at - START < asked.asleep[1]:
                at = START + asked.asleep[1]
                self.now = at
            while self._events and self._events[0][0] <= at:
                moment, _, event = heapq.heappop(self._events)
                self.now = max(self.now, moment)
                event()
            self.now = at
            yield from self.health.assess()

    def findings(self, begin: float = 0.0) -> list[Finding]:
        """Return each finding that there ever was, as it was first told, once."""
        found: dict[tuple[str, str], Finding] = {}
        for assessment in self.assessments(begin):
            for finding in assessment.findings:
                found.setdefault((finding.signal, finding.subject), finding)
        return list(found.values())

    def _at(self, at: float, event: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (at, self._count, event))

    def _tick(self, name: str, due: float) -> None:
        self._at(due + self._random.uniform(0.0, 0.05), lambda: self._gather(name, due))

    def _gather(self, name: str, due: float) -> None:
        begun, at = self.now, self.health.wall()
        target = self._targets[name]
        took = self._random.uniform(*self.asked.took)

        def failed() -> None:
            self.health.failed(target, "timeout")
            self._end(name, due)

        if self._random.random() < self.asked.lost:
            self._at(begun + TIMEOUT, failed)
            return
        told = self._random.uniform(begun, begun + took)

        def answered() -> None:
            observation = self.asked.tell(name, told, self._observation(name, at, took, told))
            wanted = self.health.gathered(target, observation)
            self._blocks(name, wanted, due, begun + 0.9 * TIMEOUT, self.asked.bursts)

        self._at(begun + took, answered)

    def _blocks(self, name: str, wanted: Sequence[int], due: float, until: float, bursts: int) -> None:
        took, target = self._random.uniform(*self.asked.took) / 2, self._targets[name]
        if not wanted:
            self._end(name, due)
            return

        def told() -> None:
            blocks = self.network.blocks(self._stands_for(name), wanted, self.now)
            self.health.told(target, blocks)
            more = bursts > 1 and len(blocks) == len(wanted)
            self._blocks(name, self.health.wanted(target) if more else (), due, until, bursts - 1)

        def unanswered() -> None:
            self.health.unanswered(target)
            self._end(name, due)

        late = self.now + took > until
        self._at(until if late else self.now + took, unanswered if late else told)

    def _end(self, name: str, due: float) -> None:
        """Let a node be asked again at its next tick: never while it is being asked."""
        while due <= self.now:
            due += self.asked.interval
        self._tick(name, due)

    def _stands_for(self, name: str) -> str:
        return self.asked.balancer if name == BALANCER else name

    def _observation(self, name: str, at: float, took: float, told: float) -> Observation:
        name = self._stands_for(name)
        head, life = self.network.head(name, told), self.network.life
        order, block, dpos = life.order(head.number), head.block, life.kind == "nodeos"
        lib = 24 * (2 * len(order) // 3) if len(order) > 1 else 1
        others = [other for other in self.network.nodes if other != name]
        return Observation(
            at=at,
            took=took,
            head=Block(block.number, block.hash, block.timestamp, maker=block.maker) if dpos else block,
            finalized=max(0, head.number - lib) if dpos else None,
            network=Network(self.network.genesis, "" if dpos else "1337", "" if dpos else "18"),
            version="v4.0.6" if dpos else "Geth/v1.13.15",
            identity=name,
            peer_count=len(others),
            peers=[Peer(id=other, name=other) for other in others],
            signers=None if dpos else order,
            schedule=order if dpos else None,
            period=None if dpos else life.period,
            paused=False if dpos else None,
            pool=0,
        )


def names(kind: str, count: int) -> list[str]:
    """Return the names of makers: accounts, or addresses in their order."""
    if kind == "nodeos":
        return [f"prod{chr(97 + i)}" for i in range(count)]
    return sorted("0x" + _digits("signer", i)[:40] for i in range(count))


def _digits(*about: object) -> str:
    return hashlib.sha256("/".join(map(str, about)).encode()).hexdigest()
