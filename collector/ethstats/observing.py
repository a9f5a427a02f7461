"""What the nodes of a chain push, as health takes it: an observation of each node, and every block as it comes."""

from __future__ import annotations

from collections.abc import Iterator

from collector.ethstats.chain import PushedChain, State
from collector.ethstats.messages import Block as PushedBlock
from collector.ethstats.nodes import Link, Node
from collector.ethstats.readings import digits
from collector.ethstats.sealers import IN_TURN, NOBODY
from collector.health.chain import PushedNode
from collector.health.node import Place
from collector.observations import Block, Network, Observation

_SILENT_FOR = 20.0
"""Seconds after which a node that pushes has reported anew: geth does so every 15 s. Stands for an interval."""

_CLOCK_WITHIN = 0.5
"""Seconds: the clock stands in pings to the nanosecond, but their way may be an uneven one."""


class Pushing:
    """The nodes of one chain that push."""

    def __init__(self, chain: PushedChain) -> None:
        self._chain = chain

    def nodes(self) -> Iterator[PushedNode]:
        """Yield them all, those that are gone included for as long as they are remembered."""
        for node in self._chain.nodes():
            link, state = self._chain.speaker(node)
            place = Place(
                name=node.name,
                role=link.group.role if link else "",
                address=link.address if link else "",
                interval=_SILENT_FOR,
                timeout=self._chain.limits.gone_after,
            )
            yield PushedNode(place, self._observation(node, link) if link and state is not State.GONE else None)

    def forget(self, name: str) -> bool:
        """Forget one that is gone; False where it is not known, or not gone."""
        return self._chain.forget(name)

    def _observation(self, node: Node, link: Link) -> Observation:
        return Observation(
            at=self._chain.wall() - (self._chain.now() - link.heard),
            took=2 * (link.latency or 0.0),
            head=block_of(link, link.head) if link.head else None,
            network=Network(network_id=digits(link.hello.info.network)),
            version=link.version,
            peer_count=None if link.peers is None else int(link.peers),
            syncing=link.syncing,
            pool=None if link.pending is None else int(link.pending),
            clock=link.skew,
            clock_within=_CLOCK_WITHIN,
            started=node.process and link.started_at,
        )


def block_of(link: Link, block: PushedBlock) -> Block | None:
    """Return a block that a node told of, None if it left out its time. Under Clique its miner is the sealer."""
    if block.timestamp is None:
        return None
    clique = block.difficulty in (1, IN_TURN)
    return Block(
        number=block.number,
        hash=block.hash,
        timestamp=float(block.timestamp),
        parent=block.parent_hash or "",
        maker="" if block.miner in (None, NOBODY) else str(block.miner),
        in_turn=block.difficulty == IN_TURN if clique else None,
        transactions=None if link.says_little or block.transactions is None else int(block.transactions),
        gas_used=None if block.gas_used is None else int(block.gas_used),
        gas_limit=None if block.gas_limit is None else int(block.gas_limit),
    )
