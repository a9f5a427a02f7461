"""A simulated nodeos: its HTTP API and its Prometheus page, as Leap 4.0.6 answers and as other versions differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
from aiohttp import web

from compose.simulated import documents
from compose.simulated.antelope import Antelope, Block
from compose.simulated.ledger import Ledger, digits
from compose.simulated.network import Network
from compose.simulated.node import Node
from compose.simulated.nodeos_page import Figures, page_of_4, page_of_5
from compose.simulated.nodeos_versions import SERVICE_UNAVAILABLE, VERSIONS, Version
from compose.simulated.serving import Answer

PLUGINS = frozenset({"chain_api", "net_api", "producer_api", "db_size_api", "prometheus"})
"""Loaded by default: all that this simulation knows."""

_PREFIXES = {
    "/v1/chain/": "chain_api",
    "/v1/net/": "net_api",
    "/v1/producer/": "producer_api",
    "/v1/db_size/": "db_size_api",
}
PAGE_PATH = "/v1/prometheus/metrics"
NO_KEY = "EOS1111111111111111111111111111111114T1Anm"
KEY = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
AUTHORITY = [0, {"threshold": 1, "keys": [{"key": KEY, "weight": 1}]}]
VOTES = 264_881_020_055_611_342_848
ZEROS = "0" * 64
NO_SIGNATURE = "SIG_K1_111111111111111111111111111111111111111111111111111111111111111116uk5ne"
MAX_CLIENTS = 25
WIDEST = 0xFFFFFFFF
"""The largest integer that nodeos writes as a number; larger ones become strings."""


@dataclass(frozen=True, kw_only=True)
class NodeosOptions:
    """How one nodeos is run. `chain` empty means the cluster's own.

    `version` is a name in `VERSIONS`, `plugins` those loaded. `validate_host` refuses requests whose Host header is
    neither the address with its port nor one of `aliases`.
    """

    name: str
    chain: str = ""
    role: str = "worker"
    version: str = "4.0"
    plugins: frozenset[str] = PLUGINS
    validate_host: bool = True
    aliases: tuple[str, ...] = ()


class Refusal(NamedTuple):
    """An error as nodeos answers it."""

    status: int
    body: bytes


class RefusedError(Exception):
    """A request that is answered with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


def _refusal(status: int, message: str, error: tuple[int, str, str], *detail: str | int) -> Refusal:
    """Return an error in nodeos's form: `error` is its code, name and what, `detail` a message and where it arose."""
    code, name, what = error
    details = [dict(zip(("message", "file", "line_number", "method"), detail, strict=True))] if detail else []
    about = {"code": code, "name": name, "what": what, "details": details}
    return Refusal(status, orjson.dumps({"code": status, "message": message, "error": about}))


UNSPECIFIED = (0, "exception", "unspecified")
NOT_FOUND = _refusal(404, "Not Found", UNSPECIFIED, "Unknown Endpoint", "beast_http_session.hpp", 204, "handle_request")
FOREIGN_HOST = _refusal(400, "Disallowed HTTP HOST header in the request", (0, "", ""))
BROKEN = _refusal(500, "Internal Service Error", UNSPECIFIED, "unknown key", "http_plugin.cpp", 423, "handle_exception")
BAD_BODY = _refusal(
    400,
    "Invalid Request",
    (3200006, "invalid_http_request", "invalid http request"),
    "Unable to parse valid input from POST body",
    "http_plugin.hpp",
    262,
    "parse_params",
)


