"""The control interface: lists the nodes, and gives and takes away their faults, over HTTP on loopback.

GET /                                 every node, with what it did with requests (`served`), and every fault there is
POST /nodes/{name}/faults/{fault}     the fault's parameters as a JSON object, or nothing
DELETE /nodes/{name}/faults/{fault}   this fault
DELETE /nodes/{name}/faults           all of them
"""

from __future__ import annotations

from collections.abc import Mapping
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


class Control:
    """The control interface of some nodes."""

    def __init__(self, nodes: Mapping[str, Controlled], port: int = 0) -> None:
        self._nodes = nodes
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
        body = await request.read()
        try:
            parameters = orjson.loads(body) if body else {}
        except orjson.JSONDecodeError as error:
            raise FaultError(f"the body is no JSON: {error}") from None
        if not isinstance(parameters, dict):
            raise FaultError("the body is no JSON object")
        await node.fault(request.match_info["fault"], **parameters)
        return _json(node.describe())

    async def _heal(self, request: web.Request) -> web.Response:
        node = self._node(request)
        fault = request.match_info.get("fault")
        if fault is not None and fault not in FAULTS:
            raise FaultError(f"no fault {fault[:LONGEST]!r}; there are {', '.join(FAULTS)}")
        await node.heal(*([fault] if fault else []))
        return _json(node.describe())

    def _node(self, request: web.Request) -> Controlled:
        name = request.match_info["name"]
        node = self._nodes.get(name)
        if node is None:
            raise NoSuchNodeError(f"no node {name[:LONGEST]!r}; there are {', '.join(self._nodes) or 'none'}")
        return node


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
        return _json({"error": f"nothing at {request.path[:LONGEST]!r}; there is {paths}"}, 404)


def _json(document: object, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")
