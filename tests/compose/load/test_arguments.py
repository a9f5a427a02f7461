"""From the command line to a load."""

from __future__ import annotations

import argparse
import socket

import pytest

from compose.load.arguments import CEILING, add_arguments, load
from compose.load.plan import Load


def asked(*arguments: str) -> Load:
    """Return the load that these arguments ask for."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return load(parser.parse_args(arguments))


def test_defaults() -> None:
    found = asked("http://127.0.0.1:8888")
    assert (found.addresses, found.port, found.host, found.tls) == (["127.0.0.1"], 8888, "127.0.0.1:8888", False)
    assert (found.call.name, found.call.path) == ("/v1/chain/get_info", "/v1/chain/get_info")
    assert (found.workers, found.requests, found.rate, found.ceiling) == (100, 10_000, None, None)
    assert 1 <= found.processes <= 64


@pytest.mark.parametrize(
    ("arguments", "name", "path"),
    [
        (["http://127.0.0.1"], "/v1/chain/get_info", "/v1/chain/get_info"),
        (["http://127.0.0.1/"], "/v1/chain/get_info", "/v1/chain/get_info"),
        (["http://127.0.0.1/eos"], "/v1/chain/get_info", "/eos/v1/chain/get_info"),
        (["http://127.0.0.1/v1/chain/get_block"], "/v1/chain/get_block", "/v1/chain/get_block"),
        (["http://127.0.0.1/eos/v1/chain/get_block"], "/v1/chain/get_block", "/eos/v1/chain/get_block"),
        (["http://127.0.0.1/eos", "--call", "/v1/net/status"], "/v1/net/status", "/eos/v1/net/status"),
        (["http://127.0.0.1", "--call", "net_peerCount"], "net_peerCount", "/"),
        (["http://127.0.0.1/rpc", "--call", "net_peerCount"], "net_peerCount", "/rpc"),
        (["http://127.0.0.1/v1/key", "--call", "net_peerCount"], "net_peerCount", "/v1/key"),
    ],
)
def test_what_is_asked(arguments: list[str], name: str, path: str) -> None:
    found = asked(*arguments)
    assert (found.call.name, found.call.path) == (name, path)


def test_beyond_this_machine_there_is_a_ceiling() -> None:
    assert asked("http://192.0.2.1").ceiling == CEILING == 1000
    named = asked("http://192.0.2.1", "--rate", "5000")
    assert (named.ceiling, named.rate) == (None, 5000.0)
    unlimited = asked("http://192.0.2.1", "--rate", "max")
    assert (unlimited.ceiling, unlimited.rate) == (None, None)


@pytest.mark.skipif(not socket.has_ipv6, reason="there is no IPv6 here")
def test_ipv6() -> None:
    found = asked("http://[::1]:8888")
    assert (found.addresses, found.hostname, found.host, found.ceiling) == (["::1"], "::1", "[::1]:8888", None)


def test_a_name_keeps_its_host_header() -> None:
    found = asked("http://localhost:8888")
    assert (found.addresses, found.host) == (["127.0.0.1"], "localhost:8888")


def test_no_more_processes_than_there_is_work_for() -> None:
    assert asked("http://127.0.0.1", "--processes", "8", "--workers", "3").processes == 3
    assert asked("http://127.0.0.1", "--processes", "8", "--requests", "2").processes == 2
