"""The entrypoint's own port, asked by clients that mean no good."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from compose.nodeos import listener
from compose.nodeos.listener import LARGEST_REQUEST, MOST_CONNECTIONS, Listener
from compose.nodeos.parts import parts
from compose.nodeos.saying import Log
from compose.nodeos.settings import read
from tests.real.servers import fetch


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Run a listener; return its port."""
    made = parts(
        read({"CHAINWATCH_NODE": "worker-1", "CHAINWATCH_ROLE": "worker", "CHAINWATCH_DATA": str(tmp_path)}), Log("x")
    )
    made.record.ended('o"dd\\', "why", 0.0, crash=True)
    listening = Listener(("127.0.0.1", 0), made.status, None, made.log)
    listening.begin()
    yield listening.server_address[1]
    listening.shutdown()
    listening.server_close()


def asked(port: int, request: bytes) -> bytes:
    """Send some bytes; return what comes until the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request)
        answer = b""
        while chunk := client.recv(65536):
            answer += chunk
    return answer


def test_the_page_is_one_for_prometheus(port: int) -> None:
    page = fetch(f"http://127.0.0.1:{port}/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(page)}
    assert families["nodeos_entrypoint_exits"].samples[0].labels == {"code": 'o"dd\\'}
    assert families["nodeos_entrypoint_crashes_in_a_row"].samples[0].value == 1
    assert sum(sample.value for sample in families["nodeos_entrypoint_state"].samples) == 1


def test_only_who_has_snapshots_offers_them(port: int) -> None:
    assert fetch(f"http://127.0.0.1:{port}/snapshots").status == 404


def test_head(port: int) -> None:
    head, _, body = asked(port, b"HEAD /status HTTP/1.1\r\nHost: x\r\n\r\n").partition(b"\r\n\r\n")
    assert b"200" in head.splitlines()[0]
    assert not body


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /nothing HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /status HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b"501"),
        (b"GET /status HTTP/9.9\r\n\r\n", b"505"),
        (b"garbage\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * LARGEST_REQUEST, b"431"),
    ],
)
def test_requests_that_are_wrong(port: int, request_: bytes, status: bytes) -> None:
    assert status in asked(port, request_)
    assert fetch(f"http://127.0.0.1:{port}/status").status == 200


def test_a_request_that_never_ends_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "REQUEST_SECONDS", 0.5)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET /status")
        assert b"408" in client.recv(1000).splitlines()[0]
    assert time.monotonic() - began < 3


def test_more_connections_than_are_taken(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(MOST_CONNECTIONS)]
    try:
        time.sleep(0.2)
        assert asked(port, b"").startswith(b"HTTP/1.0 503")
    finally:
        for client in idle:
            client.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and fetch(f"http://127.0.0.1:{port}/status").status != 200:
        time.sleep(0.05)
    assert fetch(f"http://127.0.0.1:{port}/status").status == 200
