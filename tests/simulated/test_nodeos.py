"""Simulated nodeos answer as recorded ones did, and as the source of other versions has it."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from compose.simulated import NodeosNode, NodeosOptions, SimulatedCluster
from compose.simulated.nodeos_versions import VERSIONS
from tests.helpers import run
from tests.simulated.asking import SAMPLES, Clock, asking, get, info, shape

RECORDED = sorted(str(path.relative_to(SAMPLES / "nodeos")) for path in (SAMPLES / "nodeos").glob("**/*.meta.json"))


def only_nodeos(**options: Any) -> SimulatedCluster:  # noqa: ANN401 - options of every type
    return SimulatedCluster(sealers=0, clients=0, newer=0, **{"clock": Clock(), "nodeos_load": 0, **options})


def node_of(cluster: SimulatedCluster, name: str) -> NodeosNode:
    node = cluster.nodes[name]
    assert isinstance(node, NodeosNode)
    return node


def sample(name: str) -> tuple[dict[str, Any], bytes]:
    path = SAMPLES / "nodeos" / name
    meta = json.loads(path.read_bytes())
    return meta, (path.parent / meta["body_file"]).read_bytes()


EXACT = ("errors/", "healthy-api/producer_", "healthy-api/get_supported_apis")
"""What is the same to the byte; of the rest, names and types are."""


@pytest.mark.parametrize("name", RECORDED)
def test_it_answers_as_recorded(name: str) -> None:
    meta, body = sample(name)

    async def scenario() -> None:
        async with only_nodeos(producers=2 if "system-contract" in name else 1, workers=2) as cluster:
            node = node_of(cluster, "producer-1" if "prometheus_metrics" in name or "bp." in name else "worker-1")
            if "busy" in name:
                await node.fault("busy")
            if "metrics.1" in name:
                await node.fault("restart")
            answer = await replayed(node, meta, "get_block_info.head" in name)
        if name.startswith(EXACT):
            assert answer == body
        elif "prometheus" in name:
            assert [line.rpartition(b" ")[0] for line in answer.splitlines()] == [
                line.rpartition(b" ")[0] for line in body.splitlines()
            ]
        else:
            assert shape(json.loads(answer)) == shape(json.loads(body))

    run(scenario())


async def replayed(node: NodeosNode, meta: dict[str, Any], about_head: bool) -> bytes:
    """Send the recorded request to a node and return the body, once status and headers are as recorded."""
    method, path = meta["request"].split()
    headers = {k: v for k, v in meta["request_headers"].items() if k != "Content-Length"}
    base = node.metrics_url.removesuffix("/v1/prometheus/metrics") if meta["port"] == 9101 else node.url
    if headers.setdefault("Host", "").startswith("127.0.0.1:"):
        headers["Host"] = base.removeprefix("http://")
    async with asking() as session:
        data = meta["request_body"]
        if about_head:
            data = json.dumps({"block_num": (await info(session, node))["head_block_num"]})
        async with session.request(method, base + path, data=data, headers=headers) as response:
            recorded = dict(meta["response_headers"])
            assert response.status == meta["status"]
            if "Content-Type" in recorded:
                assert response.content_type == recorded["Content-Type"]
                assert response.headers["Server"] == recorded["Server"]
            return await response.read()


INFO_FIELDS = {
    "dawn-3": 6,
    "1.0": 12,
    "1.8": 15,
    "2.0": 16,
    "2.1": 17,
    "3.1": 20,
    "4.0": 20,
    "5.0": 20,
    "spring-1.2": 20,
}


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_differ_as_their_source_has_it(version: str) -> None:
    async def scenario() -> None:
        more = [NodeosOptions(name=n, role=r, version=version) for n, r in (("p", "producer"), ("w", "worker"))]
        async with only_nodeos(producers=0, workers=0, more=more) as cluster, asking() as session:
            node = node_of(cluster, "w")
            about = await info(session, node)
            assert len(about) == INFO_FIELDS[version]
            assert ("chain_id" in about) == (version != "dawn-3")
            assert ("last_irreversible_block_time" in about) == (version not in ("dawn-3", "1.0", "1.8", "2.0"))
            assert ("." in about["head_block_time"]) == (version not in ("dawn-3", "1.0"))
            assert "Z" not in about["head_block_time"]
            head, final = about["head_block_num"], about["last_irreversible_block_num"]
            assert head - final == (2 if version == "spring-1.2" else 1)

            status, body = await get(session, node.url + "/v1/net/connections")
            connection = json.loads(body)[0]
            assert status == 201
            names = {"4.0": "head_num", "5.0": "fork_head_num", "spring-1.2": "fork_db_head_num"}
            assert names.get(version, "head_num") in connection["last_handshake"]
            assert ("is_bp_peer" in connection) == (version in ("4.0", "5.0", "spring-1.2"))
            assert ("remote_ip" in connection) == (version in ("5.0", "spring-1.2"))
            assert ("last_vote_received" in connection) == (version == "spring-1.2")

            status, body = await get(session, node.url + "/v1/chain/get_finalizer_info")
            assert status == (200 if version == "spring-1.2" else 404)
            if version == "spring-1.2":
                assert len(json.loads(body)["last_tracked_votes"]) == 1

            await node.fault("busy")
            status, body = await get(session, node.url + "/v1/chain/get_info")
            assert status == (429 if version in ("dawn-3", "1.0", "1.8", "2.0", "2.1", "3.1") else 503)
            assert json.loads(body)["error"]["name"] == "Busy"

    run(scenario())


async def page_of(session: aiohttp.ClientSession, node: NodeosNode) -> dict[str, float]:
    """Return the samples of the Prometheus page, without the prefix that newer versions have."""
    status, body = await get(session, node.metrics_url)
    assert status == 200
    families = text_string_to_metric_families(body.decode())
    return {s.name.removeprefix("nodeos_") + str(s.labels or ""): s.value for f in families for s in f.samples}


@pytest.mark.parametrize("version", ["3.1", "4.0", "5.0", "spring-1.2"])
def test_the_prometheus_page_is_where_its_version_has_it(version: str) -> None:
    async def scenario() -> None:
        clock = Clock()
        more = [NodeosOptions(name="p", role="producer", version=version)]
        async with only_nodeos(producers=0, workers=1, more=more, clock=clock) as cluster, asking() as session:
            node = node_of(cluster, "p")
            status, body = await get(session, node.url + "/v1/prometheus/metrics")
            assert status == (200 if version in ("5.0", "spring-1.2") else 404)
            assert (b"\nnodeos_head_block_num " in body) == (status == 200)
            if version == "3.1":
                assert node.metrics_url == ""
                return
            assert (node.metrics_url == node.url + "/v1/prometheus/metrics") == (version != "4.0")
            before = await page_of(session, node)
            clock.now += 10
            after = await page_of(session, node)
            for name in ("head_block_num", "last_irreversible", "blocks_produced_total"):
                assert after[name] - before[name] == 20, name
            assert after["exposer_scrapes_total"] - before["exposer_scrapes_total"] == 1
            assert after["exposer_transferred_bytes_total"] > before["exposer_transferred_bytes_total"]
            peers = "num_clients" if version == "4.0" else "p2p_connections{'direction': 'in'}"
            assert after[peers] == 1
            await node.fault("stall")
            clock.now += 10
            stuck = await page_of(session, node)
            assert stuck["head_block_num"] == after["head_block_num"]

    run(scenario())


def test_peers_are_told_only_after_half_a_minute() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with only_nodeos(clock=clock) as cluster, asking() as session:
            node = node_of(cluster, "producer-1")
            assert (await page_of(session, node))["num_clients"] == 3
            await node.fault("restart")
            assert "num_clients" not in await page_of(session, node)
            assert (await page_of(session, node))["blocks_produced_total"] == 0
            clock.now += 31
            assert (await page_of(session, node))["num_clients"] == 3

    run(scenario())


def test_what_is_not_loaded_is_not_there() -> None:
    async def scenario() -> None:
        more = [NodeosOptions(name="bare", plugins=frozenset({"chain_api"}))]
        async with only_nodeos(more=more) as cluster, asking() as session:
            node = node_of(cluster, "bare")
            assert node.metrics_url == ""
            for path in ("/v1/net/connections", "/v1/producer/paused", "/v1/db_size/get"):
                assert (await get(session, node.url + path))[0] == 404
            apis = json.loads((await get(session, node.url + "/v1/node/get_supported_apis"))[1])["apis"]
            assert apis
            assert all(path.startswith("/v1/chain/") for path in apis)
            status, body = await get(session, node.url + "/v1/chain/get_account")
            assert (status, b"not simulated" in body) == (500, True)

    run(scenario())


def test_a_broken_connection_stays_listed_and_shows_in_its_handshake_alone() -> None:
    async def scenario() -> None:
        async with only_nodeos() as cluster, asking() as session:
            worker, producer = node_of(cluster, "worker-1"), node_of(cluster, "producer-1")

            async def connections(node: NodeosNode) -> list[dict[str, Any]]:
                listed: list[dict[str, Any]] = json.loads((await get(session, node.url + "/v1/net/connections"))[1])
                return listed

            dialled = (await connections(worker))[0]
            assert dialled["peer"] == producer.peer_address
            assert dialled["last_handshake"]["network_version"] == 1212
            assert [c["peer"] for c in await connections(producer)] == ["", "", ""]
            await producer.fault("down")
            broken = (await connections(worker))[0]
            assert broken["peer"] == producer.peer_address
            assert broken["connecting"] is False
            assert broken["last_handshake"]["network_version"] == 0
            assert broken["last_handshake"]["p2p_address"] == ""
            assert shape(broken).keys() == shape(dialled).keys()  # type: ignore[attr-defined]
            await producer.heal()
            await worker.fault("no_peers")
            assert len(await connections(producer)) == 2
            assert {c["last_handshake"]["network_version"] for c in await connections(worker)} == {0}

    run(scenario())


def test_get_pause_really_pauses_and_is_told() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with only_nodeos(clock=clock) as cluster, asking() as session:
            node = node_of(cluster, "producer-1")
            assert await get(session, node.url + "/v1/producer/paused") == (201, b"false")
            assert await get(session, node.url + "/v1/producer/pause") == (201, b'{"result":"ok"}')
            head = (await info(session, node))["head_block_num"]
            clock.now += 60
            assert (await info(session, cluster.nodes["worker-1"]))["head_block_num"] == head
            assert await get(session, node.url + "/v1/producer/paused") == (201, b"true")
            assert "paused" in node.faults
            await get(session, node.url + "/v1/producer/resume")
            clock.now += 6
            assert (await info(session, node))["head_block_num"] == head + 12
            assert (node.pauses, node.snapshots) == (1, 0)
            assert (await get(session, node.url + "/v1/producer/create_snapshot"))[0] == 201
            assert node.snapshots == 1
            assert node.requests.counts["GET /v1/producer/pause"] == 1

    run(scenario())


def test_a_producer_that_is_away_misses_its_rounds() -> None:
    async def scenario() -> None:
        clock = Clock()
        async with only_nodeos(producers=3, clock=clock) as cluster, asking() as session:
            worker = cluster.nodes["worker-1"]
            await cluster.nodes["producer-2"].fault("down")
            before = (await info(session, worker))["head_block_num"]
            seen = set()
            for _ in range(72):
                clock.now += 0.5
                seen.add((await info(session, worker))["head_block_producer"])
            assert (await info(session, worker))["head_block_num"] - before == 48
            assert seen - {"prodab"} == {"prodaa", "prodac"}

    run(scenario())


def test_large_integers_become_strings_by_value() -> None:
    async def scenario() -> None:
        for producers, weight in ((1, 0), (2, "1000000000000")):
            async with only_nodeos(producers=producers) as cluster, asking() as session:
                about = await info(session, cluster.nodes["worker-1"])
                assert about["total_cpu_weight"] == about["total_net_weight"] == weight

    run(scenario())


def test_ids_begin_with_the_number_and_are_those_of_the_blocks() -> None:
    async def scenario() -> None:
        async with only_nodeos() as cluster, asking() as session:
            node = cluster.nodes["worker-1"]
            about = await info(session, node)
            number = about["head_block_num"]
            assert int(about["head_block_id"][:8], 16) == number
            async with session.post(node.url + "/v1/chain/get_block_info", json={"block_num": number}) as response:
                block = await response.json()
            assert block["id"] == about["head_block_id"]
            assert block["timestamp"] == about["head_block_time"]
            assert block["producer"] == about["head_block_producer"]
            final = about["last_irreversible_block_num"]
            assert block["previous"] == about["last_irreversible_block_id"]
            assert final == number - 1
            for body in ({}, {"block_num": "x"}, {"block_num": True}, [1]):
                async with session.post(node.url + "/v1/chain/get_block_info", json=body) as response:
                    assert response.status == 400

    run(scenario())


def test_hosts_must_match_with_their_port() -> None:
    async def scenario() -> None:
        more = [
            NodeosOptions(name="open", validate_host=False),
            NodeosOptions(name="alias", aliases=("nodeos:8888",)),
        ]
        async with only_nodeos(more=more) as cluster, asking() as session:
            for name, host, status in (
                ("worker-1", "127.0.0.1", 400),
                ("worker-1", f"localhost:{node_of(cluster, 'worker-1').url.rpartition(':')[2]}", 400),
                ("open", "anything", 200),
                ("alias", "nodeos:8888", 200),
                ("alias", "nodeos", 400),
            ):
                url = cluster.nodes[name].url + "/v1/chain/get_info"
                async with session.get(url, headers={"Host": host}) as response:
                    assert response.status == status, (name, host)

    run(scenario())


def test_a_block_tells_of_its_transactions() -> None:
    async def scenario() -> None:
        async with only_nodeos(nodeos_load=4) as cluster, asking() as session:
            node = node_of(cluster, "worker-1")
            head = (await info(session, node))["head_block_num"]
            counts = []
            for asked in (head - 3, head - 2, head - 1, str(head)):
                url = node.url + "/v1/chain/get_block"
                async with session.post(url, json={"block_num_or_id": asked}) as response:
                    assert response.status == 200
                    assert "Date" not in response.headers
                    block = await response.json()
                used = [(one["cpu_usage_us"], one["net_usage_words"]) for one in block["transactions"]]
                assert all(cpu >= 100 and words >= 12 for cpu, words in used)
                assert len({one["trx"]["id"] for one in block["transactions"]}) == len(used)
                assert (set(block["transaction_mroot"]) == {"0"}) == (not used)
                counts.append(len(used))
            assert sum(counts) > 2
            wrong: tuple[object, ...] = (None, "x", True, [], "9" * 5000)
            for nonsense in wrong:
                async with session.post(
                    node.url + "/v1/chain/get_block", json={"block_num_or_id": nonsense}
                ) as response:
                    assert response.status == 400

    run(scenario())
