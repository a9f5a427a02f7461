"""What nodeos of every version answers, for the tests: Leap 4.0.6 as recorded, the others by what their code says."""

from __future__ import annotations

from typing import Any

from tests.answering import Answer, Answers, json

CHAIN_ID = "cf666a30bf4909ba6eae3056ab04a67c9c4dea6bff333b98f423ca7ad15a0c44"

DAWN: dict[str, Any] = {
    "server_version": "9f2bf0b5",
    "head_block_num": 1_000,
    "last_irreversible_block_num": 980,
    "head_block_id": "000003e8" + "0" * 56,
    "head_block_time": "2018-04-05T12:34:56",
    "head_block_producer": "inita",
}
V1_0 = DAWN | {
    "chain_id": CHAIN_ID,
    "head_block_time": "2018-07-05T12:34:56.500",
    "last_irreversible_block_id": "000003d4" + "0" * 56,
    "virtual_block_cpu_limit": 200_000_000,
    "virtual_block_net_limit": 1_048_576_000,
    "block_cpu_limit": 199_900,
    "block_net_limit": 1_048_576,
}
V1_2 = V1_0 | {"server_version_string": "v1.2.6"}
V1_8 = V1_2 | {
    "server_version_string": "v1.8.14",
    "fork_db_head_block_num": 1_002,
    "fork_db_head_block_id": "000003ea" + "0" * 56,
}
V2_0 = V1_8 | {"server_version_string": "v2.0.13", "server_full_version_string": "v2.0.13-9f2bf0b5"}
V2_1 = V2_0 | {"server_version_string": "v2.1.0", "last_irreversible_block_time": "2018-07-05T12:34:46.500"}
V2_2 = V2_1 | {"server_version_string": "v2.2.0", "first_block_num": 1}
LEAP = V2_0 | {
    "server_version_string": "v4.0.6",
    "total_cpu_weight": "383788472311608",
    "total_net_weight": 0,
    "earliest_available_block_num": 1,
    "last_irreversible_block_time": "2018-07-05T12:34:46.500",
}
SPRING = LEAP | {"server_version_string": "v1.2.2"}

VERSIONS = {
    "dawn-3": DAWN,
    "1.0": V1_0,
    "1.2": V1_2,
    "1.8": V1_8,
    "2.0": V2_0,
    "2.1": V2_1,
    "2.2": V2_2,
    "leap": LEAP,
    "spring": SPRING,
}

SCHEDULE: dict[str, Any] = {
    "active": {"version": 3, "producers": [{"producer_name": name} for name in ("inita", "initb", "initc")]},
    "pending": None,
    "proposed": None,
}
PRODUCERS: dict[str, Any] = {
    "rows": [
        {"owner": "inita", "total_votes": "264881020055611342848.00000000000000000", "unpaid_blocks": 72},
        {"owner": "standby", "total_votes": "1.00000000000000000", "unpaid_blocks": 0},
    ],
    "total_producer_vote_weight": "-nan",
    "more": "",
}
DB_SIZE: dict[str, Any] = {
    "free_bytes": 1_068_290_336,
    "used_bytes": "5450464000",
    "size": 1_073_740_800,
    "indices": [
        {"index": "eosio::chain::account_object", "row_count": 3},
        {"index": "eosio::chain::block_summary_object", "row_count": 65_536},
    ],
}
OPTIONS: dict[str, Any] = {
    "max_transaction_time": 30,
    "max_irreversible_block_age": -1,
    "incoming_defer_ratio": "1.00000000000000000",
}
FINALIZERS: dict[str, Any] = {
    "active_finalizer_policy": {"generation": 1, "threshold": 3, "finalizers": [{}, {}, {}, {}]},
    "pending_finalizer_policy": None,
    "last_tracked_votes": [],
}
PAGE = b"""\
# HELP nodeos_http_requests_total number of HTTP requests
# TYPE nodeos_http_requests_total counter
nodeos_http_requests_total{handler="/v1/chain/get_info"} 27
nodeos_http_requests_total{handler="/v1/net/connections"} 3
# TYPE nodeos_blocks_produced counter
nodeos_blocks_produced 172
# TYPE nodeos_head_block_num gauge
nodeos_head_block_num 1000
# TYPE nodeos_p2p_latency gauge
nodeos_p2p_latency{connid="a20b407"} nan
# TYPE nodeos_info gauge
nodeos_info{chain_id="cf66",earliest_available_block_num="1"} 1
"""


def connection(peer: str = "", version: int = 1_212, **more: object) -> dict[str, Any]:
    """Make an entry of net/connections: inbound and past its handshake, unless told otherwise."""
    return {"peer": peer, "connecting": False, "syncing": False, "last_handshake": {"network_version": version}} | more


def node(info: dict[str, Any] = LEAP, *, listed: bool = True) -> Answers:
    """Return the answers of a node that offers everything; `listed`: it also says so."""
    answers: Answers = {
        "/v1/chain/get_info": json(info),
        "/v1/net/connections": json([connection(), connection("a:9876"), connection("dead:9876", version=0)], 201),
        "/v1/producer/paused": json(False, 201),
        "/v1/producer/get_runtime_options": json(OPTIONS, 201),
        "/v1/db_size/get": json(DB_SIZE),
        "/v1/chain/get_producer_schedule": json(SCHEDULE),
        "/v1/chain/get_producers": json(PRODUCERS),
        "/v1/chain/get_finalizer_info": json(FINALIZERS),
        "/v1/prometheus/metrics": Answer(PAGE, headers={"Content-Type": "text/plain"}),
    }
    if listed:
        answers["/v1/node/get_supported_apis"] = json({"apis": [*answers, *DANGEROUS]})
    return answers


DANGEROUS = (
    "/v1/producer/pause",
    "/v1/producer/resume",
    "/v1/producer/create_snapshot",
    "/v1/producer/schedule_snapshot",
    "/v1/net/connect",
    "/v1/net/disconnect",
    "/v1/chain/push_transaction",
    "/v1/test_control/kill_node_on_producer",
)
"""Endpoints that act, some of them on a mere GET."""
