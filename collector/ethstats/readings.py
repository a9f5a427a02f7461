"""What is known of a chain's nodes as readings, made at every tick of the chain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.catalogue import CHAIN, ETHSTATS, ETHSTATS_SEALER, ETHSTATS_UNREADABLE, NODES
from collector.configuration.values import node_name
from collector.ethstats.chain import PushedChain, State
from collector.ethstats.nodes import Link, Node
from collector.readings import Reading, Value
from collector.shapes import Group, Shapes
from collector.targets import Target

_OWN = Group(ETHSTATS)
_UNREADABLE = Group(ETHSTATS_UNREADABLE)
_SEALER = Group(ETHSTATS_SEALER)
_CHAIN = Group(CHAIN)
_INFO = Group(metric for metric in NODES if metric.field == "info")


class PushedReadings:
    """Makes the readings of one chain; the names of each node are made when it is first read, and kept."""

    def __init__(self, chain: PushedChain) -> None:
        self._chain = chain
        self._shapes: dict[str, tuple[dict[str, str], Shapes]] = {}
        self._sealers = Shapes({"chain": chain.name})

    def readings(self, targets: Sequence[Target]) -> list[Reading]:
        """Return what is known now. `targets` are the servers of the chain that are polled, as they are now.

        A node that is polled has the labels that its target gives it, and none of the readings that a gather yields;
        one that only pushes has those readings too, as far as a push tells them.
        """
        polled = {target.name: target for target in targets}
        before, self._shapes = self._shapes, {}
        readings: list[Reading | None] = []
        for node in self._chain.nodes():
            target = polled.pop(node.name, None)
            link, state = self._chain.speaker(node)
            role = link.group.role if link else ""
            tags = target.tags if target else {**self._chain.labels, **self._tags(node.name, role)}
            shapes = self._shapes_of(node.name, tags, before)
            readings.append(_OWN.reading(shapes, self._own(node, link, state)))
            for kind, count in node.unreadable.items():
                readings.append(_UNREADABLE.reading(shapes, {"unreadable_total": count}, kind=kind))
            if target is None and link is not None and state is not State.GONE:
                readings.append(_CHAIN.reading(shapes, _of_chain(link)))
                told = {"version": link.version, "network_id": digits(link.hello.info.network)}
                readings.append(_INFO.reading(shapes, {"info": 1}, **told))
        for target in polled.values():
            if target.name != node_name(target.url):  # it was given a name, which a node may push under
                shapes = self._shapes_of(target.name, target.tags, before)
                readings.append(_OWN.reading(shapes, {"connected": 0}))
        self._sealers.begin()
        for address, sealer in self._chain.sealers.by_address.items():
            counted = {
                "blocks_total": sealer.blocks,
                "in_turn_blocks_total": sealer.in_turn,
                "last_block_number": sealer.last,
            }
            readings.append(_SEALER.reading(self._sealers, counted, sealer=address))
        return [reading for reading in readings if reading is not None]

    def _tags(self, node: str, role: str) -> dict[str, str]:
        return {"chain": self._chain.name, "node": node, "role": role}

    def _shapes_of(
        self, name: str, tags: dict[str, str], before: Mapping[str, tuple[dict[str, str], Shapes]]
    ) -> Shapes:
        known = before.get(name)
        shapes = known[1] if known and known[0] == tags else Shapes(tags)
        self._shapes[name] = (tags, shapes)
        shapes.begin()
        return shapes

    def _own(self, node: Node, link: Link | None, state: State) -> dict[str, Value | None]:
        values: dict[str, Value | None] = {
            "connected": int(state is not State.GONE),
            "stale": int(state is State.STALE),
            "identity_conflicts": self._chain.conflicts(node),
            "restarts_total": node.restarts,
            "arrivals_total": node.arrivals,
            "arrival_delay_seconds_total": node.arrival_seconds,
        }
        if link is not None and state is not State.GONE:
            values |= {
                "latency_seconds": link.latency,
                "peers": link.peers,
                "pending_transactions": link.pending,
                "gas_price_wei": link.gas_price,
                "clock_skew_seconds": link.skew,
                "process_start_time_seconds": link.started_at,
            }
            if link.head is not None:
                values |= {
                    "head_block_number": link.head.number,
                    "head_block_timestamp_seconds": link.head.timestamp,
                    "head_arrival_delay_seconds": link.head_delay,
                }
        return values


def _of_chain(link: Link) -> dict[str, Value | None]:
    values: dict[str, Value | None] = {
        "peers": link.peers,
        "syncing": None if link.syncing is None else int(link.syncing),
        "gas_price_wei": link.gas_price,
        "txpool_pending": link.pending,
    }
    if head := link.head:
        values |= {
            "head_block_number": head.number,
            "head_block_timestamp_seconds": head.timestamp,
            "head_block_hash": head.hash,
            "head_block_parent_hash": head.parent_hash,
            "head_block_difficulty": head.difficulty,
            "head_block_total_difficulty": head.total_difficulty,
            "head_block_gas_used": head.gas_used,
            "head_block_gas_limit": head.gas_limit,
            "head_block_transactions": None if link.says_little else head.transactions,
        }
    return values


def digits(network: str) -> str:
    """Return a network's number as it may stand in a label; "" for what is none."""
    return network if network.isascii() and network.isdigit() and len(network) <= 20 else ""  # noqa: PLR2004 - 64 bits
