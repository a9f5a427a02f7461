"""Its HTTP API answers as that of a Leap 4.0.6 was recorded."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.simulated.asking import SAMPLES, shape
from tests.simulated.standin.nodes import Node, until

RECORDED = sorted(
    str(path.relative_to(SAMPLES / "nodeos"))
    for path in (SAMPLES / "nodeos").glob("*/*.meta.json")
    if path.parent.name != "system-contract" and "after_1min" not in path.name
)
EXACT = (
    "errors/404",
    "errors/bad",
    "errors/get_info",
    "errors/get_block",
    "errors/http",
    "healthy-api/producer_",
    "healthy-api/get_supp",
)
ANSWERS = 40
"""Connections that may be open; one more is told that it is busy."""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    """Run a producer and a node that follows it, and is followed by another, for all tests of this module."""
    folder = tmp_path_factory.mktemp("nodes")
    producer, worker, other = (Node(folder, name) for name in ("producer", "worker", "other"))
    producer.produces()
    other.follows(worker)
    worker.configure(
        f"p2p-peer-address = 127.0.0.1:{producer.p2p}",
        f"http-max-in-flight-requests = {ANSWERS}",
        "plugin = eosio::prometheus_plugin",
        f"prometheus-exporter-address = 127.0.0.1:{worker.page}",
    )
    producer.start().up()
    worker.start().up().reaches(3)
    other.start().up()
    until(lambda: worker.connected() == 2)
    yield producer, worker
    assert [node.stop() for node in (producer, worker, other)] == [0, 0, 0]


@pytest.mark.parametrize("name", RECORDED)
def test_it_answers_as_recorded(pair: tuple[Node, Node], name: str) -> None:
    path = SAMPLES / "nodeos" / name
    meta = json.loads(path.read_bytes())
    recorded = (path.parent / meta["body_file"]).read_bytes()
    worker = pair[1]
    crowd = [socket.create_connection(("127.0.0.1", worker.port)) for _ in range(ANSWERS if "busy" in name else 0)]
    until(lambda: not crowd or refused(worker))
    try:
        status, headers, body = replayed(worker, meta)
    finally:
        for one in crowd:
            one.close()
        until(lambda: not crowd or not refused(worker))
    assert status == meta["status"]
    for header in ("Content-Type", "Server", "Connection"):
        if header in dict(meta["response_headers"]):
            assert headers[header] == dict(meta["response_headers"])[header]
    if name.startswith(EXACT):
        assert body == recorded
    elif "prometheus" in name and "404" not in name:
        assert names(body) == names(recorded)
    else:
        found, expected = json.loads(body), json.loads(recorded)
        if "snapshot_name" in found:
            found["snapshot_name"] = "/data/snapshots/" + Path(found["snapshot_name"]).name
        assert shape(found) == shape(expected)
        assert isinstance(found, list) or list(found) == list(expected)


def names(page: bytes) -> list[bytes]:
    return [line.rpartition(b" ")[0] for line in page.splitlines()]


def refused(node: Node) -> bool:
    try:
        return node.ask("/v1/chain/get_info")[0] == 503
    except OSError:
        return True


def replayed(node: Node, meta: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """Send a recorded request, byte for byte but for its port."""
    method, path = meta["request"].split()
    port = node.page if meta["port"] == 9101 else node.port
    headers = {**meta["request_headers"]}
    if headers.get("Host", "").startswith("127.0.0.1:"):
        headers["Host"] = f"127.0.0.1:{port}"
    body = meta["request_body"] or ""
    if "get_block_info" in path and "100062" not in body:
        body = json.dumps({"block_num": node.head()})
        headers["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
    status, found, answer = raw(port, "\r\n".join(lines).encode())
    return status, found, answer


def raw(port: int, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes and read until the other end closes; the status is 0 where nothing came."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(sent)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    if not received:
        return 0, {}, b""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), body


def test_get_info_has_every_field_in_its_type(pair: tuple[Node, Node]) -> None:
    recorded = json.loads((SAMPLES / "nodeos/healthy-api/get_info.get.json").read_bytes())
    for node in pair:
        info = node.info()
        assert {name: type(value) for name, value in info.items()} == {n: type(v) for n, v in recorded.items()}
        assert list(info) == list(recorded)
        assert int(info["head_block_id"][:8], 16) == info["head_block_num"]
        growth = 1.001 ** (info["head_block_num"] - 1)
        assert info["virtual_block_cpu_limit"] == int(200_000 * growth)


def test_the_head_is_as_young_as_that_of_a_real_producer(pair: tuple[Node, Node]) -> None:
    ages = []
    for _ in range(20):
        found = pair[0].info()["head_block_time"]
        ages.append(time.time() - datetime.fromisoformat(f"{found}+00:00").timestamp())
        time.sleep(0.05)
    assert min(ages) > -0.25
    assert max(ages) < 0.6


def test_the_page_is_on_a_listener_of_its_own(pair: tuple[Node, Node]) -> None:
    status, _, body = raw(pair[1].page, b"GET /v1/prometheus/metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert status == 200
    assert b"# TYPE head_block_num gauge\nhead_block_num " in body
    assert raw(pair[1].page, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")[0] == 404


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"garbage\r\n\r\n", b"GET /\r\n\r\n", b"\0" * 100]
)
def test_what_is_no_http_is_answered_with_silence(pair: tuple[Node, Node], sent: bytes) -> None:
    assert raw(pair[1].port, sent) == (0, {}, b"")


def test_a_head_or_a_body_without_end_is_cut_off(pair: tuple[Node, Node]) -> None:
    begun = b"POST /v1/chain/get_info HTTP/1.1\r\nHost: x\r\n"
    assert raw(pair[1].port, begun + b"A" * 10_000)[0] == 0
    assert raw(pair[1].port, begun + b"Content-Length: 99999999\r\n\r\n")[0] == 413
    assert raw(pair[1].port, begun + b"Content-Length: -1\r\n\r\n")[0] == 0


def test_requests_on_one_connection_are_answered_in_order(pair: tuple[Node, Node]) -> None:
    """Also one that arrives in pieces, and one behind another that is long in coming."""
    producer = pair[0]
    head = f"Host: 127.0.0.1:{producer.port}\r\n"
    asked = "".join(
        f"GET {path} HTTP/1.1\r\n{head}{more}\r\n"
        for path, more in (
            ("/v1/chain/get_info", ""),
            ("/v1/producer/create_snapshot", ""),
            ("/v1/producer/paused", "Connection: close\r\n"),
        )
    ).encode()
    with socket.create_connection(("127.0.0.1", producer.port), 5) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(asked), 40):
            client.sendall(asked[at : at + 40])
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.count(b"HTTP/1.1 20") == 3
    assert received.index(b"head_block_producer") < received.index(b"snapshot_name") < received.index(b"false")


def test_only_what_plugins_offer_is_there(node: Node) -> None:
    text = (node.config / "config.ini").read_text().replace("plugin = eosio::producer_api_plugin\n", "")
    (node.config / "config.ini").write_text(text)
    node.start().up()
    assert node.ask("/v1/producer/create_snapshot")[0] == 404
    _, found = node.ask("/v1/node/get_supported_apis")
    assert "/v1/net/connections" in found["apis"]
    assert not [path for path in found["apis"] if path.startswith("/v1/producer")]
    assert node.ask("/v1/chain/get_account", {"account_name": "x"})[0] == 500


def test_hosts_are_checked_unless_that_is_switched_off(node: Node) -> None:
    def status(host: str) -> int:
        return raw(node.port, f"GET /v1/chain/get_info HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())[
            0
        ]

    node.configure("http-alias = node.example:8888")
    node.start().up()
    assert status(f"127.0.0.1:{node.port}") == 200
    assert status("node.example:8888") == 200
    assert status(f"localhost:{node.port}") == 400
    assert status("127.0.0.1") == 400
    node.stop()
    node.configure("http-validate-host = false")
    node.start().up()
    assert status("anything") == 200


def test_on_all_addresses_the_one_that_was_asked_is_welcome(node: Node) -> None:
    text = (node.config / "config.ini").read_text().replace("127.0.0.1", "0.0.0.0")
    (node.config / "config.ini").write_text(text)
    node.start().up()
    client = http.client.HTTPConnection("127.0.0.2", node.port, timeout=5)
    client.request("GET", "/v1/chain/get_info")
    assert client.getresponse().status == 200
    client.close()


def test_blocks_are_given_by_number_and_by_id(pair: tuple[Node, Node]) -> None:
    worker = pair[1]
    worker.reaches(4)
    _, third = worker.ask("/v1/chain/get_block", {"block_num_or_id": 3})
    assert worker.ask("/v1/chain/get_block", {"block_num_or_id": third["id"]}) == (200, third)
    assert worker.ask("/v1/chain/get_block", {"block_num_or_id": "3"}) == (200, third)
    _, before = worker.ask("/v1/chain/get_block", {"block_num_or_id": 2})
    assert third["previous"] == before["id"]
    assert worker.ask("/v1/chain/get_block", {"block_num_or_id": "00000003" + "0" * 56})[0] == 400
    assert worker.ask("/v1/chain/get_block", {"block_num_or_id": "x"})[0] == 400
    assert worker.ask("/v1/chain/get_block_info", {"block_num": True})[0] == 400


@pytest.mark.slow
def test_it_is_light_and_quick(pair: tuple[Node, Node]) -> None:
    """Some thousand answers a second over one connection; little memory; nearly nothing to do between."""
    worker = pair[1]
    assert worker.process
    own = Path(f"/proc/{worker.process.pid}")
    client = http.client.HTTPConnection("127.0.0.1", worker.port, timeout=5)
    began = time.monotonic()
    for _ in range(2000):
        client.request("GET", "/v1/chain/get_info")
        client.getresponse().read()
    client.close()
    assert time.monotonic() - began < 4  # most of which is this client's own
    resident = next(int(line.split()[1]) for line in (own / "status").read_text().splitlines() if "VmRSS" in line)
    assert resident < 40_000
    before = sum(map(int, (own / "stat").read_text().rpartition(")")[2].split()[11:13]))
    time.sleep(4)
    after = sum(map(int, (own / "stat").read_text().rpartition(")")[2].split()[11:13]))
    assert (after - before) / 4 <= 5  # hundredths of a second in a second
