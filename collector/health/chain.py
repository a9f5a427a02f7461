"""The health of one chain: takes what its nodes tell, one gather after another, and says how the chain is.

The parts compute figures, each of its own kind; here they are fed and asked. Only nodes that are up and of this
network take part in a comparison.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from collector.health.assessment import Assessment, Making, NodeHealth, PeerGraph, Severity, State
from collector.health.blocks import Blocks, Lag
from collector.health.gathers import note_gather
from collector.health.judging import Judge
from collector.health.making import Makers, Throughput
from collector.health.node import Node, Place
from collector.health.nodes import Answering, Arrivals, ChainClock, Networks, NodeClocks, Peers, versions
from collector.health.progress import Progress
from collector.health.sentences import sentence
from collector.health.thresholds import Thresholds
from collector.health.told import Told, trails
from collector.observations import Block, Observation

NODEOS_PERIOD = 0.5
"""Seconds between two blocks of EOSIO and Antelope, compiled in."""

RECENT = 2_048
"""Blocks of which makers and traffic are told."""

FEWEST_GAPS, MOST_GAPS = 16, 65
"""Gaps between blocks from which the period of a chain is taken, where nobody tells it."""

MOST_NODES = 5_000
"""Nodes of one chain that are remembered; more are left out of comparisons."""


class PushedNode(NamedTuple):
    """A node that pushes, or did: where it is, and what it told; None once it is gone."""

    place: Place
    observation: Observation | None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of a chain. `block_period` is in seconds, 0 where it says nothing.

    `shared`: other collectors ask other nodes of it, so that a peer that is none of these may be one of those.
    """

    name: str
    kind: str
    interval: float = 10.0
    block_period: float = 0.0
    thresholds: Thresholds = field(default_factory=Thresholds)
    shared: bool = False


