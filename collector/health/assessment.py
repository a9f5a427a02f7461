"""What health says of a chain at one moment: the one document from which metrics, page, API and terminal are made.

None is "unknown": the readings do not carry it, or a node that would have told is down. It is never a 0 in disguise.
Moments are seconds since the epoch, durations seconds, shares 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is: `CRITICAL` wakes somebody, `WARNING` is for the day, `INFO` is worth knowing."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class State(StrEnum):
    """Where a node stands."""

    UP = "up"
    DOWN = "down"
    """It was asked and did not answer, or it pushes and is gone."""
    UNKNOWN = "unknown"
    """Not asked yet."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A signal that has moved. `subject` is the node or maker that it is about, "" for the chain as a whole."""

    signal: str
    severity: Severity
    subject: str
    text: str
    """One sentence: what is wrong, by how much, and what that means."""
    since: float
    value: float | None = None
    """What was compared, in the unit of the signal."""


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """One node. `branch` is the place of its branch in `Assessment.branches`, 0 the chain itself."""

    node: str
    role: str
    address: str
    state: State
    pushes: bool = False
    """Whether it pushes its stats (ethstats) at present."""
    forgettable: bool = False
    version: str = ""
    foreign: bool | None = None
    """Whether it is on another network."""
    branch: int | None = None
    head_number: int | None = None
    head_hash: str = ""
    head_time: float | None = None
    head_age: float | None = None
    lag_blocks: int | None = None
    lag_seconds: float | None = None
    finalized: int | None = None
    syncing: bool | None = None
    paused: bool | None = None
    peers: int | None = None
    strangers: int | None = None
    """Peers that are none of the nodes that are watched."""
    pool: int | None = None
    latency: float | None = None
    """Time that an answer took, the median of the last gathers."""
    latency_p95: float | None = None
    failed_share: float | None = None
    """Share of the last gathers that failed."""
    failures: Mapping[str, int] | None = None
    """Those of them, by kind (see `collector.failures`)."""
    delay_p50: float | None = None
    delay_p95: float | None = None
    """How long after the first sighting of a block the node had it."""
    clock_skew: float | None = None
    """How far its clock is ahead of the collector's."""
    reorganisations: int = 0
    """Times that it gave up blocks for others, since it is known."""
    deepest_reorganisation: int = 0
    last_answer: float | None = None
    lags: Sequence[int | None] = ()
    """Its lag in blocks at each of the last gathers, the oldest first, at most 60."""


@dataclass(frozen=True, slots=True)
class Branch:
    """Nodes that agree. Of one that is not the chain itself, `parted_at` is the last block in common.

    Where headers were not to be had so far down, `parted_at` is None and `depth` the least that it is.
    """

    nodes: Sequence[str]
    tip_number: int
    tip_hash: str
    tip_time: float
    parted_at: int | None = None
    depth: int = 0
    """Blocks of the branch since it parted."""


@dataclass(frozen=True, slots=True)
class Round:
    """A producer's turn: blocks it made of those it had to. Of Clique: 1 of 1 if the signer in turn sealed."""

    made: int
    due: int


@dataclass(frozen=True, slots=True)
class MakerHealth:
    """One sealer or producer. Counts are of blocks that lie a few blocks deep, since the collector began."""

    name: str
    scheduled: bool
    """Whether it is a signer, or in the active schedule."""
    active: bool | None = None
    """Whether it made one of the blocks of the last rounds (Clique: of the last 64)."""
    current: bool = False
    """Whether it made the head block."""
    last_block: int | None = None
    recent_blocks: int = 0
    """Blocks of the window `Making.window`."""
    empty_share: float | None = None
    in_turn_share: float | None = None
    rounds: Sequence[Round] = ()
    """Its last turns, the oldest first, at most 12."""
    next_turn: float | None = None
    """When its next turn begins."""
    blocks: int = 0
    empty_blocks: int = 0
    in_turn_blocks: int = 0
    missed_blocks: int = 0
    """DPoS: slots of its turns that hold no block, but for when the whole chain stood still; Clique: turns in which
    another sealed."""
    short_rounds: int = 0
    """DPoS: rounds in which it made blocks, but left out more than get lost at the handover to the next producer."""
    missed_rounds: int = 0
    """Rounds skipped whole: DPoS alone."""
    missed_rounds_in_a_row: int = 0
    """Up to now: 0 once it has made a block again."""
    doubles: int = 0
    """Times that it made more blocks in a row than a turn has."""


@dataclass(frozen=True, slots=True)
class Making:
    """Who makes the blocks. `kind` is "clique" or "dpos"; a chain of which neither is told has none of this."""

    kind: str
    makers: Sequence[MakerHealth]
    """In the order of their turns; those that are scheduled no more at the end."""
    window: int
    """Blocks that "recent" looks at."""
    scheduled: int
    active: int | None
    needed: int
    """How many it takes: Clique to seal at all, DPoS for finality."""
    margin: int | None
    """Active ones beyond those: at 0 one failure more halts the chain (DPoS: its finality)."""
    in_turn_share: float | None = None
    verdict: str = ""
    """In words: how many more may fail, and who is missing."""


@dataclass(frozen=True, slots=True)
class Finality:
    """The last irreversible block, and how far behind the head it may be by the rules of this network."""

    number: int
    lag: int
    kind: str
    """"dpos" or "savanna"."""
    expected_least: int | None = None
    expected_most: int | None = None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the blocks of the last `seconds` hold."""

    blocks: int
    seconds: float
    interval: float | None = None
    """Median time between two blocks."""
    interval_p95: float | None = None
    transactions_per_second: float | None = None
    peak_transactions_per_second: float | None = None
    """The highest in a second, or in the shortest time between two blocks, since the collector began."""
    empty_share: float | None = None
    gas_share: float | None = None
    """Gas used of the limit."""
    cpu_per_block: float | None = None
    net_bytes_per_block: float | None = None


@dataclass(frozen=True, slots=True)
class PeerGraph:
    """Who is connected to whom, as far as nodes tell. `complete`: each that is up told, and all can be matched."""

    edges: Sequence[tuple[str, str]]
    """Pairs of nodes, each in the order of names, each once."""
    parts: Sequence[Sequence[str]]
    """Nodes that reach each other, directly or not, the largest part first."""
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """One chain at one moment; `severity` is that of its worst finding, None in health."""

    chain: str
    kind: str
    at: float
    interval: float
    sentence: str
    severity: Severity | None = None
    genesis: str = ""
    chain_id: str = ""
    network_id: str = ""
    period: float | None = None
    """Time between blocks; 0: only when there are transactions."""
    head_number: int | None = None
    head_hash: str = ""
    head_time: float | None = None
    head_age: float | None = None
    halted: bool | None = None
    nodes: Sequence[NodeHealth] = ()
    branches: Sequence[Branch] = ()
    making: Making | None = None
    finality: Finality | None = None
    traffic: Traffic | None = None
    peers: PeerGraph | None = None
    versions: Mapping[str, int] | None = None
    """How many nodes run each version."""
    clock_skew: float | None = None
    """How far the chain's block times are ahead of the collector's clock, beyond what health explains."""
    delay_p50: float | None = None
    delay_p95: float | None = None
    """Of all blocks at all nodes: the time from the first sighting."""
    pool: int | None = None
    """Most transactions that wait in one node's pool."""
    findings: Sequence[Finding] = ()
    """The worst first."""
