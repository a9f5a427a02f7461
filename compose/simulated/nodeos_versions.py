"""What differs between the versions of nodeos: names, the fields of its answers, where its Prometheus page is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from compose.simulated.ledger import digits

TOO_MANY, SERVICE_UNAVAILABLE = 429, 503
"""What Busy answers: the former before Leap 3.2, the latter since."""

_DAWN = (
    "server_version",
    "head_block_num",
    "last_irreversible_block_num",
    "head_block_id",
    "head_block_time",
    "head_block_producer",
)
_V1_0 = (
    "server_version",
    "chain_id",
    "head_block_num",
    "last_irreversible_block_num",
    "last_irreversible_block_id",
    "head_block_id",
    "head_block_time",
    "head_block_producer",
    "virtual_block_cpu_limit",
    "virtual_block_net_limit",
    "block_cpu_limit",
    "block_net_limit",
)
_V1_8 = (*_V1_0, "server_version_string", "fork_db_head_block_num", "fork_db_head_block_id")
_V2_0 = (*_V1_8, "server_full_version_string")
_LEAP = (
    *_V2_0,
    "total_cpu_weight",
    "total_net_weight",
    "earliest_available_block_num",
    "last_irreversible_block_time",
)

_CONNECTION = ("peer", "connecting", "syncing", "last_handshake")
_CONNECTION_4 = ("peer", "connecting", "syncing", "is_bp_peer", "last_handshake")
_CONNECTION_5 = (
    "peer",
    "remote_ip",
    "remote_port",
    "connecting",
    "syncing",
    "is_bp_peer",
    "is_socket_open",
    "is_blocks_only",
    "is_transactions_only",
    "last_handshake",
)
_CONNECTION_SPRING = (
    "peer",
    "remote_ip",
    "remote_port",
    "connecting",
    "syncing",
    "is_bp_peer",
    "is_bp_gossip_peer",
    "is_socket_open",
    "is_blocks_only",
    "is_transactions_only",
    "last_vote_received",
    "last_handshake",
)


@dataclass(frozen=True)
class Version:
    """One version of nodeos. `commit` is the start of the commit it was built from."""

    string: str
    commit: str
    info: tuple[str, ...]
    connection: tuple[str, ...] = _CONNECTION
    handshake_head: str = "head"
    whole_seconds: bool = False
    node_api: bool = True
    busy: int = SERVICE_UNAVAILABLE
    own_page: bool = False
    """The Prometheus page has a listener of its own and names without a prefix."""
    main_page: bool = False
    """The Prometheus page is at the ordinary address, and its names begin with `nodeos_`."""
    savanna: bool = False

    @property
    def server(self) -> str:
        """The header `Server`."""
        return f"nodeos/{self.string}" if self.busy == SERVICE_UNAVAILABLE else "WebSocket++/0.7.0"

    @property
    def full(self) -> str:
        """The version with its whole commit."""
        return f"{self.string}-{self.commit}{digits('commit', self.commit, length=32)}"


VERSIONS: Mapping[str, Version] = MappingProxyType(
    {
        "dawn-3": Version("dawn-v3.0.0", "34c0db96", _DAWN, whole_seconds=True, node_api=False, busy=TOO_MANY),
        "1.0": Version("v1.0.1", "36a043c5", _V1_0, whole_seconds=True, node_api=False, busy=TOO_MANY),
        "1.8": Version("v1.8.14", "0a0f6a3b", _V1_8, busy=TOO_MANY),
        "2.0": Version("v2.0.13", "d133c641", _V2_0, busy=TOO_MANY),
        "2.1": Version("v2.1.0", "26a4d285", (*_V2_0, "last_irreversible_block_time"), busy=TOO_MANY),
        "3.1": Version("v3.1.5", "cea8c8b6", _LEAP, busy=TOO_MANY),
        "4.0": Version("v4.0.6", "01dab51a", _LEAP, _CONNECTION_4, own_page=True),
        "5.0": Version("v5.0.3", "c4bb1ca3", _LEAP, _CONNECTION_5, "fork_head", main_page=True),
        "spring-1.2": Version(
            "v1.2.2", "d6a4c3c7", _LEAP, _CONNECTION_SPRING, "fork_db_head", main_page=True, savanna=True
        ),
    }
)
"""By the name that the simulation gives them; 4.0 is what the recorded answers come from."""
