"""What is asked of nodeos, and nothing else ever.

Many endpoints of nodeos act on a mere GET: `producer/pause` pauses the producer, `producer/create_snapshot` writes a
snapshot. So there is no way from an answer, or from the configuration, to a request that is not in this list.
"""

from __future__ import annotations

from typing import NamedTuple


class Endpoint(NamedTuple):
    """One thing to ask.

    `plugin` is what nodeos must load to offer it; "" where no plugin would help. `group` begins the paths of the raw
    metrics that come from it, "" where none do; `curated` tells whether metrics of the catalogue come from it.
    """

    path: str
    plugin: str = ""
    group: str = ""
    curated: bool = True
    body: bytes | None = None


INFO = Endpoint("/v1/chain/get_info", "eosio::chain_api_plugin", group="get_info")
"""Has every version; a node that does not answer it is no use."""

SUPPORTED_APIS = Endpoint("/v1/node/get_supported_apis")
"""Lists the paths that the node answers at this address; early versions don't have it."""

CONNECTIONS = Endpoint("/v1/net/connections", "eosio::net_api_plugin")
PAUSED = Endpoint("/v1/producer/paused", "eosio::producer_api_plugin")
RUNTIME_OPTIONS = Endpoint(
    "/v1/producer/get_runtime_options", "eosio::producer_api_plugin", group="runtime_options", curated=False
)
DB_SIZE = Endpoint("/v1/db_size/get", "eosio::db_size_api_plugin", group="db_size")
SCHEDULE = Endpoint("/v1/chain/get_producer_schedule")
PRODUCERS = Endpoint("/v1/chain/get_producers", body=b'{"json":true}')
FINALIZERS = Endpoint("/v1/chain/get_finalizer_info")
METRICS = Endpoint("/v1/prometheus/metrics", "eosio::prometheus_plugin", group="prometheus", curated=False)
"""Here in Leap 5 and Spring; Leap 4 has the page on a listener of its own, the target's `metrics_url`."""

BLOCK = Endpoint("/v1/chain/get_block", "eosio::chain_api_plugin")
BLOCK_INFO = Endpoint("/v1/chain/get_block_info", "eosio::chain_api_plugin")
"""The header alone, from EOSIO 2.0 on."""

BLOCKS = (BLOCK, BLOCK_INFO)
"""What tells of one block; which one stands in the body of the request."""

PARTS = (CONNECTIONS, PAUSED, RUNTIME_OPTIONS, DB_SIZE, SCHEDULE, PRODUCERS, FINALIZERS, METRICS)
"""What is asked beside get_info, where the node offers it."""

GROUPS = tuple(endpoint.group for endpoint in (INFO, *PARTS) if endpoint.group)