class NodeosNode(Node[Block]):
    """One nodeos of an Antelope chain. `snapshots` is how many it was made to take, by its API."""

    kind = "nodeos"
    maker = "producer"
    versions = tuple(VERSIONS)

    def __init__(self, options: NodeosOptions, network: Network[Block]) -> None:
        if not options.plugins <= PLUGINS:
            unknown = ", ".join(sorted(options.plugins - PLUGINS))
            raise ValueError(f"{options.name}: no plugin {unknown}; there are {', '.join(sorted(PLUGINS))}")
        page = "prometheus" in options.plugins and VERSIONS.get(options.version, VERSIONS["4.0"]).own_page
        super().__init__(options.name, options.role, options.version, network, page=page)
        self.options = options
        self.snapshots = 0
        self.pauses = 0
        self.since = self.antelope.started
        self.first = 0
        self._made_before = 0
        self._scrapes = 0
        self._scraped = 0
        self._links: tuple[int, list[tuple[NodeosNode, bool]]] = (-1, [])

    @property
    def antelope(self) -> Antelope:
        """What it knows of its chain."""
        assert isinstance(self.ledger, Antelope)
        return self.ledger

    @property
    def release(self) -> Version:
        """What its version does differently."""
        return VERSIONS[self.version]

    @property
    def metrics_url(self) -> str:
        """Where its Prometheus page is; empty where the plugin is not loaded or its version has none."""
        if "prometheus" not in self.options.plugins:
            return ""
        if self.release.main_page:
            return self.url + PAGE_PATH
        return self._page.url + PAGE_PATH if self._page and self.release.own_page else ""

    @property
    def links(self) -> list[tuple[NodeosNode, bool]]:
        """Its connections: the node at the other end, and whether it was this one that dialled.

        A worker dials the producers and the worker before it, a producer the producers before it. A node that was
        dialled and is gone stays in the list; one that had dialled does not.
        """
        changes, links = self._links
        if changes != self.network.changes:
            links = list(self._connected())
            self._links = (self.network.changes, links)
        return links

    @cached_property
    def peer_address(self) -> str:
        """The address for other nodes."""
        return f"127.0.0.1:{9876 + self.place}"

    @cached_property
    def node_id(self) -> str:
        """What it calls itself in handshakes."""
        return digits("node", self.chain, self.name)

    def began(self, now: float) -> None:
        """Start anew: counters at zero."""
        self.since, self.first, self._made_before = now, self.head.number, self._made
        self._scrapes = self._scraped = 0

    def own_words(self) -> Mapping[str, Answer]:
        """Return nodeos's own words for faults that replace an answer."""
        status = self.release.busy
        what = (
            "Too many requests in flight: 31"
            if status == SERVICE_UNAVAILABLE
            else "Too many bytes in flight: 524300000"
        )
        busy = _refusal(status, "Busy", (status, "Busy", what))
        return {
            "bad_host": self._error(FOREIGN_HOST),
            "busy": Answer(busy.body, status, kind="other"),
            "error_500": self._error(BROKEN),
        }

    def answer_page(self, request: web.BaseRequest) -> Answer:
        """Answer on the Prometheus page's own listener."""
        if request.raw_path != PAGE_PATH or not self.release.own_page:
            return self._error(NOT_FOUND)
        return self._prometheus()

    def answer(self, request: web.BaseRequest, body: bytes) -> Answer:
        """Answer the API: the path must match to the letter, the method may be any."""
        try:
            return self._answered(request, body)
        except RefusedError as error:
            return self._error(error.refusal)
        except orjson.JSONDecodeError:
            return self._error(BAD_BODY)

    def pause(self) -> None:
        """Stop producing, as `GET /v1/producer/pause` does."""
        self.pauses += 1
        self._have({**self.faults, "paused": MappingProxyType({})})

    def resume(self) -> None:
        """Produce again."""
        self._have({name: parameters for name, parameters in self.faults.items() if name != "paused"})

    def id_of(self, number: int) -> str:
        """Return the id of a block as this node sees it."""
        return self.antelope.id_of(number, self.fork)

    def time(self, slot: int) -> str:
        """Return a slot's time as this version writes it: UTC without saying so."""
        stamp = datetime.fromtimestamp(self.antelope.time(slot), UTC).replace(tzinfo=None)
        return stamp.isoformat(timespec="seconds" if self.release.whole_seconds else "milliseconds")

    @property
    def produced(self) -> int:
        """How many blocks it has made since it started."""
        return self._made - self._made_before

    def change_over(self, branch: Ledger[Block]) -> None:
        """Be on this branch from now on. What it made on another it has made all the same."""
        made = self._made
        super().change_over(branch)
        self._made_before += self._made - made

    @property
    def _made(self) -> int:
        chain = self.branch
        assert isinstance(chain, Antelope)
        return chain.made[chain.producers.index(self.name)] if self.name in chain.producers else 0

    @property
    def _apis(self) -> list[str]:
        return self._apis_of[self.release.savanna]

    @cached_property
    def _apis_of(self) -> tuple[list[str], list[str]]:
        known = [*documents.NODEOS_APIS, "/v1/chain/get_finalizer_info"]
        loaded = [path for path in known if _PREFIXES[path[: path.index("/", 4) + 1]] in self.options.plugins]
        return [path for path in loaded if not path.endswith("finalizer_info")], sorted(loaded)

    def _welcome(self, host: str) -> bool:
        return host == self.url.removeprefix("http://") or host in self.options.aliases or host in self.known_as

    def _answered(self, request: web.BaseRequest, body: bytes) -> Answer:
        if self.options.validate_host and not self._welcome(request.headers.get("Host", "")):
            raise RefusedError(FOREIGN_HOST)
        path = request.raw_path
        if path == PAGE_PATH and self.release.main_page and "prometheus" in self.options.plugins:
            return self._prometheus()
        if path == "/v1/node/get_supported_apis" and self.release.node_api:
            return self._json({"apis": self._apis})
        if path not in self._apis:
            raise RefusedError(NOT_FOUND)
        endpoint = ENDPOINTS.get(path)
        if endpoint is None:
            message = f"{path} is not simulated"
            where = ("http_plugin.cpp", 423, "handle_exception")
            raise RefusedError(_refusal(500, "Internal Service Error", UNSPECIFIED, message, *where))
        document = endpoint(self, orjson.loads(body) if body else {})
        return self._json(document, 201 if path.startswith(("/v1/net/", "/v1/producer/")) else 200)

    def _json(self, document: object, status: int = 200) -> Answer:
        return Answer(orjson.dumps(document), status, headers=(("Server", self.release.server),))

    def _error(self, refusal: Refusal) -> Answer:
        return Answer(refusal.body, refusal.status, kind="other", headers=(("Server", self.release.server),))

    def _connected(self) -> list[tuple[NodeosNode, bool]]:
        others = [node for node in self.network.members if isinstance(node, NodeosNode) and node is not self]
        dialled = [(node, True) for node in others if self._dials(node)]
        return dialled + [(node, False) for node in others if self.sees(node) and node._dials(self)][:MAX_CLIENTS]  # noqa: SLF001 - its own kind

    def _dials(self, other: NodeosNode) -> bool:
        if self.makes_blocks:
            return other.makes_blocks and other.place < self.place
        return other.makes_blocks or other.place == self.place - 1

    def _prometheus(self) -> Answer:
        head = self.head
        figures = Figures(
            head=head.number,
            irreversible=head.irreversible,
            produced=self.produced,
            received=max(head.number - self.first - self.produced, 0),
            out=sum(self.sees(node) for node, dialled in self.links if dialled),
            incoming=sum(not dialled for _, dialled in self.links),
            uptime=self.antelope.clock() - self.since,
            scrapes=self._scrapes,
            scraped=self._scraped,
        )
        page = (
            page_of_5(figures, self.release, self.antelope.id, self._asked())
            if self.release.main_page
            else page_of_4(figures)
        )
        body = page.encode()
        self._scrapes += 1
        self._scraped += len(body)
        return Answer(body, 200, "text/plain", "page", (("Server", self.release.server),))

    def _asked(self) -> dict[str, int]:
        counted: dict[str, int] = {}
        for name, count in self.requests.counts.items():
            path = name.rpartition(" ")[2]
            if path in self._apis:
                counted[path] = counted.get(path, 0) + count
        return counted


