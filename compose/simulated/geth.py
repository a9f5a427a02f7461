"""A simulated geth: JSON-RPC over HTTP as geth 1.8.27 and 1.10.26 answer it, and the page `/debug/metrics`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from aiohttp import web
from eth_hash.auto import keccak

from compose.simulated import documents
from compose.simulated.clique import EPOCH, Block, Clique
from compose.simulated.headers import ZEROS, header, pushed
from compose.simulated.ledger import digits
from compose.simulated.network import Network
from compose.simulated.node import Node
from compose.simulated.pulse import Document, Pulse
from compose.simulated.pushing import Head, Pushing, place_of
from compose.simulated.seals import address_of
from compose.simulated.serving import Answer

OLD, NEW = "1.8.27", "1.10.26"

NAMESPACES = frozenset({"admin", "clique", "debug", "eth", "miner", "net", "txpool", "web3"})
"""Open by default: all but `personal`. `rpc` always is."""

NETWORK_ID = "18"
CHAIN_ID = "0x539"
GO = "linux-amd64/go1.19.8"
LARGEST = {OLD: 512 * 1024, NEW: 5 * 1024 * 1024}
"""Bytes that a request may have."""

CONTENT_TYPES = ("application/json", "application/json-rpc", "application/jsonrequest")
MAX_PEERS = {OLD: 25, NEW: 50}
VANITY = {
    OLD: "d88301081b846765746888676f312e31392e38856c696e7578",
    NEW: "d883010a1a846765746888676f312e31392e38856c696e7578",
}
RECENT = 64
"""Blocks that `clique_status` looks back."""

TREE = Document(documents.GETH_METRICS, blocks=56, seconds=93.07, tree=True)
PAGES = {
    OLD: Document(documents.GETH_PAGES[OLD], blocks=56, seconds=93.07, tree=False),
    NEW: Document(documents.GETH_PAGES[NEW], blocks=16, seconds=20.0, tree=False),
}
PAGES_OFF = {
    version: b"{\n"
    + b",\n".join(
        orjson.dumps(name) + b": " + orjson.dumps(0 if isinstance(value, (int, float)) else value)
        for name, value in page.items()
        if not name.startswith("system/")
    )
    + b"\n}\n"
    for version, page in documents.GETH_PAGES.items()
}
"""Without `--metrics` every figure is 0 and those of the process are missing."""

NULL = b"null"


@dataclass(frozen=True, kw_only=True)
class GethOptions:
    """How one geth is run. `chain` empty means the cluster's own.

    `version` is 1.8.27 or 1.10.26. `pprof` opens a listener for `/debug/metrics`. `vhosts` are the host names that it
    answers to beside addresses; `*` is any. `ethstats` is the listener that it pushes to, as the flag of this name has
    it: `ws://NAME:SECRET@HOST:PORT`.
    """

    name: str
    chain: str = ""
    role: str = "client"
    version: str = OLD
    namespaces: frozenset[str] = NAMESPACES
    vhosts: tuple[str, ...] = ("localhost",)
    pprof: bool = False
    ethstats: str = ""


class RpcError(Exception):
    """An error to be answered in JSON-RPC."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Method(NamedTuple):
    """What answers a JSON-RPC method, and how many parameters it takes at most."""

    call: Callable[[GethNode, list[Any]], bytes]
    most: int = 0
    versions: tuple[str, ...] = (OLD, NEW)


