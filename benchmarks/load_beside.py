"""`chainwatch load` beside wrk: the same server, the same connections, in turns.

Two servers: the simulated nodeos worker, which is written in Python and no fast one, and one that does nothing but
write the same answer again: it shows what the generator itself can do. All share the machine's cores, as they do for
both.

Then the simulated worker is made to close, reset, delay and refuse known numbers of as many requests, and what was
counted is compared with what the worker says that it did: one request of difference is an error.

Needs wrk (apt install wrk). `python -m benchmarks.load_beside --help` tells what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import uvloop

CALL = "/v1/chain/get_info"
RECORDED = Path(__file__).parent.parent / "tests/simulated/samples/nodeos/healthy-api/get_info.get.json"
ARTICLE = 812
"""Requests a second of the script that this command succeeds, by its own account: 500,000 in 615 s, 5,000 workers."""

TROUBLE = {"drop": 250, "reset": 250, "delay": 100, "busy": 400, "seconds": 6.0}
LATE = 5.0
"""Seconds: no answer takes so long of itself."""

_RATE = re.compile(r"Requests/sec:\s*([0-9.]+)")
_BAD = re.compile(r"Non-2xx or 3xx responses: ([0-9]+)|Socket errors: (.*)")


def main() -> None:
    """Print requests a second of both, for each server, and whether client and server count the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500_000, help="of chainwatch to each server (%(default)s)")
    parser.add_argument("--workers", type=int, default=100, help="and connections of wrk (%(default)s)")
    parser.add_argument("--seconds", type=int, default=10, help="of wrk, before and after (%(default)s)")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        uvloop.run(_serve())
        return
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt install wrk")
    print(f"{os.cpu_count()} cores; the article's script: {ARTICLE} requests a second")
    simulated = "compose.simulated --sealers 0 --clients 0 --newer 0 --producers 1 --workers 1"
    for title, module in (("simulated worker", simulated), ("constant answer", "benchmarks.load_beside --serve")):
        with _server(module.split()) as ready:
            _compare(title, _worker(ready)["url"], options)
    with _server(simulated.split()) as ready:
        _count(ready, options)


def _compare(title: str, url: str, options: argparse.Namespace) -> None:
    before = _wrk(url, options)
    told = _chainwatch(url, options)
    after = _wrk(url, options)
    limit = ", which was the limit" if told["generator"]["limit"] else ""
    latency = told["latency"]
    print(f"\n{title}, {options.workers} connections")
    print(f"  wrk         {before:9,.0f}/s before, {after:,.0f}/s after")
    print(f"  chainwatch  {told['requests_per_second']:9,.0f}/s: {told['ok']:,} ok, {told['failed']:,} failed, "
          f"{told['late']:,} late in {told['seconds']:.1f} s")  # fmt: skip
    print(f"  generator busy {told['generator']['busy']:.0%}{limit}; answers within {latency['p50'] * 1e3:.2f} ms "
          f"at the median, {latency['p99'] * 1e3:.2f} ms at the 99th percentile")  # fmt: skip


def _count(ready: dict[str, Any], options: argparse.Namespace) -> None:
    """Compare what is counted with what the worker did; raises AssertionError where they differ."""
    trouble = {**TROUBLE, "every": max(options.requests // 1100, 1)}
    worker = _worker(ready)
    with urllib.request.urlopen(f"{ready['control']}nodes/{worker['name']}/faults/some", orjson.dumps(trouble)):
        pass
    told = _chainwatch(worker["url"], options, "--late", str(LATE), "--timeout", "60")
    with urllib.request.urlopen(ready["control"]) as answer:
        node = _worker(json.load(answer))
    served, failed_by = node["served"], told["failed_by"]
    rows = [
        ("requests", told["made"], node["requests"]),
        ("ok", told["ok"], served["answered"]["200"]),
        ("late", told["late"], served["delayed"]),
        ("closed", failed_by["closed"], served["dropped"]),
        ("reset", failed_by["reset"], served["reset"]),
        ("status_503", failed_by["status_503"], served["answered"]["503"]),
    ]
    print(f"\nsimulated worker in trouble, {options.workers} connections: {told['requests_per_second']:,.0f}/s, "
          f"{told['made']:,} in {told['seconds']:.1f} s")  # fmt: skip
    for name, counted, did in rows:
        print(f"  {name:10} {counted:9,} counted, {did:9,} by the worker")
    assert all(counted == did for _, counted, did in rows), "they differ"
    assert failed_by.keys() == {"closed", "reset", "status_503"}, failed_by


def _wrk(url: str, options: argparse.Namespace) -> float:
    threads = min(os.cpu_count() or 1, options.workers)
    command = ["wrk", f"-t{threads}", f"-c{options.workers}", f"-d{options.seconds}", url + CALL]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if bad := _BAD.search(said):
        print(f"  wrk: {bad[0]}")
    found = _RATE.search(said)
    assert found, said
    return float(found[1])


def _chainwatch(url: str, options: argparse.Namespace, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "chainwatch", "load", url, "--json"]
    command += ["--workers", str(options.workers), "--requests", str(options.requests), *more]
    told: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout)
    return told


@contextmanager
def _server(module: list[str]) -> Iterator[dict[str, Any]]:
    """Start a server and yield what it says in its first line: its nodes, and where it is controlled."""
    with subprocess.Popen([sys.executable, "-m", *module], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _worker(told: dict[str, Any]) -> dict[str, Any]:
    """Return the worker among what a cluster tells."""
    worker: dict[str, Any] = next(node for node in told["nodes"] if node["role"] == "worker")
    return worker


class _Constant(asyncio.Protocol):
    """Answers whatever ends in an empty line."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(self._answer * data.count(b"\r\n\r\n"))


async def _serve() -> None:
    """Answer every request the same, and say where, in the form of the simulated cluster."""
    body = RECORDED.read_bytes()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    server = await asyncio.get_running_loop().create_server(lambda: _Constant(answer), "127.0.0.1", 0, backlog=4096)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(orjson.dumps({"nodes": [{"role": "worker", "url": url}]}).decode(), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    main()
