"""The control interface: lists the nodes, and gives and takes away their faults, over HTTP on loopback.

GET /                                 every node, with what it did with requests (`served`), and every fault there is
POST /nodes/{name}/faults/{fault}     the fault's parameters as a JSON object, or nothing
DELETE /nodes/{name}/faults/{fault}   this fault
DELETE /nodes/{name}/faults           all of them
POST /chains/{name}/split             {"sides": [[NODE, ...], ...]}: who is named together sees each other alone
DELETE /chains/{name}/split           all see each other again
POST /chains/{name}/transactions      {"count": N}: so many come now
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from compose.simulated.faults import FAULTS, LONGEST, FaultError
from compose.simulated.serving import LOOPBACK

LARGEST = 64 * 1024
"""Bytes that a request may have."""


class NoSuchNodeError(LookupError):
    """A node that there is not: the message names those that there are."""


class Controlled(Protocol):
    """What the control interface needs of a node."""

    def describe(self) -> dict[str, Any]:
        """Return what is to be said of it."""

    async def fault(self, name: str, /, **parameters: float | str) -> None:
        """Have a fault."""

    async def heal(self, *names: str) -> None:
        """Lose faults."""


class Chains(Protocol):
    """What the control interface needs of the chains. Each of these raises FaultError for a chain that there is not."""

    async def split(self, chain: str, *sides: Iterable[str]) -> None:
        """Let a network fall apart."""

    async def join(self, chain: str) -> None:
        """Let it be whole again."""

    def submit(self, chain: str, transactions: int) -> None:
        """Let transactions come."""


class Control:
    """The control interface of some nodes, and of their chains if there are any to control."""

    def __init__(self, nodes: Mapping[str, Controlled], port: int = 0, chains: Chains | None = None) -> None:
        self._nodes = nodes
        self._chains = chains
        self._port = port
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def open(self) -> None:
        """Answer.

        Raises OSError where the port cannot be had.
        """
        app = web.Application(client_max_size=LARGEST, middlewares=[_answered])
        app.router.add_get("/", self._list)
        app.router.add_post("/nodes/{name}/faults/{fault}", self._fault)
        app.router.add_delete("/nodes/{name}/faults/{fault}", self._heal)
        app.router.add_delete("/nodes/{name}/faults", self._heal)
        if self._chains:
            app.router.add_post("/chains/{chain}/split", self._split)
            app.router.add_delete("/chains/{chain}/split", self._join)
            app.router.add_post("/chains/{chain}/transactions", self._submit)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://{LOOPBACK}:{self._port}/"

    async def end(self) -> None:
        """Stop answering."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _list(self, _: web.Request) -> web.Response:
        faults = {
            name: {"help": fault.help, "parameters": dict(fault.parameters), "kinds": fault.kinds}
            for name, fault in FAULTS.items()
        }
        return _json({"nodes": [node.describe() for node in self._nodes.values()], "faults": faults})

    async def _fault(self, request: web.Request) -> web.Response:
        node = self._node(request)
        await node.fault(request.match_info["fault"], **await _parameters(request))
        return _json(node.describe())

    async def _heal(self, request: web.Request) -> web.Response:
        node = self._node(request)
        fault = request.match_info.get("fault")
        if fault is not None and fault not in FAULTS:
            raise FaultError(f"no fault {fault[:LONGEST]!r}; there are {', '.join(FAULTS)}")
        await node.heal(*([fault] if fault else []))
        return _json(node.describe())

    async def _split(self, request: web.Request) -> web.Response:
        assert self._chains
        sides = (await _parameters(request)).get("sides")
        if not isinstance(sides, list) or not all(map(_are_names, sides)):
            raise FaultError("sides is no list of lists of nodes")
        await self._chains.split(request.match_info["chain"], *sides)
        return _json({})

    async def _join(self, request: web.Request) -> web.Response:
        assert self._chains
        await self._chains.join(request.match_info["chain"])
        return _json({})

    async def _submit(self, request: web.Request) -> web.Response:
        assert self._chains
        count = (await _parameters(request)).get("count")
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise FaultError("count is no whole number, zero or more")
        self._chains.submit(request.match_info["chain"], count)
        return _json({})

    def _node(self, request: web.Request) -> Controlled:
        name = request.match_info["name"]
        node = self._nodes.get(name)
        if node is None:
            raise NoSuchNodeError(f"no node {name[:LONGEST]!r}; there are {', '.join(self._nodes) or 'none'}")
        return node


def _are_names(side: object) -> bool:
    return isinstance(side, list) and all(isinstance(name, str) for name in side)


async def _parameters(request: web.Request) -> dict[str, Any]:
    body = await request.read()
    try:
        parameters = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise FaultError(f"the body is no JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise FaultError("the body is no JSON object")
    return parameters


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what went wrong into an answer that says so."""
    try:
        return await handler(request)
    except FaultError as error:
        return _json({"error": str(error)}, 400)
    except NoSuchNodeError as error:
        return _json({"error": str(error)}, 404)
    except web.HTTPNotFound:
        paths = "GET /, POST and DELETE /nodes/{name}/faults/{fault}, DELETE /nodes/{name}/faults"
        paths += ", POST and DELETE /chains/{name}/split, POST /chains/{name}/transactions"
        return _json({"error": f"nothing at {request.path[:LONGEST]!r}; there is {paths}"}, 404)


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")
