"""Observations: what one gather tells of a node beyond its readings, for those who compare nodes.

A source that can tell makes an `Observation` beside its readings; of any other source one is made from the curated
readings. Nothing here is of one kind of chain: what a kind does not have is None, and so is what a node did not say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Block:
    """One block as a node told of it. Two of the same `hash` are the same block, one may tell more than the other.

    `parent` is empty where only a head's hash was told. `timestamp` is in seconds since the epoch. `maker` is who made
    it: the sealer's address, recovered from the seal, or the producer's account; empty where unknown, and for genesis.
    `in_turn` is Clique's. Of its content: transactions, gas (Ethereum), CPU time and network bandwidth (nodeos).
    """

    number: int
    hash: str
    timestamp: float
    parent: str = ""
    maker: str = ""
    in_turn: bool | None = None
    difficulty: int | None = None
    transactions: int | None = None
    gas_used: int | None = None
    gas_limit: int | None = None
    cpu_seconds: float | None = None
    net_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """What tells one network from another; "" where a node did not say.

    `genesis` is the hash of the genesis block (nodeos: the chain id, which is the genesis' hash); `chain_id` and
    `network_id` are decimal digits, and geth's alone.
    """

    genesis: str = ""
    chain_id: str = ""
    network_id: str = ""

    def contradicts(self, other: Network) -> bool:
        """Tell whether both say something of which they disagree."""
        pairs = (
            (self.genesis, other.genesis),
            (self.chain_id, other.chain_id),
            (self.network_id, other.network_id),
        )
        return any(mine and theirs and mine != theirs for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Peer:
    """One connection that a node tells of.

    `id` is the peer's own identity (geth: the key in its enode URL; nodeos: the node id of its handshake), `name` what
    it calls itself (geth: the name within its client version; nodeos: its agent name), `address` the host and port
    where it listens or, if that isn't told, where the connection comes from. Empty where unknown.
    """

    id: str = ""
    name: str = ""
    address: str = ""
    inbound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a node said of itself at one moment.

    `at` is when it was asked, in seconds since the epoch by the collector's clock: of no block made after it can be
    said that the node lacks it. `took` is how many seconds the answer to the first request took.

    `finalized` is the last irreversible block's number. `best_known` is the best block that the node knows of,
    applied or not (nodeos in irreversible mode: the live head). `signers` are Clique's, ascending; `schedule` are the
    producers in the order of their turns; `finalizers` is how many there are where Savanna decides. `paused`: it is
    kept from producing. `period` is Clique's, as the node's genesis has it: 0 is "only when there are transactions".
    `peer_count` is known more often than `peers`. `identity` is the node's own, as its peers' `Peer.id` has it.
    `clock` is how many seconds its clock is ahead of the collector's, known to within `clock_within` seconds.
    `started` is when its process began.
    """

    at: float
    took: float = 0.0
    head: Block | None = None
    finalized: int | None = None
    finalized_at: float | None = None
    best_known: int | None = None
    network: Network = Network()
    version: str = ""
    identity: str = ""
    peer_count: int | None = None
    peers: Sequence[Peer] | None = None
    signers: Sequence[str] | None = None
    schedule: Sequence[str] | None = None
    finalizers: int | None = None
    paused: bool | None = None
    syncing: bool | None = None
    period: float | None = None
    pool: int | None = None
    clock: float | None = None
    clock_within: float = 1.0
    started: float | None = None


@runtime_checkable
class Comparable(Protocol):
    """A source that tells of its node what comparisons need. See `collector.sources.Source`."""

    observation: Observation | None
    """Of the last gather; None if that failed."""

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Return these blocks of the node's own chain, those that it has and that came in time, in any order.

        To be called after a gather that succeeded, within its deadline. Raises Failure; what came until then is lost.
        """