class GethNode(Node[Block]):
    """One geth of a Clique chain."""

    kind = "ethereum"
    maker = "sealer"
    versions = (OLD, NEW)

    def __init__(self, options: GethOptions, network: Network[Block]) -> None:
        super().__init__(options.name, options.role, options.version, network, page=options.pprof)
        self.options = options
        self.pulse = Pulse(self.clique.started, 0)
        self._peers: tuple[int, list[GethNode]] = (-1, [])
        self._pushing = Pushing(place_of(options.ethstats), self) if options.ethstats else None

    @property
    def clique(self) -> Clique:
        """What it knows of its chain."""
        assert isinstance(self.ledger, Clique)
        return self.ledger

    @cached_property
    def address(self) -> str:
        """The address that it seals with, or would."""
        return address_of(self.chain, self.name)

    @cached_property
    def key(self) -> str:
        """The key that it is known by to other nodes, as its enode URL has it: 128 hexadecimal digits."""
        return digits("enode", self.chain, self.name, length=128)

    @cached_property
    def enode(self) -> str:
        """The address for other nodes."""
        return f"enode://{self.key}@127.0.0.1:{self.p2p_port}?discport=0"

    @cached_property
    def node_id(self) -> str:
        """The digest of its key."""
        return keccak(bytes.fromhex(self.key)).hex()

    @property
    def p2p_port(self) -> int:
        """The port for other nodes."""
        return 30_303 + self.place

    @property
    def metrics_url(self) -> str:
        """Where `/debug/metrics` is; empty without `pprof`."""
        return f"{self._page.url}/debug/metrics" if self._page else ""

    @property
    def peers(self) -> list[GethNode]:
        """The nodes that it is connected with: its neighbours on the chain, as many as geth allows."""
        changes, peers = self._peers
        if changes != self.network.changes:
            peers = self._neighbours() if self.reachable else []
            self._peers = (self.network.changes, peers)
        return peers

    @property
    def pending(self) -> int:
        """Transactions that wait for a block."""
        return self.clique.waiting

    def push_to(self, ethstats: str) -> None:
        """Push there from now on, where it did not push before: `ws://NAME:SECRET@HOST:PORT`.

        Raises ValueError for anything else.
        """
        assert self._pushing is None
        self._pushing = Pushing(place_of(ethstats), self)
        self._pushing.begin()

    async def open(self) -> None:
        """Answer, and push where it is to.

        Raises OSError where a port cannot be had.
        """
        await super().open()
        if self._pushing:
            self._pushing.begin()

    async def end(self) -> None:
        """Stop answering and pushing."""
        if self._pushing:
            await self._pushing.end()
        await super().end()

    @property
    def pushes(self) -> bool:
        """Whether it is up, so that it can push."""
        return "down" not in self.faults

    def latest(self) -> Head:
        """Return the head that it has now."""
        self.ledger.advance()
        number = self.head.number
        return Head(number, self.clique.hash(number, self.fork))

    def moments(self) -> tuple[float, float]:
        """Return the time by its clock, and for how many seconds it has run."""
        now = self.branch.clock()
        return now + self.ahead, now - self.pulse.started

    def login(self) -> dict[str, Any]:
        """Return what it says of itself when it logs in to an ethstats listener."""
        return {
            "node": _client_version(self),
            "port": self.p2p_port,
            "net": NETWORK_ID,
            "protocol": "eth/63" if self.version == OLD else "eth/67, eth/66, snap/1",
            "api": "No",
            "os": "linux",
            "os_v": "amd64",
            "client": "0.1.1",
            "canUpdateHistory": True,
        }

    def block_to_push(self, number: int) -> dict[str, Any] | None:
        """Return one of its blocks as geth pushes it: with who sealed it. None for one that it does not have."""
        clique = self.clique
        block = clique.block(number) if number <= self.head.number else None
        return pushed(clique, block, self.fork) if block else None

    def stats_to_push(self) -> dict[str, Any]:
        """Return its state as geth pushes it: these versions call themselves syncing when they are not."""
        return {
            "active": True,
            "syncing": not ("lag" in self.faults and self.faults["lag"]["syncing"]),
            "mining": self.makes_blocks and "paused" not in self.faults,
            "hashrate": 0,
            "peers": len(self.peers),
            "gasPrice": 1,
            "uptime": 100,
        }

    def began(self, now: float) -> None:
        """Start anew: counters at zero."""
        self.pulse = Pulse(now, self.head.number)

    def figures(self) -> list[float]:
        """Return the figures of its metrics; reading them empties the resetting timers."""
        return self.pulse.figures(self.clique.clock(), self.head.number, len(self.peers), self.pending, queued=1)

    def http_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the date, which Go writes into every answer, by the node's own clock."""
        return (("Date", formatdate(self.branch.clock() + self.ahead, usegmt=True)),)

    def own_words(self) -> Mapping[str, Answer]:
        """Return geth's own words for a host name that it does not answer to."""
        return {"forbidden_host": _plain(403, b"invalid host specified\n")}

    def answer_page(self, request: web.BaseRequest) -> Answer:
        """Answer on the metrics listener."""
        if request.path != "/debug/metrics":
            return _plain(404, b"404 page not found\n")
        off = "metrics_off" in self.faults
        body = PAGES_OFF[self.version] if off else PAGES[self.version].write(self.figures())
        return Answer(body, content_type="application/json")

    def answer(self, request: web.BaseRequest, body: bytes) -> Answer:
        """Answer JSON-RPC, after the checks that geth makes of a request."""
        if not self._welcome(request.headers.get("Host", "")):
            return self.own_words()["forbidden_host"]
        if request.method in ("PUT", "DELETE"):
            return _plain(405, b"method not allowed\n")
        if request.method == "GET" and not body and not request.query_string:
            return _plain(200, b"")
        if len(body) > LARGEST[self.version]:
            return _plain(413, f"content length too large ({len(body)}>{LARGEST[self.version]})\n".encode())
        if request.content_type not in CONTENT_TYPES:
            return _plain(415, b"invalid content type, only application/json is supported\n")
        return Answer(self._rpc(body), kind="rpc")

    def _welcome(self, host: str) -> bool:
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if "*" in self.options.vhosts or name.lower() in self.options.vhosts:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _rpc(self, body: bytes) -> bytes:
        try:
            asked = orjson.loads(body)
        except orjson.JSONDecodeError:
            if self.version == OLD:
                return b'{"jsonrpc":"2.0","error":{"code":-32600,"message":"unexpected EOF"}}\n'
            return _error(None, -32700, "parse error") + b"\n"
        if not isinstance(asked, list):
            answer = self._call(asked)
            return answer + b"\n" if answer else b""
        if not asked and self.version != OLD:
            return _error(None, -32600, "empty batch") + b"\n"
        return b"[" + b",".join(filter(None, map(self._call, asked))) + b"]\n"

    def _call(self, asked: object) -> bytes:
        """Answer one call; nothing to a notification, as newer versions do."""
        if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
            return _error(None, -32600, "invalid request")
        name, parameters = asked["method"], asked.get("params")
        self.requests.note_call(name)
        if "id" not in asked:
            return _error(None, -32600, "missing request id") if self.version == OLD else b""
        try:
            result = self._result(name, [] if parameters is None else parameters)
        except RpcError as error:
            return _error(asked["id"], error.code, str(error))
        return b'{"jsonrpc":"2.0","id":' + orjson.dumps(asked["id"]) + b',"result":' + result + b"}"

    def _result(self, name: str, parameters: object) -> bytes:
        method = METHODS.get(name)
        namespace = name.partition("_")[0]
        if (
            method is None
            or self.version not in method.versions
            or (namespace not in self.options.namespaces and namespace != "rpc")
        ):
            the = "The" if self.version == OLD else "the"
            raise RpcError(-32601, f"{the} method {name} does not exist/is not available")
        if not isinstance(parameters, list):
            raise RpcError(-32602, "non-array args")
        if len(parameters) > method.most:
            raise RpcError(-32602, f"too many arguments, want at most {method.most}")
        return method.call(self, parameters)

    def _neighbours(self) -> list[GethNode]:
        members = self.network.members
        near: list[GethNode] = []
        for step in range(1, len(members)):
            offset = (step + 1) // 2 * (1 if step % 2 else -1)
            node = members[(self.place + offset) % len(members)]
            if (
                self.sees(node)
                and node is not self
                and isinstance(node, GethNode)
                and len(near) < MAX_PEERS[self.version]
            ):
                near.append(node)
        return near


