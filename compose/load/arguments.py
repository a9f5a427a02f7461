"""What the command line of `chainwatch load` may say."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import math
import os
import socket
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson

from compose.load.calls import GET_INFO, call
from compose.load.plan import Load

CEILING = 1000.0
"""Requests a second, at most, to anything but this machine, unless a rate is named."""

_MOST_WORKERS = 100_000
_MOST_REQUESTS = 10**9
_MOST_RATE = 1e6
_MOST_SECONDS = 3600.0
_MOST_PROCESSES = 64
_SPARE_FILES = 64

with contextlib.suppress(ImportError):
    import resource


class Unusable(Exception):  # noqa: N818 - a finding, named as what it finds
    """The arguments contradict each other, or what they name is not there. Says what to do."""


class Url(NamedTuple):
    """An address to load: as it was given, its parts, and the Host header."""

    text: str
    tls: bool
    hostname: str
    port: int
    host: str
    path: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("url", type=_url, metavar="URL", help="of the node or the load balancer: http://127.0.0.1:8888")
    parser.add_argument(
        "--workers", type=_whole(_MOST_WORKERS), default=100, metavar="W", help="that ask side by side (%(default)s)"
    )
    parser.add_argument(
        "--requests", type=_whole(_MOST_REQUESTS), default=10_000, metavar="R", help="of all workers (%(default)s)"
    )
    parser.add_argument(
        "--call",
        type=_call,
        metavar="CALL",
        help=f"what is asked: a path (by default {GET_INFO}), or a method of JSON-RPC (net_peerCount)",
    )
    parser.add_argument(
        "--params", type=_json, metavar="JSON", help="the method's parameters (default []); to a path, they are POSTed"
    )
    parser.add_argument(
        "--rate",
        type=_rate,
        metavar="N",
        help="begin N requests a second, whether or not those before are answered. Without it each worker asks as soon "
        f"as it has its answer, but to anything beyond this machine all together no more than {CEILING:,.0f} a second; "
        "`max`: no such limit",
    )
    parser.add_argument(
        "--late", type=_seconds, default=1.0, metavar="SECONDS", help="count answers after this as late (%(default)s)"
    )
    parser.add_argument(
        "--timeout", type=_seconds, default=10.0, metavar="SECONDS", help="count as failed after this (%(default)s)"
    )
    parser.add_argument("--new-connections", action="store_true", help="open a connection for each request")
    parser.add_argument(
        "--processes",
        type=_whole(_MOST_PROCESSES),
        metavar="N",
        help="of the generator (one for each core, but no more than workers)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def load(options: argparse.Namespace) -> Load:
    """Return the load that the arguments ask for. Looks up the address of the URL's host, once.

    Raises:
        Unusable: there is no such load.

    """
    url: Url = options.url
    path, name = _call_of(url, options.call)
    if not name.startswith("/") and (options.params or "[]")[0] not in "[{":
        raise Unusable(f"--params: a method takes a list of parameters, as '[\"latest\", true]'; {name} was given none")
    processes = min(options.processes or _cores(), options.workers, options.requests, _MOST_PROCESSES)
    _check_files(options.workers, processes)
    addresses = _addresses(url)
    paced = options.rate is not None
    return Load(
        url=url.text,
        hostname=url.hostname,
        host=url.host,
        port=url.port,
        tls=url.tls,
        addresses=addresses,
        call=call(name, path, options.params),
        workers=options.workers,
        requests=options.requests,
        processes=processes,
        rate=options.rate if paced and math.isfinite(options.rate) else None,
        ceiling=None if paced or all(ipaddress.ip_address(each).is_loopback for each in addresses) else CEILING,
        late=options.late,
        timeout=options.timeout,
        new_connections=options.new_connections,
    )


def _call_of(url: Url, name: str | None) -> tuple[str, str]:
    """Return the path that comes before the call, and the call: one may stand at the end of the URL as well."""
    before, nodeos, call_in_url = url.path.partition("/v1/")
    if name is None and nodeos:
        return before or "/", nodeos + call_in_url
    return url.path, name or GET_INFO


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _check_files(workers: int, processes: int) -> None:
    if "resource" not in globals():
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = math.ceil(workers / processes) + _SPARE_FILES
    if most != resource.RLIM_INFINITY and needed > most:
        raise Unusable(
            f"{workers:,} workers in {processes} processes need {needed:,} open files each, and this system allows "
            f"{most:,}; take fewer --workers, or more --processes"
        )


def _addresses(url: Url) -> list[str]:
    """Return the addresses of a host, those of IPv4 if it has any: of a node that listens to both, either will do."""
    try:
        found = socket.getaddrinfo(url.hostname, url.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unusable(f"{url.hostname}: has no address ({error.strerror}); check the URL") from None
    by_family: dict[int, list[str]] = {}
    for family, _, _, _, address in found:
        by_family.setdefault(family, []).append(str(address[0]))
    chosen = by_family.get(socket.AF_INET) or by_family.get(socket.AF_INET6) or []
    if not chosen:
        raise Unusable(f"{url.hostname}: has no address of IPv4 or IPv6; check the URL")
    return list(dict.fromkeys(chosen))


def _url(text: str) -> Url:
    if "://" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} has no scheme; write http://{text}")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("the URL has characters that no URL has; write them as %XX, a name as xn--")
    try:
        parts = urlsplit(text)
        port, hostname = parts.port, parts.hostname
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"the URL can't be read: {error}") from None
    if "@" in parts.netloc:  # not quoted: it may be a password
        raise argparse.ArgumentTypeError("the URL holds a user or a password, which are not sent; leave them out")
    if parts.scheme not in ("http", "https"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither http:// nor https://")
    if not hostname or port == 0:
        raise argparse.ArgumentTypeError(f"{text!r} names no host and port; write http://HOST:PORT")
    if parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(f"{text!r} has a query or a fragment; name the path alone")
    tls = parts.scheme == "https"
    return Url(text, tls, hostname, port or (443 if tls else 80), parts.netloc, parts.path or "/")


def _call(text: str) -> str:
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no call; write a path ({GET_INFO}) or a method (net_peerCount)")
    if "/" in text and not text.startswith("/"):
        raise argparse.ArgumentTypeError(f"{text!r} is no call; a path begins with a slash, as {GET_INFO} does")
    return text


def _json(text: str) -> str:
    try:
        return orjson.dumps(orjson.loads(text)).decode()
    except orjson.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no JSON: {error}; write it in quotes, '[\"latest\", true]'"
        ) from None


def _rate(text: str) -> float:
    if text == "max":
        return math.inf
    return _number(text, _MOST_RATE, f"a rate; write requests a second, {_MOST_RATE:,.0f} at most, or max")


def _seconds(text: str) -> float:
    return _number(text, _MOST_SECONDS, f"a number of seconds; write one above 0, {_MOST_SECONDS:,.0f} at most")


def _number(text: str, most: float, what: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return number


def _whole(most: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        digits = text.replace(",", "").replace("_", "")
        if not (digits.isascii() and digits.isdigit()) or not 1 <= int(digits[:20]) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {most:,}")
        return int(digits)

    return whole
