"""Simulated geths answer as recorded ones did: the same names, types, statuses and errors."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import hypothesis
import pytest
from hypothesis import strategies as st

from compose.simulated import GethNode, GethOptions, SimulatedCluster, documents
from compose.simulated.geth import METHODS
from tests.helpers import run
from tests.simulated.asking import SAMPLES, START, Clock, asking, call, get, result, shape

RECORDED = sorted(path.stem for path in (SAMPLES / "geth").glob("v*.json") if "http_bad" not in path.stem)


def small(version: str, **more: Any) -> SimulatedCluster:  # noqa: ANN401 - options of every type
    """Return a chain of three geths of one version, two of them sealers, as the recorded one was."""
    return SimulatedCluster(
        sealers=0,
        clients=0,
        newer=0,
        producers=0,
        workers=0,
        more=[
            GethOptions(name="n1", role="sealer", version=version, pprof=True, **more),
            GethOptions(name="n2", role="sealer", version=version),
            GethOptions(name="n3", version=version),
        ],
        clock=Clock(),
        ethereum_load=0,
    )


def first(cluster: SimulatedCluster) -> GethNode:
    node = cluster.nodes["n1"]
    assert isinstance(node, GethNode)
    return node


def recorded(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SAMPLES / "geth" / f"{name}.json").read_bytes())
    return document


@pytest.mark.parametrize("name", RECORDED)
def test_it_answers_as_recorded(name: str) -> None:
    sample = recorded(name)
    asked = sample.get("request", {"jsonrpc": "2.0", "id": 1, "method": "eth_syncing", "params": []})

    async def scenario() -> None:
        async with small(name.partition("_")[0].removeprefix("v")) as cluster, asking() as session:
            node = first(cluster)
            if name.endswith("syncing_active"):
                await node.fault("lag", blocks=40, syncing=1)
            async with session.post(node.url, json=asked) as response:
                assert response.status == sample.get("http_status", 200)
                assert response.content_type == "application/json"
                body = await response.read()
        answer = json.loads(body)
        assert shape(answer) == shape(sample["response"])
        assert body.endswith(b"\n")
        if isinstance(answer, dict) and "error" in answer:
            assert answer == sample["response"]

    run(scenario())


def test_the_genesis_block_and_its_difficulty_are_as_recorded() -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, asking() as session:
            block = await result(session, first(cluster), "eth_getBlockByNumber", "0x0", False)
            then = recorded("v1.8.27_eth_getBlockByNumber_genesis")["response"]["result"]
            for name in ("difficulty", "totalDifficulty", "number", "parentHash", "gasLimit", "miner", "nonce"):
                assert block[name] == then[name]

    run(scenario())


@pytest.mark.parametrize("name", ["bad_content_type", "bad_host_header", "bad_json"])
def test_it_refuses_requests_as_recorded(name: str) -> None:
    sample = recorded(f"v1.8.27_http_{name}")

    async def scenario() -> None:
        async with (
            small("1.8.27") as cluster,
            asking() as session,
            session.post(first(cluster).url, data=sample["request"], headers=sample["headers"]) as response,
        ):
            assert response.status == sample["http_status"]
            assert await response.text() == sample["response"]

    run(scenario())


def test_host_names_need_a_word_for_them() -> None:
    async def status(options: dict[str, Any], host: str) -> int:
        async with small("1.8.27", **options) as cluster, asking() as session:
            body = b'{"jsonrpc":"2.0","id":1,"method":"net_version"}'
            headers = {"Host": host, "Content-Type": "application/json"}
            async with session.post(first(cluster).url, data=body, headers=headers) as response:
                return response.status

    async def scenario() -> None:
        for host in ("127.0.0.1", "10.1.2.3:8545", "[::1]:8545", "localhost:8545", "LOCALHOST"):
            assert await status({}, host) == 200, host
        for host in ("sealer-1", "sealer-1:8545", "localhost.example:80"):
            assert await status({}, host) == 403, host
        assert await status({"vhosts": ("sealer-1",)}, "sealer-1:8545") == 200
        assert await status({"vhosts": ("*",)}, "anything") == 200

    run(scenario())


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ([], "missing value for required argument 0"),
        (["true"], "invalid argument 0: json: cannot unmarshal string into Go value of type bool"),
        ([1], "invalid argument 0: json: cannot unmarshal number into Go value of type bool"),
        ([True, 1], "too many arguments, want at most 1"),
    ],
)
def test_debug_metrics_takes_exactly_one_boolean(parameters: list[object], says: str) -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, asking() as session:
            answer = await call(session, first(cluster), "debug_metrics", *parameters)
            assert answer["error"] == {"code": -32602, "message": says}

    run(scenario())


def test_debug_metrics_has_the_recorded_names_and_moves_with_blocks() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(clock=clock) as cluster, asking() as session:
            node = cluster.nodes["client-1"]
            before = await result(session, node, "debug_metrics", True)
            assert shape(before) == shape(documents.GETH_METRICS)
            clock.now += 30
            after = await result(session, node, "debug_metrics", True)
            assert after["chain"]["inserts"]["Overall"] - before["chain"]["inserts"]["Overall"] == 10
            assert after["p2p"]["InboundTraffic"]["Overall"] > before["p2p"]["InboundTraffic"]["Overall"]
            assert after["trie"]["memcache"]["commit"]["time"]["Measurements"] == 10
            text = await result(session, node, "debug_metrics", None)
            assert text["p2p"]["InboundTraffic"]["Avg01Min"] == "53.39K (889.87/s)"

    run(scenario())


def test_metrics_off_is_no_error_but_zeros_without_the_process() -> None:
    async def scenario() -> None:
        async with SimulatedCluster() as cluster, asking() as session:
            old, new = cluster.nodes["client-1"], cluster.nodes["newer-1"]
            on = json.loads((await get(session, new.metrics_url))[1])
            await asyncio.gather(old.fault("metrics_off"), new.fault("metrics_off"))
            tree = await result(session, old, "debug_metrics", True)
            assert "system" not in tree
            assert tree["chain"]["inserts"]["Overall"] == 0
            page = json.loads((await get(session, new.metrics_url))[1])
            assert not any(name.startswith("system/") for name in page)
            assert {value for value in page.values() if isinstance(value, (int, float))} == {0}
            assert page.keys() <= on.keys()

    run(scenario())


def test_the_page_of_a_newer_geth_agrees_with_its_rpc() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(clock=clock) as cluster, asking() as session:
            node = cluster.nodes["newer-1"]
            for _ in range(2):
                clock.now += 9
                page = json.loads((await get(session, node.metrics_url))[1])
                assert page["chain/head/block"] == int(await result(session, node, "eth_blockNumber"), 16)
                assert page["p2p/peers"] == int(await result(session, node, "net_peerCount"), 16) == 6
                assert page["txpool/pending"] == int((await result(session, node, "txpool_status"))["pending"], 16)
            assert page["trie/memcache/commit/time.count"] == 3, "read 9 s ago, at 3 s per block"
            assert shape(page) == shape(documents.GETH_PAGES["1.10.26"])
            status, body = await get(session, node.metrics_url + "/prometheus")
            assert (status, body) == (404, b"404 page not found\n")
            assert (await call(session, node, "debug_metrics", True))["error"]["code"] == -32601

    run(scenario())


def test_headers_link_up_and_the_snapshot_names_their_sealers() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(clock=clock) as cluster, asking() as session:
            await cluster.nodes["sealer-2"].fault("down")
            clock.now += 60
            node = cluster.nodes["newer-2"]
            signers = await result(session, node, "clique_getSigners")
            head = int(await result(session, node, "eth_blockNumber"), 16)
            child = None
            for number in range(head, head - 20, -1):
                block = await result(session, node, "eth_getBlockByNumber", hex(number), False)
                snapshot = await result(session, node, "clique_getSnapshot", hex(number))
                assert snapshot["hash"] == block["hash"]
                sealer = snapshot["recents"][str(number)]
                in_turn = signers[number % len(signers)] == sealer
                assert int(block["difficulty"], 16) == (2 if in_turn else 1)
                if child:
                    assert child["parentHash"] == block["hash"]
                    total = int(block["totalDifficulty"], 16) + int(child["difficulty"], 16)
                    assert int(child["totalDifficulty"], 16) == total
                child = block
            status = await result(session, node, "clique_status")
            assert status["numBlocks"] == sum(status["sealerActivity"].values()) == 64
            assert 0 < status["inturnPercent"] < 100
            assert await result(session, node, "eth_getBlockByNumber", hex(head + 1), False) is None
            unknown = await call(session, node, "clique_getSnapshot", hex(head + 1))
            assert unknown["error"]["message"] == "unknown block"

    run(scenario())


@pytest.mark.parametrize("version", ["1.8.27", "1.10.26"])
def test_it_tells_of_itself_as_its_peers_tell_of_it(version: str) -> None:
    async def scenario() -> None:
        async with small(version) as cluster, asking() as session:
            told = {}
            for node in cluster.nodes.values():
                about = await result(session, node, "admin_nodeInfo")
                told[about["enode"]] = about
                assert (about["name"], about["ports"]["discovery"]) == (
                    await result(session, node, "web3_clientVersion"),
                    0,
                )
                eth = about["protocols"]["eth"]
                assert (eth["network"], eth["config"]["chainId"]) == (18, 1337)
                assert eth["config"]["clique"] == {"period": 3, "epoch": 30000}
                genesis = await result(session, node, "eth_getBlockByNumber", "0x0", False)
                head = await result(session, node, "eth_getBlockByNumber", "latest", False)
                assert (eth["genesis"], eth["head"]) == (genesis["hash"], head["hash"])
                assert eth["difficulty"] == int(head["totalDifficulty"], 16)
                assert ("enr" in about) == ("snap" in about["protocols"]) == (version == "1.10.26")
            for node in cluster.nodes.values():
                peers = await result(session, node, "admin_peers")
                assert len(peers) == 2
                for peer in peers:
                    assert (told[peer["enode"]]["id"], told[peer["enode"]]["name"]) == (peer["id"], peer["name"])

    run(scenario())


def test_a_chain_without_a_period_says_so_and_keeps_what_waits() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(ethereum_period=0, ethereum_load=0, clock=clock) as cluster, asking() as session:
            node = cluster.nodes["client-1"]
            about = await result(session, node, "admin_nodeInfo")
            assert about["protocols"]["eth"]["config"]["clique"]["period"] == 0
            before = int(await result(session, node, "eth_blockNumber"), 16)
            for name in ("sealer-1", "sealer-2", "sealer-3"):
                await cluster.nodes[name].fault("paused")
            cluster.submit("ethereum-demo", 7)
            clock.now += 60
            assert (await result(session, node, "txpool_status"))["pending"] == "0x7"
            assert int(await result(session, node, "eth_blockNumber"), 16) == before
            for name in ("sealer-1", "sealer-2", "sealer-3"):
                await cluster.nodes[name].heal()
            clock.now += 2
            assert (await result(session, node, "txpool_status"))["pending"] == "0x0"
            assert int(await result(session, node, "eth_blockNumber"), 16) == before + 1
            block = await result(session, node, "eth_getBlockByNumber", "latest", False)
            assert len(block["transactions"]) == 7
            assert int(block["timestamp"], 16) == START + 60

    run(scenario())


def test_answers_are_dated_by_the_chains_clock_and_name_no_server() -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, asking() as session, session.get(first(cluster).url) as response:
            assert response.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
            assert "Server" not in response.headers
            await first(cluster).fault("slow", delay=0)
            async with session.get(first(cluster).url) as slow:
                assert slow.headers["Date"] == "Fri, 15 Jan 2027 08:00:00 GMT"

    run(scenario())


def test_what_is_not_open_does_not_exist() -> None:
    async def scenario() -> None:
        async with small("1.8.27", namespaces=frozenset({"eth", "net"})) as cluster, asking() as session:
            node = first(cluster)
            assert (await call(session, node, "eth_blockNumber"))["result"] == "0x100"
            for method in ("debug_metrics", "clique_getSigners", "personal_listAccounts", "web3_clientVersion"):
                error = (await call(session, node, method))["error"]
                assert error == {"code": -32601, "message": f"The method {method} does not exist/is not available"}
            assert await result(session, node, "rpc_modules") == {"eth": "1.0", "net": "1.0", "rpc": "1.0"}

    run(scenario())


@pytest.mark.parametrize(
    ("version", "body", "expected"),
    [
        ("1.8.27", b"[]", []),
        ("1.10.26", b"[]", {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "empty batch"}}),
        ("1.10.26", b"{", {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}}),
        ("1.10.26", b"3", {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "invalid request"}}),
        ("1.10.26", b'{"jsonrpc":"2.0","method":"net_version"}', None),
        (
            "1.8.27",
            b'{"jsonrpc":"2.0","id":"x","method":"net_version","params":{}}',
            {"jsonrpc": "2.0", "id": "x", "error": {"code": -32602, "message": "non-array args"}},
        ),
    ],
)
def test_odd_requests(version: str, body: bytes, expected: object) -> None:
    async def scenario() -> None:
        async with (
            small(version) as cluster,
            asking() as session,
            session.post(first(cluster).url, data=body, headers={"Content-Type": "application/json"}) as response,
        ):
            assert response.status == 200
            text = await response.read()
            assert (json.loads(text) if text else None) == expected

    run(scenario())


def test_requests_beyond_the_limit_are_refused() -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, asking() as session:
            node = first(cluster)
            async with session.post(node.url, json="x" * (512 * 1024)) as response:
                assert response.status == 413
            async with session.get(node.url) as response:
                assert (response.status, await response.read()) == (200, b"")
            async with session.put(node.url) as response:
                assert response.status == 405

    run(scenario())


def test_peers_come_and_go() -> None:
    async def scenario() -> None:
        async with SimulatedCluster() as cluster, asking() as session:
            node = cluster.nodes["sealer-1"]
            assert await result(session, node, "net_peerCount") == "0x6"
            await cluster.nodes["client-1"].fault("down")
            await cluster.nodes["client-2"].fault("no_peers")
            assert await result(session, node, "net_peerCount") == "0x4"
            assert await result(session, cluster.nodes["client-2"], "admin_peers") == []
            names = {peer["name"].split("/")[1] for peer in await result(session, node, "admin_peers")}
            assert names == {"sealer-2", "sealer-3", "newer-1", "newer-2"}
            await cluster.nodes["client-1"].heal()
            assert await result(session, node, "net_peerCount") == "0x5"

    run(scenario())


def test_a_large_chain_has_no_more_peers_than_geth_allows() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(clients=60, producers=0, workers=0) as cluster, asking() as session:
            assert await result(session, cluster.nodes["client-30"], "net_peerCount") == hex(25)
            assert await result(session, cluster.nodes["newer-1"], "net_peerCount") == hex(50)

    run(scenario())


def test_an_upgrade_takes_debug_metrics_away() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with SimulatedCluster(clock=clock) as cluster, asking() as session:
            node = cluster.nodes["client-1"]
            await node.fault("restart")
            clock.now += 10
            tree = await result(session, node, "debug_metrics", True)
            assert tree["chain"]["inserts"]["Overall"] == 3, "blocks since the restart"
            await node.fault("restart", version="1.10.26")
            assert (await call(session, node, "debug_metrics", True))["error"]["code"] == -32601
            assert "v1.10.26" in await result(session, node, "web3_clientVersion")
            assert node.restarts == 2
            assert not node.faults

    run(scenario())


def test_a_wrong_clock_is_of_no_use() -> None:
    """The blocks' times are the clock's: nothing else in the answers depends on the machine's time."""

    async def scenario() -> list[Any]:
        async with small("1.8.27") as cluster, asking() as session:
            block = await result(session, first(cluster), "eth_getBlockByNumber", "latest", False)
            assert int(block["timestamp"], 16) == START
            return [block, await result(session, first(cluster), "debug_metrics", True)]

    assert run(scenario()) == run(scenario())


