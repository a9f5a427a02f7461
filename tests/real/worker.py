"""A worker in a process of its own: just so much of nodeos's API as a load balancer and a collector ask for.

`python -m tests.real.worker ADDRESS PORT NAME`. Blocks come by the clock, two a second; SIGUSR1 stops it taking them,
as a worker that is cut off does, SIGUSR2 lets it go on. A request whose body is `FAULT FILE` has a fault befall the
first worker that gets it, which removes the file: `die` ends it with the request in hand, `half` in the middle of the
answer, `busy` has it answer 503. `missing` is answered with 500, by everyone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

CHAIN = "00" * 32


class Worker:
    """What it has been asked, and how far it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.stuck_at: float | None = None
        self.last = 0.0

    def stick(self) -> None:
        """Take no more blocks."""
        self.stuck_at = time.time()

    def go_on(self) -> None:
        """Take blocks again."""
        self.stuck_at = None

    def info(self) -> dict[str, object]:
        """Return what get_info says, and who says it."""
        head = int((self.stuck_at or time.time()) * 2)
        stamp = datetime.fromtimestamp(head / 2, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        return {
            "server_version": self.name,
            "chain_id": CHAIN,
            "head_block_num": head % 2**31,
            "head_block_id": f"{head:064x}",
            "head_block_time": stamp,
            "head_block_producer": "eosio",
            "last_irreversible_block_num": head % 2**31 - 1,
            "server_version_string": "v4.0.6",
        }

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer whatever is asked."""
        body = await request.text()
        if request.path == "/told":
            return web.json_response({"counts": self.counts, "last": self.last})
        self.counts[request.raw_path] += 1
        if "X-Forwarded-For" in request.headers:  # neither a health check nor a collector
            self.last = time.time()
        fault = _fault(body)
        if fault == "die":
            os._exit(9)
        if fault == "half":
            response = web.StreamResponse(headers={"Content-Length": "2000000"})
            await response.prepare(request)
            await response.write(b"x" * 1000)
            os._exit(9)
        if fault:
            return web.json_response({"error": {"name": fault}}, status={"busy": 503, "missing": 500}[fault])
        status, document = self._document(request.raw_path, body)
        return web.json_response(document, status=status)

    def _document(self, path: str, body: str) -> tuple[int, object]:
        if path == "/v1/chain/get_info":
            return 200, self.info()
        if path.startswith("/v1/net/"):
            return 201, []
        if path.startswith(("/v1/chain/", "/v1/history/", "/v1/trace_api/")):
            return 200, {"by": self.name, "asked": len(body), "path": path}
        return 404, {"code": 404}


def _fault(body: str) -> str:
    """Return the fault that a body asks for, unless it has befallen somebody already."""
    fault, _, file = body.partition(" ")
    if fault not in ("die", "half", "busy", "missing"):
        return ""
    try:
        if file:
            Path(file).unlink()
    except FileNotFoundError:
        return ""
    return fault


def main() -> None:
    """Serve until killed."""
    address, port, name = sys.argv[1:]
    worker = Worker(name)
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{path:.*}", worker.answer)

    async def ready(_: web.Application) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: worker.stick())
        signal.signal(signal.SIGUSR2, lambda *_: worker.go_on())

    app.on_startup.append(ready)
    web.run_app(app, host=address, port=int(port), print=None, access_log=None, handle_signals=False)


if __name__ == "__main__":
    main()