def _wide(value: int) -> int | str:
    """Return an integer as nodeos writes it: as a string if it needs more than 32 bits."""
    return str(value) if value > WIDEST else value


def _without_parameters(asked: object) -> None:
    if asked != {}:
        raise RefusedError(BAD_BODY)


def _get_info(node: NodeosNode, asked: object) -> dict[str, Any]:
    _without_parameters(asked)
    chain, release, head = node.antelope, node.release, node.head
    growth = min(head.number, 6900) * 0.001
    staked = 1_000_000_000_000 if chain.system_contract else 0
    fields: dict[str, Any] = {
        "server_version": release.commit,
        "chain_id": chain.id,
        "head_block_num": head.number,
        "last_irreversible_block_num": head.irreversible,
        "last_irreversible_block_id": node.id_of(head.irreversible),
        "head_block_id": node.id_of(head.number),
        "head_block_time": node.time(head.slot),
        "head_block_producer": chain.schedule[head.producer],
        "virtual_block_cpu_limit": int(200_000 * (1 + growth)),
        "virtual_block_net_limit": int(1_048_576 * (1 + growth)),
        "block_cpu_limit": 200_000,
        "block_net_limit": 1_048_576,
        "server_version_string": release.string,
        "fork_db_head_block_num": head.number,
        "fork_db_head_block_id": node.id_of(head.number),
        "server_full_version_string": release.full,
        "total_cpu_weight": _wide(staked),
        "total_net_weight": _wide(staked),
        "earliest_available_block_num": 1,
        "last_irreversible_block_time": node.time(head.irreversible_slot),
    }
    return {name: fields[name] for name in release.info}


