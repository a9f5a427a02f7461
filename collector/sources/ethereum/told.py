"""What a geth tells of itself beyond metrics: its peers, and what does not change while it runs.

The readers raise what those of `methods` raise.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from collector.observations import Peer
from collector.remarks import excerpt
from collector.sources.ethereum.methods import block_hash, entries
from collector.sources.observing import LONGEST_NAME, MOST_PEERS

_KEY = 128
"""Digits of a node's public key."""

_ENODE = re.compile(rf"enode://([0-9a-f]{{{_KEY}}})(?:@([^?]*))?(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_LONGEST = 512  # characters
_VERSION_PARTS = 3
"""What stands behind the name in `Geth/n1/v1.13.15-stable/linux-amd64/go1.21.6`."""


def peers(document: Any) -> tuple[Peer, ...]:  # noqa: ANN401 - as above
    """Return the peers that admin_peers lists."""
    return tuple([_listed(peer) for peer in entries(document)[:MOST_PEERS]])


def _listed(peer: dict[str, Any]) -> Peer:
    network = peer["network"]
    # Cut before they are kept.
    enode, key, name = (peer.get(part, "")[:_LONGEST] for part in ("enode", "id", "name"))
    return _peer(enode, key, name, network.get("remoteAddress", "")[:_LONGEST], network["inbound"] is True)


@lru_cache(4 * MOST_PEERS)
def _peer(enode: str, key: str, name: str, remote: str, inbound: bool) -> Peer:
    """Return a peer; it is the same at every gather, and that of several nodes."""
    own, listens = _enode(enode)
    return Peer(
        id=own or excerpt(key, _KEY).lower(),
        name=excerpt("/".join(name.split("/")[1:-_VERSION_PARTS]), LONGEST_NAME),
        address=excerpt(listens or remote, LONGEST_NAME),
        inbound=inbound,
    )


def _enode(url: str) -> tuple[str, str]:
    """Return the key and the address of an enode URL, each "" where it is not there."""
    found = _ENODE.fullmatch(url) if len(url) <= _LONGEST else None
    return (found[1].lower(), found[2] or "") if found else ("", "")


@dataclass(frozen=True)
class Facts:
    """What does not change while a node runs; "" and None where it doesn't tell."""

    identity: str = ""
    genesis: str = ""
    period: float | None = None


def node_info(document: Any) -> Facts:  # noqa: ANN401 - as above
    """Return what admin_nodeInfo says; the period is that of a Clique chain alone."""
    eth = document["protocols"].get("eth") or {}  # a light client serves another protocol
    clique = (eth.get("config") or {}).get("clique") or {}
    period = clique.get("period")
    if period is not None and (type(period) not in (int, float) or not 0 <= period < math.inf):
        raise ValueError(f"no period: {period!r:.40}")
    genesis = eth.get("genesis")
    return Facts(
        identity=_enode(document.get("enode", ""))[0],
        genesis="" if genesis is None else block_hash(genesis),
        period=None if period is None else float(period),
    )


def genesis(document: Any) -> str:  # noqa: ANN401 - as above
    """Return the hash of block 0; "" from a node that has not even that."""
    return block_hash(document["hash"]) if document is not None else ""