class ChainHealth:
    """What is known of one chain. Moments are seconds since the epoch, all by one clock."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._nodes: dict[str, Node] = {}
        self.begin_anew()

    def begin_anew(self) -> None:
        """Know nothing but which nodes are asked: moments from now on can't be compared with those until now."""
        self._nodes = {name: Node(node.place) for name, node in self._nodes.items() if node.polled}
        self._networks = Networks()
        self._answering = Answering()
        self._clocks = NodeClocks()
        self._connections = Peers()
        self._begin()

    # What nodes tell

    def follow(self, places: Iterable[Place]) -> None:
        """Ask these nodes from now on; forget others that were asked until now."""
        wanted = {place.name: place for place in list(places)[:MOST_NODES]}
        for name in [name for name, node in self._nodes.items() if node.polled and name not in wanted]:
            self._drop(name)
        for name, place in wanted.items():
            node = self._nodes.get(name)
            if node is None:
                self._nodes[name] = Node(place)
            else:
                node.place, node.polled, node.forgettable = place, True, False

    def gathered(self, name: str, observation: Observation) -> Sequence[int]:
        """Take what a gather told, and return the numbers of the blocks that this node is to be asked for now."""
        node = self._nodes.get(name)
        if node is None:
            return ()
        self._answering.took(name, observation.took, observation.at)
        node.asked = True
        if observation.at >= node.told:
            self._take(node, observation)
        return self.wanted(name, observation.at)

    def failed(self, name: str, kind: str, at: float) -> None:
        """Take note that a gather failed."""
        node = self._nodes.get(name)
        if node is None:
            return
        self._answering.failed(name, kind, at)
        node.asked = True
        if at >= node.told:
            node.told = at
            node.lags.append(None)
            node.observation = None

    def told(self, name: str, blocks: Sequence[Block]) -> None:
        """Take the blocks that a node was asked for."""
        if name in self._nodes:
            self._blocks.told(name, blocks)

    def wanted(self, name: str, at: float) -> Sequence[int]:
        """Return the numbers of the blocks that a node is to be asked for at a moment."""
        node = self._nodes.get(name)
        if node is None or node.place.balances or self._networks.foreign(name):
            return ()
        return self._blocks.wanted(name, at)

    def unanswered(self, name: str) -> None:
        """Take note that a node did not tell the blocks that it was asked for."""
        self._blocks.unanswered(name)

    def pushed(self, nodes: Iterable[PushedNode]) -> None:
        """Take what all nodes that push told of themselves; of one that is asked as well, gathers say the rest."""
        known = set()
        for place, said in nodes:
            node = self._nodes.get(place.name)
            if node is None:
                if len(self._nodes) >= MOST_NODES:
                    continue
                node = self._nodes[place.name] = Node(place, polled=False)
            known.add(place.name)
            node.pushes = said is not None
            if said is not None and said.clock is not None:
                self._clocks.saw(place.name, said.clock, said.clock_within, said.at)
            if not node.polled:
                self._take_push(node, place, said)
        for name in [name for name, node in self._nodes.items() if not node.polled and name not in known]:
            self._drop(name)

    def pushed_block(self, name: str, block: Block, at: float | None) -> None:
        """Take a block that a node pushed, and when it had it; None where that isn't known."""
        if name in self._nodes and not self._networks.foreign(name):
            self._blocks.told(name, [block])
            if at is not None:
                self._arrivals.pushed(name, block, at)
                self._chain_clock.saw(name, block, at)

    # What is said of it

    def assess(self, now: float) -> Assessment:
        """Say how the chain is."""
        up = [node for node in self._nodes.values() if node.is_up(now) and not node.place.balances]
        network = self._networks.own
        self._networks.judge([node.place.name for node in up])
        if network.contradicts(self._networks.own):
            self._begin()
        members = {
            node.place.name: node.place.makes_blocks for node in up if not self._networks.foreign(node.place.name)
        }
        self._blocks.judge(members)
        told = self._told(members)
        recent = self._blocks.main.last(RECENT) if members else []
        tip = recent[0] if recent else None
        seen = told.seen(tip) if tip else None
        period = self._period(told, recent)
        making = self._making(told, recent, period, now)
        if tip:
            self._arrivals.judge(self._blocks.main.at, tip.number)
            self._progress.note(told.newest, tip, seen)
        graph, strangers = self._graph(members)
        own = self._networks.own
        limits = self.settings.thresholds
        before = Assessment(
            chain=self.settings.name,
            kind=self.settings.kind,
            at=now,
            interval=self.settings.interval,
            sentence="",
            genesis=own.genesis,
            chain_id=own.chain_id,
            network_id=own.network_id,
            period=period,
            head_number=tip.number if tip else None,
            head_hash=tip.hash if tip else "",
            head_time=tip.timestamp if tip else None,
            head_age=max(0.0, now - tip.timestamp) if tip else None,
            halted=self._progress.halted(period, making, limits) if told else None,
            branches=self._blocks.branches if members else (),
            making=making,
            finality=told.finality,
            traffic=self._throughput.assess(recent, seen) if members else None,
            peers=graph,
            versions=versions(each.version for each in told.newest),
            clock_skew=self._chain_clock.ahead(self._blocks.main.at, period),
            delay_p50=self._arrivals.chain()[0],
            delay_p95=self._arrivals.chain()[1],
            pool=told.pool,
        )
        nodes = [self._node(node, now, members, strangers) for node in self._nodes.values()]
        for said in nodes:
            reorganisations = self._blocks.reorganisations(said.node)
            note_gather(self._nodes[said.node], said, before, limits, reorganisations, alone=len(up) == 1)
        assessed = replace(before, nodes=nodes)
        findings = self._judge.findings(assessed, self._nodes, limits)
        worst: Severity | None = findings[0].severity if findings else None
        assessed = replace(assessed, findings=findings, severity=worst)
        return replace(assessed, sentence=sentence(assessed))

    def _begin(self) -> None:
        """Know nothing of the chain: what was taken for it was another network."""
        self._blocks = Blocks()
        self._makers = Makers()
        self._throughput = Throughput()
        self._chain_clock = ChainClock()
        self._arrivals = Arrivals()
        self._judge = Judge()
        self._progress = Progress()

    def _told(self, members: Iterable[str]) -> Told:
        """Return what these nodes said last, but for those that are known to be on another branch."""
        places = {
            name: (observation, self._blocks.branch_of(name))
            for name in members
            if (observation := self._nodes[name].observation) is not None
        }
        return Told(
            [observation for observation, branch in places.values() if not branch],
            [observation for observation, branch in places.values() if branch == 0],
        )

    def _making(self, told: Told, recent: Sequence[Block], period: float | None, now: float) -> Making | None:
        """Count the blocks that have come to lie deep, and return who makes the blocks."""
        settled = self._blocks.settled()
        self._makers.settled(settled, signers=told.signers, schedule=told.schedule, period=period)
        self._throughput.settled(settled)
        if not told:
            return None
        return self._makers.assess(
            recent,
            now,
            signers=told.signers,
            schedule=told.schedule,
            finalizers=told.finalizers,
            period=period,
            seen=told.seen(recent[0], live=True) if recent else None,
            limits=self.settings.thresholds,
        )

    def _take(self, node: Node, observation: Observation) -> None:
        name = node.place.name
        node.observation, node.told = observation, observation.at
        self._networks.saw(name, observation.network, makes_blocks=node.place.makes_blocks)
        if observation.clock is not None:
            self._clocks.saw(name, observation.clock, observation.clock_within, observation.at)
        if observation.head is None or node.place.balances or self._networks.foreign(name):
            return
        self._blocks.saw(name, observation.head, observation.at, observation.took)
        by = observation.at + observation.took
        self._chain_clock.saw(name, observation.head, by)
        if self.settings.kind == "nodeos":  # what a gather tells of propagation needs blocks that come often
            self._arrivals.asked(name, observation.head, observation.at, by)

    def _take_push(self, node: Node, place: Place, said: Observation | None) -> None:
        node.place, node.asked, node.forgettable = place, True, said is None
        if said is None:
            node.observation = None
        elif node.observation is None or said.at > node.observation.at:
            self._take(node, said)

    def _drop(self, name: str) -> None:
        del self._nodes[name]
        self._blocks.forget(name)
        self._networks.forget(name)
        self._answering.forget(name)
        self._clocks.forget(name)
        self._arrivals.forget(name)

    def _period(self, told: Told, recent: Sequence[Block]) -> float | None:
        """Return the time between blocks: as configured, as a node says, as compiled in, or as it has been of late."""
        if self.settings.block_period:
            return self.settings.block_period
        if told.period is not None:
            return told.period
        if self.settings.kind == "nodeos":
            return NODEOS_PERIOD
        gaps = sorted(later.timestamp - earlier.timestamp for later, earlier in pairwise(recent[:MOST_GAPS]))
        median = gaps[len(gaps) // 2] if len(gaps) >= FEWEST_GAPS else 0.0
        return median if median > 0 else None

    def _graph(self, members: Collection[str]) -> tuple[PeerGraph | None, Mapping[str, int | None]]:
        told = {name: observation for name in members if (observation := self._nodes[name].observation) is not None}
        if not told:
            return None, {}
        hosts = {name: node.place.host for name, node in self._nodes.items() if not node.place.balances}
        graph, strangers = self._connections.judge(told, hosts)
        return (replace(graph, complete=False), {}) if self.settings.shared else (graph, strangers)

    def _lag(self, name: str, said: Observation) -> Lag | None:
        """Return how far a node is behind; in irreversible mode its head is to trail, and what it knows of counts."""
        lag = self._blocks.lag(name)
        if lag is None or said.head is None or not trails(said):
            return lag
        known = min(lag.blocks, (said.best_known or 0) - said.head.number)
        block = self._blocks.main.at(said.head.number + known)
        late = max(0.0, lag.seconds - (block.timestamp - said.head.timestamp)) if block else lag.seconds
        return Lag(lag.blocks - known, late if lag.blocks > known else 0.0)

    def _node(
        self, node: Node, now: float, members: Mapping[str, bool], strangers: Mapping[str, int | None]
    ) -> NodeHealth:
        place, name, said = node.place, node.place.name, node.observation
        up = node.is_up(now)
        state = State.UP if up else State.DOWN if node.asked else State.UNKNOWN
        answers = node.answers = self._answering.of(name)
        node.differs = self._networks.differs(name)
        base = NodeHealth(
            node=name,
            role=place.role,
            address=place.address,
            state=state,
            pushes=node.pushes,
            forgettable=node.forgettable,
            latency=answers.latency,
            latency_p95=answers.latency_p95,
            failed_share=answers.failed_share,
            failures=answers.failures,
            last_answer=answers.last_answer,
            lags=tuple(node.lags),
        )
        if not up or said is None:
            return base
        head = said.head
        lag = self._lag(name, said) if name in members else None
        if place.balances and head is not None:
            lag = self._blocks.lag_of(head, said.at)
        reorganisations = self._blocks.reorganisations(name)
        delays = self._arrivals.of(name)
        return replace(
            base,
            version=said.version,
            foreign=self._networks.foreign(name),
            branch=self._blocks.branch_of(name) if name in members else None,
            head_number=head.number if head else None,
            head_hash=head.hash if head else "",
            head_time=head.timestamp if head else None,
            head_age=max(0.0, now - head.timestamp) if head else None,
            lag_blocks=lag.blocks if lag else None,
            lag_seconds=lag.seconds if lag else None,
            finalized=said.finalized,
            syncing=said.syncing,
            paused=said.paused,
            peers=said.peer_count,
            strangers=strangers.get(name),
            pool=said.pool,
            delay_p50=delays[0],
            delay_p95=delays[1],
            clock_skew=self._clocks.of(name),
            reorganisations=reorganisations.count,
            deepest_reorganisation=reorganisations.deepest,
            last_answer=max(said.at, answers.last_answer or 0.0),
        )