def _get_block(node: NodeosNode, asked: object) -> dict[str, Any]:
    wanted = asked.get("block_num_or_id") if isinstance(asked, dict) else None
    if isinstance(wanted, str) and wanted.isdecimal():
        wanted = int(wanted[:20])
    block, head = _block(node, wanted, "get_raw_block", 1921)
    return {
        **{name: head[name] for name in ("timestamp", "producer", "confirmed", "previous")},
        **{name: head[name] for name in ("transaction_mroot", "action_mroot", "schedule_version")},
        "new_producers": None,
        "producer_signature": head["producer_signature"],
        "transactions": [_transaction(node, block, i) for i in range(block.transactions)],
        "id": head["id"],
        "block_num": head["block_num"],
        "ref_block_prefix": head["ref_block_prefix"],
    }


def _transaction(node: NodeosNode, block: Block, place: int) -> dict[str, Any]:
    """Return a transaction of a block: a transfer, whose use of CPU and network differs from one to the next."""
    identity = digits("transaction", node.id_of(block.number), place)
    transfer = {"from": "alice", "to": "bob", "quantity": "0.0001 SYS", "memo": ""}
    action = {
        "account": "eosio.token",
        "name": "transfer",
        "authorization": [{"actor": "alice", "permission": "active"}],
        "data": transfer,
        "hex_data": digits("data", identity, length=66),
    }
    return {
        "status": "executed",
        "cpu_usage_us": 100 + int(identity[:4], 16) % 300,
        "net_usage_words": 12 + int(identity[4:8], 16) % 9,
        "trx": {
            "id": identity,
            "signatures": ["SIG_K1_" + digits("signature", identity, length=94)],
            "compression": "none",
            "packed_context_free_data": "",
            "context_free_data": [],
            "packed_trx": digits("packed", identity, length=200),
            "transaction": {
                "expiration": node.time(block.slot + 60)[:19],
                "ref_block_num": block.number & 0xFFFF,
                "ref_block_prefix": int(identity[8:16], 16),
                "max_net_usage_words": 0,
                "max_cpu_usage_ms": 0,
                "delay_sec": 0,
                "context_free_actions": [],
                "actions": [action],
            },
        },
    }


def _get_block_info(node: NodeosNode, asked: object) -> dict[str, Any]:
    number = asked.get("block_num") if isinstance(asked, dict) else None
    return _block(node, number, "get_block_info", 2029)[1]


