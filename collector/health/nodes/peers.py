"""Who is connected to whom, put together from what each node tells of its own connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from collector.health.assessment import PeerGraph
from collector.observations import Observation, Peer

MOST_PEERS = 1_000
"""Connections of one node that are looked at: a node has tens."""


class _Told(NamedTuple):
    """What one node tells: which nodes it is connected to, how many others, and whether those can be strangers only."""

    matched: frozenset[str]
    others: int
    conclusive: bool


@dataclass
class _Known:
    """All by which a peer can be recognised as one of the nodes."""

    by_identity: dict[str, str] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    by_host: dict[str, str] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    numeric: bool | None = None
    """Whether all nodes are known by numeric addresses, or all by names; None: some so, some so, or it is not told."""


class Peers:
    """The connections of one chain's nodes.

    A peer is one of the nodes if its identity is that node's; else, unless their identities differ, if it has the
    node's name, or listens at the host where that node alone is asked. A connection that either side tells of is one.
    """

    def __init__(self) -> None:
        self._identities: dict[str, str] = {}
        self._known = _Known()
        self._hosts: dict[str, str] = {}
        self._told: dict[str, tuple[Sequence[Peer], _Told]] = {}
        self._judged: dict[str, _Told | None] = {}
        self._found: tuple[PeerGraph, Mapping[str, int | None]] = (PeerGraph((), (), complete=True), {})

    def judge(
        self, observations: Mapping[str, Observation], hosts: Mapping[str, str]
    ) -> tuple[PeerGraph, Mapping[str, int | None]]:
        """Return the graph of the nodes that are up, and how many strangers each of them is connected to.

        `observations` are of the nodes that are up, by name; `hosts` has all nodes that are watched, and where they are
        asked. A node that is down may be connected all the same, and connects others: it is in no part, but no
        stranger either. How many strangers there are is None where a peer may be a node that can't be recognised.
        """
        self._learn(observations, hosts)
        told = {node: self._of(node, seen) for node, seen in observations.items()}
        if told != self._judged:
            self._judged, self._found = told, _put_together(told)
        return self._found

    def _learn(self, observations: Mapping[str, Observation], hosts: Mapping[str, str]) -> None:
        """Take note of what nodes can be recognised by; what peers were matched with is done anew where it changed."""
        nodes = {**dict.fromkeys(observations, ""), **hosts}
        identities = {node: known for node, known in self._identities.items() if node in nodes}
        identities |= {node: seen.identity for node, seen in observations.items() if seen.identity}
        if nodes == self._hosts and identities == self._identities:
            self._told = {node: told for node, told in self._told.items() if node in observations}
            return
        self._hosts, self._identities, self._told = nodes, identities, {}
        shared = Counter(nodes.values())
        kinds = {_is_numeric(host) for host in nodes.values()}
        self._known = _Known(
            by_identity={identity: node for node, identity in sorted(identities.items(), reverse=True)},
            identities=identities,
            by_host={host: node for node, host in nodes.items() if host and shared[host] == 1},
            hosts=frozenset(nodes.values()),
            names=frozenset(nodes),
            numeric=kinds.pop() if len(kinds) == 1 and "" not in shared else None,
        )

    def _of(self, node: str, seen: Observation) -> _Told | None:
        """Return what a node tells of its connections; None where it doesn't."""
        if seen.peers is None:
            return _Told(frozenset(), 0, conclusive=True) if seen.peer_count == 0 else None
        kept = self._told.get(node)
        if kept is None or kept[0] is not seen.peers:
            kept = self._told[node] = (seen.peers, self._matched(node, seen.peers))
        return kept[1]

    def _matched(self, node: str, peers: Sequence[Peer]) -> _Told:
        matched: set[str] = set()
        others: dict[tuple[str, str], bool] = {}
        for peer in peers[:MOST_PEERS]:
            host = _host(peer.address)
            found = self._node_of(peer, host)
            if found is None:
                others[peer.id or peer.name, "" if peer.id else peer.address] = self._is_stranger(peer, host)
            elif found != node:
                matched.add(found)
        return _Told(frozenset(matched), len(others), all(others.values()))

    def _node_of(self, peer: Peer, host: str) -> str | None:
        known = self._known
        if peer.id and (found := known.by_identity.get(peer.id)) is not None:
            return found
        for found in (peer.name if peer.name in known.names else None, known.by_host.get(host)):
            if found is not None and not (peer.id and known.identities.get(found)):
                return found
        return None

    def _is_stranger(self, peer: Peer, host: str) -> bool:
        """Tell whether a peer that matches no node can be none of them."""
        known = self._known
        if peer.id and len(known.identities) == len(known.names):
            return True
        numeric = _is_numeric(host)
        return numeric is not None and numeric == known.numeric and host not in known.hosts


def _put_together(told: Mapping[str, _Told | None]) -> tuple[PeerGraph, dict[str, int | None]]:
    """Return the graph and the strangers, from what each node tells."""
    said = {(node, peer) for node, each in told.items() if each for peer in each.matched}
    # Who is connected to a node that does not recognise it is one of those that the node can't place.
    unplaced = Counter(peer for node, peer in said if (peer, node) not in said)
    strangers: dict[str, int | None] = dict.fromkeys(told)
    for node, each in told.items():
        if each:
            others = max(0, each.others - unplaced[node])
            strangers[node] = others if each.conclusive or not others else None
    edges = sorted({(min(pair), max(pair)) for pair in said})
    graph = PeerGraph(
        edges=edges,
        parts=_parts(edges, told),
        complete=all(count == 0 for count in strangers.values()),
    )
    return graph, strangers


def _parts(edges: Sequence[tuple[str, str]], up: Iterable[str]) -> list[list[str]]:
    """Return the nodes that are up, those together that reach each other, the largest part first."""
    above: dict[str, str] = {}

    def top(node: str) -> str:
        while (higher := above.get(node, node)) != node:
            above[node] = above.get(higher, higher)
            node = higher
        return node

    for one, other in edges:
        above[top(one)] = top(other)
    parts: dict[str, list[str]] = {}
    for node in sorted(up):
        parts.setdefault(top(node), []).append(node)
    return sorted(parts.values(), key=lambda part: (-len(part), part))


def _host(address: str) -> str:
    """Return the host of `host:port`, `[host]:port` or a host alone, "" where it can't be told."""
    try:
        return urlsplit(f"//{address}").hostname or ""
    except ValueError:
        return ""


def _is_numeric(host: str) -> bool | None:
    """Tell whether a host is a numeric address, or a name; None where it is neither, or of this very machine."""
    if not host or host == "localhost":
        return None
    try:
        return None if ip_address(host).is_loopback or ip_address(host).is_unspecified else True
    except ValueError:
        return False