def _plain(status: int, body: bytes) -> Answer:
    return Answer(body, status, "text/plain", "other")


def _error(identity: object, code: int, message: str) -> bytes:
    return orjson.dumps({"jsonrpc": "2.0", "id": identity, "error": {"code": code, "message": message}})


def _quantity(number: int) -> bytes:
    return b'"0x%x"' % number


def _debug_metrics(node: GethNode, parameters: list[Any]) -> bytes:
    raw = _boolean(parameters, 0)
    if "metrics_off" in node.faults and raw:
        return documents.GETH_METRICS_OFF
    return TREE.write(node.figures()) if raw else documents.GETH_METRICS_TEXT


def _get_block(node: GethNode, parameters: list[Any]) -> bytes:
    number = _number(node, parameters, 0)
    _boolean(parameters, 1)
    block = node.clique.block(number) if number <= node.head.number else None
    return _header(node, block) if block else NULL


def _header(node: GethNode, block: Block) -> bytes:
    modern = all(member.version != OLD for member in node.network.members)
    vanity = VANITY[NEW if modern else OLD]
    return orjson.dumps(header(node.clique, block, node.fork, vanity, base_fee=modern))


def _syncing(node: GethNode, _: list[Any]) -> bytes:
    lag = node.faults.get("lag")
    if not lag or not lag["syncing"]:
        return b"false"
    progress = {
        "currentBlock": hex(node.head.number),
        "highestBlock": hex(node.clique.head.number),
        "startingBlock": "0x0",
    }
    return orjson.dumps({**progress, **dict.fromkeys(SYNC_FIELDS[node.version], "0x0")})