def _block(node: NodeosNode, number: object, method: str, line: int) -> tuple[Block, dict[str, Any]]:
    """Return a block by its number and what it is told with."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise RefusedError(BAD_BODY)
    block = node.antelope.block(number) if 0 < number <= node.head.number else None
    if block is None:
        what, message = (3100002, "unknown_block_exception", "Unknown block"), f"Could not find block: {number}"
        raise RefusedError(_refusal(400, "Unknown Block", what, message, "chain_plugin.cpp", line, method))
    identity = node.id_of(number)
    return block, {
        "block_num": number,
        "ref_block_num": number & 0xFFFF,
        "id": identity,
        "timestamp": node.time(block.slot),
        "producer": node.antelope.schedule[block.producer],
        "confirmed": 0,
        "previous": node.id_of(number - 1),
        "transaction_mroot": digits("transactions", identity) if block.transactions else ZEROS,
        "action_mroot": digits("actions", node.chain, number),
        "schedule_version": int(node.antelope.system_contract),
        "producer_signature": "SIG_K1_" + digits("signature", node.chain, number, length=94),
        "ref_block_prefix": int.from_bytes(bytes.fromhex(identity[16:24]), "little"),
    }


def _get_producer_schedule(node: NodeosNode, asked: object) -> dict[str, Any]:
    _without_parameters(asked)
    producers = [{"producer_name": name, "authority": AUTHORITY} for name in node.antelope.schedule]
    version = int(node.antelope.system_contract)
    return {"active": {"version": version, "producers": producers}, "pending": None, "proposed": None}


def _get_producers(node: NodeosNode, asked: object) -> dict[str, Any]:
    """Answer as the system contract has it, or without one from the schedule, where `json` makes no difference."""
    if not isinstance(asked, dict):
        raise RefusedError(BAD_BODY)
    chain, limit = node.antelope, asked.get("limit", 50)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise RefusedError(BAD_BODY)
    if not chain.system_contract:
        votes = {"url": "", "total_votes": f"{0:.17f}", "producer_key": KEY}
        plain = [{"owner": name, "producer_authority": AUTHORITY, **votes} for name in chain.schedule]
        return {"rows": plain[:limit], "total_producer_vote_weight": "-nan", "more": ""}
    rows: list[Any] = [
        {
            "owner": name,
            "total_votes": f"{VOTES}.{0:017d}",
            "producer_key": KEY,
            "is_active": 1,
            "url": f"https://{name}.example",
            "unpaid_blocks": chain.made[i],
            "last_claim_time": node.time(chain.oldest.slot),
            "location": i,
        }
        for i, name in enumerate(chain.schedule)
    ]
    if asked.get("json") is not True:
        rows = [digits("row", row["owner"], length=174) for row in rows]
    more = chain.schedule[limit] if limit < len(chain.schedule) else ""
    total = f"{VOTES * len(chain.schedule)}.{0:017d}"
    return {"rows": rows[:limit], "total_producer_vote_weight": total, "more": more}


def _get_finalizer_info(node: NodeosNode, asked: object) -> dict[str, Any]:
    """Answer with the fields of Spring's `get_finalizer_info_result`; without Savanna there is no policy."""
    _without_parameters(asked)
    chain, head = node.antelope, node.head
    if not chain.savanna:
        return {"active_finalizer_policy": None, "pending_finalizer_policy": None, "last_tracked_votes": []}
    finalizers = [
        {"description": name, "weight": 1, "public_key": f"PUB_BLS_{digits('finalizer', name, length=132)}"}
        for name in chain.schedule
    ]
    votes = [
        {
            "description": finalizer["description"],
            "public_key": finalizer["public_key"],
            "is_vote_strong": True,
            "finalizer_policy_generation": 1,
            "voted_for_block_id": node.id_of(head.number),
            "voted_for_block_num": head.number,
            "voted_for_block_timestamp": node.time(head.slot),
        }
        for producer, finalizer in zip(chain.producers, finalizers, strict=False)
        if producer in chain.voting
    ]
    policy = {"generation": 1, "threshold": len(finalizers) * 2 // 3 + 1, "finalizers": finalizers}
    return {"active_finalizer_policy": policy, "pending_finalizer_policy": None, "last_tracked_votes": votes}


def _connections(node: NodeosNode, asked: object) -> list[dict[str, Any]]:
    _without_parameters(asked)
    return [_connection(node, other, dialled=dialled) for other, dialled in node.links]


def _connection(node: NodeosNode, other: NodeosNode, *, dialled: bool) -> dict[str, Any]:
    """Describe a connection; one that is broken shows in its handshake alone, which is empty."""
    open_ = node.sees(other)
    fields: dict[str, Any] = {
        "peer": other.peer_address if dialled else "",
        "remote_ip": "127.0.0.1" if open_ else "",
        "remote_port": other.peer_address.rpartition(":")[2] if open_ else "",
        "connecting": False,
        "syncing": False,
        "is_bp_peer": False,
        "is_bp_gossip_peer": False,
        "is_socket_open": open_,
        "is_blocks_only": False,
        "is_transactions_only": False,
        "last_vote_received": node.time(node.head.slot if open_ and node.antelope.savanna else 0),
        "last_handshake": _handshake(node, other if open_ else None),
    }
    return {name: fields[name] for name in node.release.connection}


def _handshake(node: NodeosNode, other: NodeosNode | None) -> dict[str, Any]:
    """Return what was said when the connection began, long ago by now; nothing where there is none."""
    number = max(node.first, other.first) + 3 if other else 0
    head = node.release.handshake_head
    return {
        "network_version": 1212 if other else 0,
        "chain_id": node.antelope.id if other else ZEROS,
        "node_id": other.node_id if other else ZEROS,
        "key": NO_KEY,
        "time": str(int(max(node.since, other.since) * 1e9)) if other else "0",
        "token": ZEROS,
        "sig": NO_SIGNATURE,
        "p2p_address": f"{other.peer_address} - {other.node_id[:7]}" if other else "",
        "last_irreversible_block_num": max(number - 2, 0),
        "last_irreversible_block_id": node.antelope.id_of(number - 2) if other else ZEROS,
        f"{head}_num": number,
        f"{head}_id": node.antelope.id_of(number) if other else ZEROS,
        "os": "linux" if other else "",
        "agent": other.name if other else "",
        "generation": 3 if other else 0,
    }


def _paused(node: NodeosNode, asked: object) -> bool:
    _without_parameters(asked)
    return "paused" in node.faults


def _pause(node: NodeosNode, asked: object) -> dict[str, str]:
    _without_parameters(asked)
    node.pause()
    return {"result": "ok"}


def _resume(node: NodeosNode, asked: object) -> dict[str, str]:
    _without_parameters(asked)
    node.resume()
    return {"result": "ok"}


def _create_snapshot(node: NodeosNode, asked: object) -> dict[str, Any]:
    """Answer at once, where a real node waits until the block is irreversible."""
    _without_parameters(asked)
    node.snapshots += 1
    head = node.head
    identity = node.id_of(head.number)
    return {
        "head_block_id": identity,
        "head_block_num": head.number,
        "head_block_time": node.time(head.slot),
        "version": 6,
        "snapshot_name": f"/data/snapshots/snapshot-{identity}.bin",
    }


def _runtime_options(_: NodeosNode, asked: object) -> object:
    _without_parameters(asked)
    return documents.NODEOS_RUNTIME_OPTIONS


def _db_size(node: NodeosNode, asked: object) -> dict[str, Any]:
    _without_parameters(asked)
    recorded = documents.NODEOS_DB_SIZE
    used = recorded["used_bytes"] + node.head.number * 8
    return {**recorded, "free_bytes": recorded["size"] - used, "used_bytes": used}


ENDPOINTS: Mapping[str, Callable[[NodeosNode, object], object]] = {
    "/v1/chain/get_block": _get_block,
    "/v1/chain/get_block_info": _get_block_info,
    "/v1/chain/get_finalizer_info": _get_finalizer_info,
    "/v1/chain/get_info": _get_info,
    "/v1/chain/get_producer_schedule": _get_producer_schedule,
    "/v1/chain/get_producers": _get_producers,
    "/v1/db_size/get": _db_size,
    "/v1/net/connections": _connections,
    "/v1/producer/create_snapshot": _create_snapshot,
    "/v1/producer/get_runtime_options": _runtime_options,
    "/v1/producer/pause": _pause,
    "/v1/producer/paused": _paused,
    "/v1/producer/resume": _resume,
}
"""What is simulated: any other endpoint of a loaded plugin answers 500 and says so."""
