"""200 servers at an interval of 1 s for 60 s: how late gathers begin, and whether any is missed.

The simulated cluster runs in a process of its own, the collector in this one with its scrape endpoint, which is
scraped every second as well. `python -m benchmarks.load --help` tells what can be varied.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence

import aiohttp
import uvloop

from chainwatch.running import load_source
from collector.about import About
from collector.agent import Agent, Chain, by_clock
from collector.targets import Target
from collector.ticks import Tick, Ticks
from exporters.prometheus import Prometheus, PrometheusSettings


class _Recorded:
    """Ticks that note how late each was answered to: the time from when it was due to when its gather began."""

    def __init__(self, ticks: Ticks, late: list[float]) -> None:
        self._ticks = ticks
        self._late = late

    async def next(self) -> Tick:
        tick = await self._ticks.next()
        self._late.append(time.time() - tick.due)
        return tick


class _Fixed:
    def __init__(self, targets: list[Target]) -> None:
        self._targets = targets

    async def targets(self) -> list[Target]:
        return self._targets


def main() -> None:
    """Print the figures; exit code 1 if one is worse than promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    sys.exit(uvloop.run(_load(options.servers, options.seconds)))


async def _load(servers: int, seconds: float) -> int:
    arguments = ["--sealers", "3", "--clients", str(servers - 3), "--newer", "0", "--producers", "0", "--workers", "0"]
    cluster = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "compose.simulated", *arguments, "--duration", str(seconds + 60),
        stdout=asyncio.subprocess.PIPE, limit=2**24,
    )  # fmt: skip
    try:
        assert cluster.stdout is not None
        nodes = json.loads(await cluster.stdout.readline())["nodes"]
        return await _watch([_target(node) for node in nodes], seconds)
    finally:
        cluster.terminate()
        await cluster.wait()


def _target(node: dict[str, str]) -> Target:
    return Target(node["chain"], node["kind"], node["name"], node["url"], node["role"], interval=1.0, timeout=1.0)


async def _watch(targets: list[Target], seconds: float) -> int:
    about = About()
    prometheus = Prometheus(PrometheusSettings(port=0), about)
    await prometheus.start()
    late: list[float] = []

    def ticks(target: Target) -> Ticks:
        return _Recorded(by_clock(target), late)

    agent = Agent(load_source, [prometheus], about, ticks)
    await agent.watch([Chain(targets[0].chain, 3600.0, _Fixed(targets))], 1.0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    scrapes = await _scrape(f"http://127.0.0.1:{prometheus.port}/metrics", seconds)
    now = resource.getrusage(resource.RUSAGE_SELF)
    total = _total(about)
    busy = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    delays = sorted(late)
    gathers, missed = total("chainwatch_gathers_total"), total("chainwatch_gathers_missed_total")
    errors, fields = total("chainwatch_gather_errors_total"), total("chainwatch_fields_total")
    await agent.stop(2)
    await prometheus.close(1)
    p99 = delays[int(len(delays) * 0.99)]
    print(
        f"{len(targets)} servers, interval 1 s, {seconds:g} s: {gathers:,.0f} gathers, "
        f"{missed:.0f} missed, {errors:.0f} errors"
    )
    print(f"gathers began after their tick: median {statistics.median(delays) * 1e3:.1f} ms, "
          f"99th percentile {p99 * 1e3:.1f} ms, worst {delays[-1] * 1e3:.1f} ms")  # fmt: skip
    print(f"fields gathered: {fields:,.0f}; one core busy {busy / seconds:.0%}; "
          f"resident at most {now.ru_maxrss / 1024:.0f} MiB")  # fmt: skip
    print(f"scrapes: {len(scrapes)}, median {statistics.median(scrapes) * 1e3:.0f} ms")
    return int(missed > 0 or errors > 0 or p99 > 0.25)  # noqa: PLR2004 - the promise


async def _scrape(url: str, seconds: float) -> Sequence[float]:
    took = []
    end = time.monotonic() + seconds
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        while time.monotonic() < end:
            began = time.monotonic()
            async with session.get(url) as answer:
                await answer.read()
            took.append(time.monotonic() - began)
            await asyncio.sleep(max(0.0, 1 - took[-1]))
    return took


def _total(about: About) -> Callable[[str], float]:
    def total(name: str) -> float:
        return sum(s.value for metric in about.registry.collect() for s in metric.samples if s.name == name)

    return total


if __name__ == "__main__":
    main()