SYNC_FIELDS = {
    OLD: ("knownStates", "pulledStates"),
    NEW: (
        "healedBytecodeBytes",
        "healedBytecodes",
        "healedTrienodeBytes",
        "healedTrienodes",
        "healingBytecode",
        "healingTrienodes",
        "syncedAccountBytes",
        "syncedAccounts",
        "syncedBytecodeBytes",
        "syncedBytecodes",
        "syncedStorage",
        "syncedStorageBytes",
    ),
}


def _peers(node: GethNode, _: list[Any]) -> bytes:
    return orjson.dumps([_peer(node, peer) for peer in node.peers])


def _peer(node: GethNode, peer: GethNode) -> dict[str, Any]:
    modern = peer.version == NEW
    both = modern and node.version == NEW
    inbound = peer.place > node.place
    head = peer.head
    return {
        "enode": peer.enode,
        "id": peer.node_id,
        "name": _client_version(peer),
        "caps": ["eth/66", "eth/67", "snap/1"] if modern else ["eth/62", "eth/63"],
        "network": {
            "localAddress": f"127.0.0.1:{node.p2p_port if inbound else 40_000 + peer.place}",
            "remoteAddress": f"127.0.0.1:{40_000 + node.place if inbound else peer.p2p_port}",
            "inbound": inbound,
            "trusted": False,
            "static": not inbound,
        },
        "protocols": {
            "eth": {
                "version": 67 if both else 63,
                "difficulty": head.total_difficulty,
                "head": peer.clique.hash(head.number, peer.fork),
            },
            **({"snap": {"version": 1}} if both else {}),
        },
    }


def _node_info(node: GethNode, _: list[Any]) -> bytes:
    clique, head = node.clique, node.head
    config = {
        "chainId": int(CHAIN_ID, 16),
        "homesteadBlock": 0,
        "eip150Block": 0,
        "eip150Hash": ZEROS,
        "eip155Block": 0,
        "eip158Block": 0,
        "byzantiumBlock": 0,
        "constantinopleBlock": 0,
        "petersburgBlock": 0,
        **({"istanbulBlock": 0} if node.version != OLD else {}),
        "clique": {"period": max(round(clique.period), 1) if clique.period else 0, "epoch": EPOCH},
    }
    about = {
        "network": int(NETWORK_ID),
        "difficulty": head.total_difficulty,
        "genesis": clique.hash(0),
        "config": config,
        "head": clique.hash(head.number, node.fork),
    }
    record = {"enr": "enr:-" + digits("enr", node.key, length=180)} if node.version != OLD else {}
    return orjson.dumps(
        {
            "id": node.node_id,
            "name": _client_version(node),
            "enode": node.enode,
            **record,
            "ip": "127.0.0.1",
            "ports": {"discovery": 0, "listener": node.p2p_port},
            "listenAddr": f"[::]:{node.p2p_port}",
            "protocols": {"eth": about, **({"snap": {}} if node.version != OLD else {})},
        }
    )


def _signers(node: GethNode, parameters: list[Any]) -> bytes:
    _known_block(node, parameters)
    return orjson.dumps(node.clique.signers)


def _snapshot(node: GethNode, parameters: list[Any]) -> bytes:
    number = _known_block(node, parameters)
    clique = node.clique
    recent = clique.last(clique.limit, number)
    return orjson.dumps(
        {
            "number": number,
            "hash": clique.hash(number, node.fork),
            "signers": {signer: {} for signer in clique.signers},
            "recents": {str(b.number): clique.signers[b.sealer] for b in reversed(list(recent)) if b.number},
            "votes": [],
            "tally": {},
        }
    )