def test_requests_are_counted_within_bounds() -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, asking() as session:
            node = first(cluster)
            batch = [{"jsonrpc": "2.0", "id": i, "method": f"eth_{i}_{300 * 'x'}"} for i in range(400)]
            async with session.post(node.url, json=batch) as response:
                await response.read()
            await call(session, node, "eth_blockNumber")
            assert node.requests.total == node.requests.counts["POST /"] == 2
            assert len(node.requests.counts) <= node.requests.NAMES + 1
            assert max(map(len, node.requests.counts)) <= node.requests.LENGTH + 10
            assert list(node.requests.latest)[-2:] == ["POST /", "eth_blockNumber"]
            assert len(node.requests.latest) == node.requests.KEPT
            assert node.requests.counts["(other)"] > 0

    run(scenario())


def test_connections_are_counted() -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, aiohttp.ClientSession() as session:
            node = first(cluster)
            for _ in range(3):
                await call(session, node, "net_version")
            assert node.connections == 1

    run(scenario())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
CALL = st.fixed_dictionaries(
    {"id": JSON, "method": st.sampled_from(sorted(METHODS)) | st.text()},
    optional={"params": st.lists(JSON | st.sampled_from(["latest", "0x1", "0x", "0x80", True]), max_size=3) | JSON},
)


@hypothesis.given(st.sampled_from(["1.8.27", "1.10.26"]), CALL | st.lists(CALL, max_size=4) | JSON)
@hypothesis.settings(max_examples=150)
def test_whatever_it_is_asked_it_answers_in_json_rpc(version: str, asked: object) -> None:
    answer = first(small(version))._rpc(json.dumps(asked).encode())
    for one in documents_in(answer):
        assert one["jsonrpc"] == "2.0"
        assert ("result" in one) != ("error" in one)


def documents_in(answer: bytes) -> list[Any]:
    document = json.loads(answer) if answer else []
    return document if isinstance(document, list) else [document]


@pytest.mark.parametrize(
    "raw", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
)
def test_what_is_no_request_disturbs_nobody(raw: bytes) -> None:
    async def scenario() -> None:
        async with small("1.8.27") as cluster, asking() as session:
            node = first(cluster)
            _, writer = await asyncio.open_connection("127.0.0.1", int(node.url.rpartition(":")[2]))
            writer.write(raw)
            await writer.drain()
            assert await result(session, node, "net_version") == "18"
            writer.transport.abort()
            assert await result(session, node, "net_version") == "18"

    run(scenario())
