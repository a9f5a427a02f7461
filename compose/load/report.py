"""What a load came to, as JSON and in words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from compose.load.histogram import Histogram
from compose.load.judging import Judgement, judge
from compose.load.plan import Load
from compose.load.processes import Outcome

PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p99_9": 0.999}

_BAR = 40
_MEANINGS = {
    "refused": "nobody listens there",
    "unreachable": "no connection to be had",
    "tls": "no TLS, or a certificate that is not trusted",
    "own_limit": "this machine lacked files, ports or memory",
    "reset": "the connection was reset",
    "closed": "the connection was closed instead of an answer",
    "cut": "the connection was closed within the answer",
    "timeout": "no answer, or not all of it, in time",
    "not_http": "the answer was not HTTP",
    "not_json": "the answer was not JSON",
    "not_asked": "the answer was JSON, but not what was asked for",
    "too_large": "the answer had no end",
    "others": "in yet other ways",
}


class GeneratorReport(msgspec.Struct, frozen=True):
    """How busy the generator was; see docs/load.md."""

    limit: bool
    busy: float | None
    lag_p99: float | None
    lag_max: float | None


class Report(msgspec.Struct, frozen=True):
    """What `--json` prints; docs/load.md explains every field."""

    url: str
    call: str
    workers: int
    processes: int
    rate: float | None
    ceiling: float | None
    new_connections: bool
    late_after: float
    timeout: float
    requests: int
    made: int
    ok: int
    late: int
    failed: int
    failed_by: dict[str, int]
    abandoned: int
    complete: bool
    seconds: float
    requests_per_second: float
    ok_per_second: float
    latency: dict[str, float | None]
    generator: GeneratorReport
    remarks: list[str]


def report(load: Load, outcome: Outcome) -> Report:
    """Return what a load came to."""
    tally = outcome.tally
    judgement = judge(load, outcome)
    latencies = tally.latencies
    return Report(
        url=load.url,
        call=load.call.name,
        workers=load.workers,
        processes=load.processes,
        rate=load.rate,
        ceiling=load.ceiling,
        new_connections=load.new_connections,
        late_after=load.late,
        timeout=load.timeout,
        requests=load.requests,
        made=tally.made,
        ok=tally.ok,
        late=tally.late,
        failed=tally.failures,
        failed_by=dict(sorted(tally.failed.items())),
        abandoned=tally.begun - tally.made,
        complete=tally.made == load.requests,
        seconds=outcome.seconds,
        requests_per_second=_per_second(tally.made, outcome.seconds),
        ok_per_second=_per_second(tally.ok, outcome.seconds),
        latency={name: latencies.at(share) for name, share in PERCENTILES.items()}
        | {"max": latencies.longest if latencies.count else None, "mean": latencies.mean},
        generator=_generator(judgement),
        remarks=judgement.remarks,
    )


def _generator(judgement: Judgement) -> GeneratorReport:
    strain = judgement.strain
    if strain is None:
        return GeneratorReport(judgement.limit, None, None, None)
    return GeneratorReport(judgement.limit, strain.busy, strain.lag, strain.lag_longest)


def in_words(told: Report, latencies: Histogram) -> str:
    """Return a report for people, several lines."""
    return "\n".join([*_counts(told), *_latency(told, latencies), *_remarks(told)])


def _counts(told: Report) -> Iterator[str]:
    where = told.url if told.url.endswith(told.call) else f"{told.call} at {told.url}"
    workers = _plural(told.workers, "worker")
    paced = f", {told.rate:,.6g} a second" if told.rate else ""
    yield f"{where}: {_plural(told.requests, 'request')} by {workers}{paced}"
    yield ""
    width = len(f"{max(told.requests, 1):,}")
    late = f"  of which {told.late:,} late: after more than {_time(told.late_after)}" if told.late else ""
    yield f"  ok      {told.ok:>{width},}{late}"
    yield f"  failed  {told.failed:>{width},}"
    for kind, count in sorted(told.failed_by.items(), key=lambda item: -item[1]):
        yield f"          {count:>{width},}  {_meaning(kind, told.timeout)}"
    if not told.complete:
        left = told.requests - told.made - told.abandoned
        yield f"  left    {told.abandoned + left:>{width},}  of which {told.abandoned:,} were under way"
    yield ""
    ok = "" if told.ok == told.made else f", {told.ok_per_second:,.0f} of them ok"
    yield f"  {told.requests_per_second:,.0f} requests a second{ok}, for {told.seconds:,.1f} s"


def _latency(told: Report, latencies: Histogram) -> Iterator[str]:
    if not latencies.count:
        return
    names = {"p50": "50 %", "p90": "90 %", "p99": "99 %", "p99_9": "99.9 %", "max": "all"}
    within = ", ".join(f"{text} within {_time(told.latency[name] or 0.0)}" for name, text in names.items())
    yield f"  answered: {within}"
    yield ""
    yield from picture(latencies)


def picture(latencies: Histogram) -> Iterator[str]:
    """Yield a row for each step of 1, 2, 5, 10, 20, 50 ...: up to what, how many, and a bar."""
    limits = [step * 10**power / 1e6 for power in range(12) for step in (1, 2, 5)]
    rows = [0] * len(limits)
    for lowest, _, count in latencies.buckets():
        rows[min(bisect_right(limits, lowest), len(limits) - 1)] += count
    filled = [index for index, count in enumerate(rows) if count]
    most = max(rows)
    width = len(f"{most:,}")
    for index in range(filled[0], filled[-1] + 1):
        bar = "#" * round(rows[index] / most * _BAR) or ("." if rows[index] else "")
        yield f"  up to {_time(limits[index]):>7}  {rows[index]:>{width},}  {bar}".rstrip()


def _remarks(told: Report) -> Iterator[str]:
    if told.remarks:
        yield ""
    yield from told.remarks


def _meaning(kind: str, timeout: float) -> str:
    if kind == "timeout":
        return f"timeout: {_MEANINGS[kind]} ({_time(timeout)})"
    if kind.startswith("status_"):
        return f"status {kind.removeprefix('status_')}"
    if kind.startswith("rpc_error"):
        code = kind.removeprefix("rpc_error").removeprefix("_")
        return f"JSON-RPC error {code}".rstrip()
    return f"{kind.replace('_', ' ')}: {_MEANINGS[kind]}"


def _per_second(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _time(seconds: float) -> str:
    for unit, factor in (("us", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:  # noqa: PLR2004 - three digits
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:,.3g} s" if seconds < 999.5 else f"{seconds:,.0f} s"  # noqa: PLR2004 - as above