def _status(node: GethNode, _: list[Any]) -> bytes:
    clique, end = node.clique, node.head.number
    count = RECENT if end >= RECENT else end - 1
    activity = dict.fromkeys(clique.signers, 0)
    in_turn = 0
    for block in clique.last(max(count, 0), end - 1):
        if block.number:
            activity[clique.signers[block.sealer]] += 1
            in_turn += block.difficulty == 2  # noqa: PLR2004 - in turn
    percent = 100 * in_turn / count if count > 0 else 0.0
    whole = int(percent) if percent.is_integer() else percent  # as Go writes it
    return orjson.dumps({"inturnPercent": whole, "sealerActivity": activity, "numBlocks": max(count, 0)})


def _modules(node: GethNode, _: list[Any]) -> bytes:
    return orjson.dumps(dict.fromkeys(sorted({*node.options.namespaces, "rpc"}), "1.0"))


def _client_version(node: GethNode) -> str:
    return f"Geth/{node.name}/v{node.version}-stable/{GO}"


def _mining(node: GethNode, _: list[Any]) -> bytes:
    return b"true" if node.makes_blocks and "paused" not in node.faults else b"false"


def _txpool(node: GethNode, _: list[Any]) -> bytes:
    return orjson.dumps({"pending": hex(node.pending), "queued": "0x1"})


METHODS: Mapping[str, Method] = {
    "admin_nodeInfo": Method(_node_info),
    "admin_peers": Method(_peers),
    "clique_getSigners": Method(_signers, most=1),
    "clique_getSnapshot": Method(_snapshot, most=1),
    "clique_status": Method(_status, versions=(NEW,)),
    "debug_metrics": Method(_debug_metrics, most=1, versions=(OLD,)),
    "eth_blockNumber": Method(lambda node, _: _quantity(node.head.number)),
    "eth_chainId": Method(lambda _, __: b'"%s"' % CHAIN_ID.encode()),
    "eth_gasPrice": Method(lambda _, __: b'"0x1"'),
    "eth_getBlockByNumber": Method(_get_block, most=2),
    "eth_mining": Method(_mining),
    "eth_syncing": Method(_syncing),
    "net_peerCount": Method(lambda node, _: _quantity(len(node.peers))),
    "net_version": Method(lambda _, __: b'"%s"' % NETWORK_ID.encode()),
    "rpc_modules": Method(_modules),
    "txpool_status": Method(_txpool),
    "web3_clientVersion": Method(lambda node, _: orjson.dumps(_client_version(node))),
}


def _boolean(parameters: list[Any], place: int) -> bool:
    """Return a boolean parameter as Go reads it: null is false."""
    if len(parameters) <= place:
        raise RpcError(-32602, f"missing value for required argument {place}")
    value = parameters[place]
    if value is not None and not isinstance(value, bool):
        raise RpcError(
            -32602, f"invalid argument {place}: json: cannot unmarshal {_go(value)} into Go value of type bool"
        )
    return bool(value)


def _number(node: GethNode, parameters: list[Any], place: int) -> int:
    """Return a block number: hexadecimal, or one of the words for it."""
    if len(parameters) <= place:
        raise RpcError(-32602, f"missing value for required argument {place}")
    value = parameters[place]
    if value in ("latest", "pending"):
        return node.head.number
    if value == "earliest":
        return 0
    if not isinstance(value, str) or not value.startswith("0x"):
        raise RpcError(-32602, f"invalid argument {place}: hex string without 0x prefix")
    try:
        number = int(value, 16)
    except ValueError:
        raise RpcError(-32602, f"invalid argument {place}: invalid hex string") from None
    if number.bit_length() > 63:  # noqa: PLR2004 - an int64 in Go
        raise RpcError(-32602, f"invalid argument {place}: Block number too high")
    return number


def _known_block(node: GethNode, parameters: list[Any]) -> int:
    """Return the number of the block that `clique_*` asks about, by default the head's."""
    if not parameters or parameters[0] is None:
        return node.head.number
    number = _number(node, parameters, 0)
    if number > node.head.number or not node.clique.block(number):
        raise RpcError(-32000, "unknown block")
    return number


def _go(value: object) -> str:
    """Return what Go's JSON decoder calls a value."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, (int, float)):
        return "number"
    return "array" if isinstance(value, list) else "object"
