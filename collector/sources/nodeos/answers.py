"""How the answers of nodeos become metrics of the catalogue.

A reader takes a decoded answer and returns values by the catalogue's fields; what the node left out is left out. It
may raise LookupError, TypeError, ValueError or AttributeError: the answer is then of another form than the endpoint's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from collector.observations import Peer
from collector.readings import Value
from collector.remarks import excerpt
from collector.sources.nodeos.endpoints import CONNECTIONS, DB_SIZE, FINALIZERS, PAUSED, SCHEDULE, Endpoint
from collector.sources.nodeos.values import account, count, entries, flag, identifier, number, seconds
from collector.sources.observing import LONGEST_NAME, MOST_PEERS

Values = dict[str, Value]

_LONGEST = 512  # characters
_ANYWHERE = ("0.0.0.0:", "[::]:", ":::")

MOST_PRODUCERS = 200
"""Producers that get series of their own; a schedule holds 125 at most, get_producers answers with 50."""

_NEEDED: tuple[tuple[str, str, Callable[[object], Value]], ...] = (
    ("head_block_num", "head_block_number", count),
    ("head_block_time", "head_block_timestamp_seconds", seconds),
    ("last_irreversible_block_num", "finalized_block_number", count),
)
_WHERE_SAID: tuple[tuple[str, str, Callable[[object], Value]], ...] = (
    ("head_block_id", "head_block_hash", identifier),
    ("head_block_producer", "head_block_producer", account),
    ("last_irreversible_block_time", "finalized_block_timestamp_seconds", seconds),
    ("fork_db_head_block_num", "fork_database_head_block_number", count),
)


def head(info: Any) -> Values:  # noqa: ANN401 - JSON can be anything
    """Return what get_info says in every version: without it, it is the answer to another question."""
    return {field: read(info[key]) for key, field, read in _NEEDED}


def said(info: dict[str, Any]) -> tuple[Values, list[str]]:
    """Return what else get_info says, and what it says in another form than it should.

    Versions differ in what they say; at the genesis block there is no producer, which is said as "".
    """
    values: Values = {}
    odd = []
    for key, field, read in _WHERE_SAID:
        if info.get(key) not in (None, ""):
            try:
                values[field] = read(info[key])
            except ValueError as error:
                odd.append(f"{key}: {error}")
    return values, odd


def apis(document: Any) -> frozenset[str]:  # noqa: ANN401 - as above
    """Return the paths that the node answers, from get_supported_apis."""
    return frozenset(entries(document["apis"]))


def _connections(connections: Any) -> Values:  # noqa: ANN401 - as above
    connected = [peer for peer in entries(connections)[:MOST_PEERS] if _connected(peer)]
    return {"peers": len(connected), "peers_inbound": sum(peer["peer"] == "" for peer in connected)}


def peers(connections: Any) -> tuple[Peer, ...]:  # noqa: ANN401 - as above
    """Return whom the node is connected to, from net/connections."""
    return tuple([_listed(peer) for peer in entries(connections)[:MOST_PEERS] if _connected(peer)])


def _listed(peer: dict[str, Any]) -> Peer:
    handshake = peer["last_handshake"]
    told = [handshake.get(key, "")[:_LONGEST] for key in ("node_id", "agent", "p2p_address")]
    # Cut before they are kept.
    return _peer(*told, peer["peer"][:_LONGEST], peer.get("remote_ip", "")[:_LONGEST])


@lru_cache(4 * MOST_PEERS)
def _peer(node: str, agent: str, listens: str, asked: str, remote: str) -> Peer:
    """Return a peer; it is the same at every gather, and that of several nodes.

    Where it listens it says as `HOST:PORT - BEGINNING-OF-ITS-ID`, with a host that may mean any.
    """
    address = listens.partition(" - ")[0]
    if address.startswith(_ANYWHERE):
        address = ""
    return Peer(
        id=excerpt(node, LONGEST_NAME),
        name=excerpt(agent, LONGEST_NAME),
        address=excerpt(address or asked or remote, LONGEST_NAME),
        inbound=asked == "",
    )


def _connected(peer: Any) -> bool:  # noqa: ANN401 - as above
    """Tell whether the handshake is done.

    `connecting: false` does not say so: a peer that is dead or on another chain stays listed with it, and with a
    handshake of zeros. `syncing` is of no use here: it tells that the peer lags and takes blocks from this node.
    """
    handshake = peer["last_handshake"]
    return number(handshake["network_version"]) != 0 and peer.get("is_socket_open", True) is True


def _schedule(schedule: Any) -> Values:  # noqa: ANN401 - as above
    return {
        "producers": len(_producers(schedule["active"])),
        "producer_schedule_version": count(schedule["active"]["version"]),
        "producer_schedule_pending": int(any(_producers(schedule.get(key)) for key in ("pending", "proposed"))),
    }


def _producers(schedule: Any) -> list[Any]:  # noqa: ANN401 - as above
    """Return a schedule's producers: none where there is no schedule."""
    return entries(schedule["producers"]) if schedule else []


def scheduled(schedule: Any) -> list[str]:  # noqa: ANN401 - as above
    """Return the names in the active schedule, from get_producer_schedule."""
    return [account(producer["producer_name"]) for producer in _producers(schedule["active"])[:MOST_PRODUCERS]]


def registered(producers: Any) -> dict[str, Values]:  # noqa: ANN401 - as above
    """Return by name what get_producers says; without the system contract that is the names and no votes."""
    found = {}
    for row in entries(producers["rows"])[:MOST_PRODUCERS]:
        values: Values = {}
        with suppress(ValueError):  # "-nan"
            values["votes"] = number(row["total_votes"])
        if row.get("unpaid_blocks") is not None:
            values["unpaid_blocks"] = count(row["unpaid_blocks"])
        found[account(row["owner"])] = values
    return found


def _database(size: Any) -> Values:  # noqa: ANN401 - as above
    return {
        "state_database_size_bytes": count(size["size"]),
        "state_database_used_bytes": count(size["used_bytes"]),
        "state_database_free_bytes": count(size["free_bytes"]),
    }


def _finalizers(info: Any) -> Values:  # noqa: ANN401 - as above
    policy = info["active_finalizer_policy"]
    if policy is None:  # Savanna is not activated yet
        return {}
    return {"finalizers": len(entries(policy["finalizers"]))}


READERS: Mapping[Endpoint, Callable[[Any], Values]] = {
    CONNECTIONS: _connections,
    PAUSED: lambda paused: {"producer_paused": flag(paused)},
    DB_SIZE: _database,
    SCHEDULE: _schedule,
    FINALIZERS: _finalizers,
}
"""The answers that are metrics of measurement `chain`."""
