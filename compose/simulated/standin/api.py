"""nodeos's HTTP API, as Leap 4.0.6 was recorded: the endpoints of the plugins that are loaded."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .blocks import ZEROS, Block
from .chain import Chain
from .database import CONTENT
from .options import Options
from .peers import Peers
from .producing import Producing
from .shooting import Shooting
from .web import Answer, Asked, refusal

RECORDED = Path(__file__).resolve().parent.parent / "recorded"
COMMIT = "01dab51a"
VERSION = "v4.0.6"
FULL_VERSION = "v4.0.6-01dab51ac00aed6730700b82943c30ccfd854fce"
CPU_LIMIT = 200_000
NET_LIMIT = 1_048_576
GROWTH = 1.001
MOST_GROWTH = 1000
PLUGINS = {
    "/v1/chain/": "chain_api",
    "/v1/net/": "net_api",
    "/v1/producer/": "producer_api",
    "/v1/db_size/": "db_size_api",
}
NOT_FOUND = refusal(
    404,
    "Not Found",
    (0, "exception", "unspecified"),
    "Unknown Endpoint",
    "beast_http_session.hpp",
    204,
    "handle_request",
)
FOREIGN_HOST = refusal(400, "Disallowed HTTP HOST header in the request", (0, "", ""))
BAD_BODY = refusal(
    400,
    "Invalid Request",
    (3200006, "invalid_http_request", "invalid http request"),
    "Unable to parse valid input from POST body",
    "http_plugin.hpp",
    262,
    "parse_params",
)
NO_SIGNATURE = "SIG_K1_111111111111111111111111111111111111111111111111111111111111111116uk5ne"


def recorded(name: str) -> dict[str, Any]:
    """Return a recorded answer, from the directory that this package shares with `compose.simulated`."""
    document = json.loads((RECORDED / f"nodeos-4.0.6-{name}.json").read_bytes())
    assert isinstance(document, dict)
    return document


class Api:
    """Answers requests. Which paths there are follows from the plugins."""

    def __init__(
        self, options: Options, chain: Chain, peers: Peers, producing: Producing, shooting: Shooting, *, size: int
    ) -> None:
        self._chain = chain
        self._peers = peers
        self._producing = producing
        self._shooting = shooting
        self._size = size - CONTENT
        self._known = [
            path
            for path in recorded("get_supported_apis")["apis"]
            if PLUGINS.get(path[: path.index("/", 4) + 1]) in options.plugins
        ]
        self._db_size = recorded("db_size")
        self._runtime_options = recorded("get_runtime_options")
        address = options.text("http-server-address", "127.0.0.1:8888")
        self._hosts = {address, *options.texts("http-alias")}
        self._validate = options.flag("http-validate-host", default=True)
        self._info: Answer | None = None
        self._info_of = ""
        self._endpoints: Mapping[str, Callable[[object], object]] = {
            "/v1/chain/get_info": self._get_info,
            "/v1/chain/get_block": self._get_block,
            "/v1/chain/get_block_info": self._get_block_info,
            "/v1/chain/get_producer_schedule": self._schedule,
            "/v1/chain/get_producers": self._producers,
            "/v1/db_size/get": self._get_db_size,
            "/v1/net/connect": self._connect,
            "/v1/net/connections": self._connections,
            "/v1/net/disconnect": self._disconnect,
            "/v1/net/status": self._status,
            "/v1/producer/create_snapshot": self._create_snapshot,
            "/v1/producer/get_runtime_options": self._get_runtime_options,
            "/v1/producer/pause": self._pause,
            "/v1/producer/paused": self._paused,
            "/v1/producer/resume": self._resume,
        }

    def answer(self, asked: Asked) -> Answer | asyncio.Future[Answer]:
        """Answer a request: the path must match to the letter, the method may be any."""
        if self._validate and asked.host != asked.local and asked.host not in self._hosts:
            return FOREIGN_HOST
        if asked.path not in self._known:
            apis = {"apis": self._known}
            return _json(apis) if asked.path == "/v1/node/get_supported_apis" else NOT_FOUND
        endpoint = self._endpoints.get(asked.path)
        if endpoint is None:
            what = (0, "exception", "unspecified")
            message = f"{asked.path} is not simulated"
            return refusal(500, "Internal Service Error", what, message, "http_plugin.cpp", 423, "handle_exception")
        try:
            found = endpoint(json.loads(asked.body or b"{}"))
        except (ValueError, RecursionError):
            return BAD_BODY
        if isinstance(found, (Answer, asyncio.Future)):
            return found
        return _json(found, 201 if asked.path.startswith(("/v1/net/", "/v1/producer/")) else 200)

    def _get_info(self, asked: object) -> object:
        if asked != {}:
            return BAD_BODY
        chain = self._chain
        if self._info is None or self._info_of != chain.head.id:
            self._info, self._info_of = _json(self._info_fields()), chain.head.id
        return self._info

    def _info_fields(self) -> dict[str, Any]:
        chain = self._chain
        head, root = chain.head, chain.root
        growth = min(GROWTH ** min(head.number - 1, 10_000), MOST_GROWTH)
        return {
            "server_version": COMMIT,
            "chain_id": chain.id,
            "head_block_num": head.number,
            "last_irreversible_block_num": root.number,
            "last_irreversible_block_id": root.id,
            "head_block_id": head.id,
            "head_block_time": head.time,
            "head_block_producer": head.producer,
            "virtual_block_cpu_limit": int(CPU_LIMIT * growth),
            "virtual_block_net_limit": int(NET_LIMIT * growth),
            "block_cpu_limit": CPU_LIMIT,
            "block_net_limit": NET_LIMIT,
            "server_version_string": VERSION,
            "fork_db_head_block_num": head.number,
            "fork_db_head_block_id": head.id,
            "server_full_version_string": FULL_VERSION,
            "total_cpu_weight": 0,
            "total_net_weight": 0,
            "earliest_available_block_num": chain.earliest,
            "last_irreversible_block_time": root.time,
        }

    def _get_block(self, asked: object) -> object:
        wanted = asked.get("block_num_or_id") if isinstance(asked, dict) else None
        if isinstance(wanted, bool) or not isinstance(wanted, (int, str)):
            return BAD_BODY
        text = str(wanted)
        block = self._chain.block(int(text[:8], 16) if len(text) == len(ZEROS) else int(text))
        if block is None or (len(text) == len(ZEROS) and block.id != text):
            return _no_block(text, 1921, "get_raw_block")
        return {
            **self._header(block),
            "new_producers": None,
            "transactions": [],
            "id": block.id,
            "block_num": block.number,
            "ref_block_prefix": _prefix(block),
        }

    def _get_block_info(self, asked: object) -> object:
        wanted = asked.get("block_num") if isinstance(asked, dict) else None
        if isinstance(wanted, bool) or not isinstance(wanted, int):
            return BAD_BODY
        block = self._chain.block(wanted)
        if block is None:
            return _no_block(str(wanted), 2029, "get_block_info")
        about = {"block_num": block.number, "ref_block_num": block.number & 0xFFFF, "id": block.id}
        return {**about, **self._header(block), "ref_block_prefix": _prefix(block)}

    def _header(self, block: Block) -> dict[str, Any]:
        before = self._chain.block(block.number - 1)
        return {
            "timestamp": block.time,
            "producer": block.producer,
            "confirmed": 0,
            "previous": before.id if before else ZEROS,
            "transaction_mroot": ZEROS,
            "action_mroot": hashlib.sha256(block.id.encode()).hexdigest(),
            "schedule_version": 0,
            "producer_signature": NO_SIGNATURE,
        }

    def _authority(self) -> list[Any]:
        return [0, {"threshold": 1, "keys": [{"key": self._chain.genesis.key, "weight": 1}]}]

    def _schedule(self, asked: object) -> object:
        producers = [{"producer_name": "eosio", "authority": self._authority()}]
        return _plain(asked, {"active": {"version": 0, "producers": producers}, "pending": None, "proposed": None})

    def _producers(self, asked: object) -> object:
        """Answer as without a system contract: from the schedule, without votes."""
        if not isinstance(asked, dict):
            return BAD_BODY
        row = {
            "owner": "eosio",
            "producer_authority": self._authority(),
            "url": "",
            "total_votes": f"{0:.17f}",
            "producer_key": self._chain.genesis.key,
        }
        return {"rows": [row], "total_producer_vote_weight": "-nan", "more": ""}

    def _get_db_size(self, asked: object) -> object:
        used = self._db_size["used_bytes"]
        return _plain(asked, {**self._db_size, "free_bytes": max(self._size - used, 0), "size": self._size})

    def _connections(self, asked: object) -> object:
        return _plain(asked, self._peers.status())

    def _connect(self, asked: object) -> object:
        return self._peers.connect(asked) if isinstance(asked, str) else BAD_BODY

    def _disconnect(self, asked: object) -> object:
        return self._peers.disconnect(asked) if isinstance(asked, str) else BAD_BODY

    def _status(self, asked: object) -> object:
        if not isinstance(asked, str):
            return BAD_BODY
        return next((status for status in self._peers.status() if status["peer"] == asked), None)

    def _get_runtime_options(self, asked: object) -> object:
        return _plain(asked, self._runtime_options)

    def _paused(self, asked: object) -> object:
        return _plain(asked, self._producing.paused)

    def _pause(self, asked: object) -> object:
        if asked == {}:
            self._producing.paused = True
        return _plain(asked, {"result": "ok"})

    def _resume(self, asked: object) -> object:
        if asked == {}:
            self._producing.paused = False
        return _plain(asked, {"result": "ok"})

    def _create_snapshot(self, asked: object) -> object:
        return self._shooting.shoot() if asked == {} else BAD_BODY


def _json(document: object, status: int = 200) -> Answer:
    return Answer(json.dumps(document, separators=(",", ":")).encode(), status)


def _plain(asked: object, document: object) -> object:
    """Return what an endpoint answers that takes no parameters."""
    return document if asked == {} else BAD_BODY


def _no_block(number: str, line: int, method: str) -> Answer:
    what = (3100002, "unknown_block_exception", "Unknown block")
    return refusal(400, "Unknown Block", what, f"Could not find block: {number}", "chain_plugin.cpp", line, method)


def _prefix(block: Block) -> int:
    return int.from_bytes(bytes.fromhex(block.id[16:24]), "little")
