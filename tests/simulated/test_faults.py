"""Every fault, as a client sees it; together; and gone again once it is removed."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

import aiohttp
import orjson
import pytest

from compose.simulated import FAULTS, AnyNode, FaultError, NodeosOptions, SimulatedCluster
from compose.simulated.faults import WHOLE, WITHIN
from tests.helpers import run
from tests.simulated.asking import Clock, asking, call, get, info, result


@dataclass
class Bench:
    """A cluster whose clock the test moves, and a client that is impatient."""

    cluster: SimulatedCluster
    session: aiohttp.ClientSession
    clock: Clock

    @property
    def geth(self) -> AnyNode:
        """A geth 1.8.27 that seals nothing."""
        return self.cluster.nodes["client-1"]

    @property
    def nodeos(self) -> AnyNode:
        """A nodeos that produces nothing."""
        return self.cluster.nodes["worker-2"]

    async def height(self, node: AnyNode) -> int:
        """Return the number of a node's head."""
        if node.kind == "nodeos":
            return int((await info(self.session, node))["head_block_num"])
        return int(await result(self.session, node, "eth_blockNumber"), 16)

    async def raw(self, node: AnyNode) -> tuple[int, bytes]:
        """Return the status and body of one ordinary gather: a batch to a geth, get_info to a nodeos."""
        if node.kind == "nodeos":
            return await get(self.session, node.url + "/v1/chain/get_info")
        batch = [
            {"jsonrpc": "2.0", "id": 1, "method": "debug_metrics", "params": [True]},
            {"jsonrpc": "2.0", "id": 2, "method": "eth_blockNumber", "params": []},
        ]
        async with self.session.post(node.url, json=batch) as response:
            return response.status, await response.read()


@asynccontextmanager
async def benched(patience: float = 5.0) -> AsyncIterator[Bench]:
    clock = Clock()
    async with SimulatedCluster(clock=clock) as cluster, asking(patience) as session:
        yield Bench(cluster, session, clock)


async def down(bench: Bench) -> None:
    for node in (bench.geth, bench.nodeos, bench.cluster.nodes["newer-1"]):
        urls = [url for url in (node.url, node.metrics_url) if url]
        await node.fault("down")
        for url in urls:
            with pytest.raises(aiohttp.ClientConnectorError, match="Connect call failed"):
                await get(bench.session, url)
        await node.heal("down")
        assert [url for url in (node.url, node.metrics_url) if url] == urls, "the ports are kept"
        for url in urls:
            await get(bench.session, url)


async def hang(bench: Bench) -> None:
    await bench.geth.fault("hang")
    waiting = asyncio.create_task(bench.raw(bench.geth))
    await asyncio.sleep(0.1)
    await bench.geth.fault("lag")
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    assert await bench.raw(bench.nodeos), "the others answer"
    await bench.geth.heal("hang")
    assert (await waiting)[0] == 200, "it answers in the end"


async def slow(bench: Bench) -> None:
    await bench.nodeos.fault("slow", delay=0.02)
    url = bench.nodeos.url + "/v1/chain/get_info"
    begun = time.monotonic()
    async with bench.session.get(url) as response:
        assert response.content_length
        pieces = [await response.content.readany() for _ in range(5)]
        assert max(map(len, pieces)) < 10
        assert time.monotonic() - begun > 0.05
        await bench.nodeos.heal()
        rest = await response.read()
    assert orjson.loads(b"".join(pieces) + rest)["head_block_num"]


async def half(bench: Bench) -> None:
    for node in (bench.geth, bench.nodeos):
        await node.fault("half")
        with pytest.raises(aiohttp.ClientPayloadError):
            await bench.raw(node)


async def some(bench: Bench) -> None:
    for node, path in ((bench.geth, ""), (bench.nodeos, "/v1/chain/get_info")):
        before = node.served.describe()
        await node.fault("some", every=2, drop=1, reset=1, delay=1, busy=1, seconds=0.2)
        seen = []
        for _ in range(10):
            begun = time.monotonic()
            try:
                async with bench.session.post(node.url + path, json={}) as response:  # a GET may be repeated
                    status = response.status
            except aiohttp.ServerDisconnectedError:
                seen.append("closed")
            except aiohttp.ClientOSError:
                seen.append("reset")
            else:
                seen.append("late" if time.monotonic() - begun >= 0.2 else str(status))
        assert seen == ["200", "closed", "200", "reset", "200", "late", "200", "503", "200", "200"]
        after = node.served.describe()
        assert [after[key] - before[key] for key in ("dropped", "reset", "delayed", "cut")] == [1, 1, 1, 0]
        assert after["answered"] == {"200": before["answered"].get("200", 0) + 7, "503": 1}


async def huge(bench: Bench) -> None:
    await bench.geth.fault("huge", bytes=3_000_000)
    status, body = await bench.raw(bench.geth)
    assert (status, len(body)) == (200, 3_000_000)
    assert len(json.loads(body)["result"]) > 2_999_000
    await bench.geth.fault("huge", bytes=0)
    async with bench.session.post(bench.geth.url) as response:
        for _ in range(100):
            assert await response.content.readany()
    assert await bench.raw(bench.nodeos), "the others answer"


async def html(bench: Bench) -> None:
    for node in (bench.geth, bench.nodeos):
        await node.fault("html")
        async with bench.session.get(node.url) as response:
            assert (response.status, response.content_type) == (200, "text/html")
            assert (await response.text()).startswith("<!DOCTYPE html>")


async def garbage(bench: Bench) -> None:
    await bench.nodeos.fault("garbage")
    _, body = await bench.raw(bench.nodeos)
    with pytest.raises(UnicodeDecodeError):
        body.decode()


async def wrong_types(bench: Bench) -> None:
    await bench.geth.fault("wrong_types")
    _, body = await bench.raw(bench.geth)
    metrics, number = (answer["result"] for answer in json.loads(body))
    assert metrics["chain"]["inserts"]["Overall"] == "many"
    assert number == -1.5
    await bench.nodeos.fault("wrong_types")
    about = json.loads((await bench.raw(bench.nodeos))[1])
    assert about["head_block_num"] == "many"
    assert about["head_block_id"] == -1.5
    assert b"head_block_num many\n" in (await get(bench.session, bench.nodeos.metrics_url))[1]


async def number_for_tree(bench: Bench) -> None:
    await bench.geth.fault("number_for_tree")
    _, body = await bench.raw(bench.geth)
    metrics = json.loads(body)[0]["result"]
    assert set(metrics.values()) == {42}
    assert "p2p" in metrics
    await bench.nodeos.fault("number_for_tree")
    assert (await bench.raw(bench.nodeos))[1] == b"42"


async def deep(bench: Bench) -> None:
    for node in (bench.geth, bench.nodeos):
        await node.fault("deep")
        _, body = await bench.raw(node)
        assert body.count(b'{"deep":') >= 100_000
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(body)
        await node.fault("deep", depth=300)
        assert b'{"deep":' in (await bench.raw(node))[1]
        assert orjson.loads((await bench.raw(node))[1])


async def nan(bench: Bench) -> None:
    for node in (bench.geth, bench.nodeos):
        await node.fault("nan")
        _, body = await bench.raw(node)
        assert body.count(b"NaN") == 1
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(body)
        assert json.loads(body), "Python's own decoder takes it"
    assert (await get(bench.session, bench.nodeos.metrics_url))[1].count(b" NaN\n") == 1


async def odd_names(bench: Bench) -> None:
    await bench.geth.fault("odd_names")
    metrics = json.loads((await bench.raw(bench.geth))[1])[0]["result"]
    for tree in (metrics, metrics["chain"]):
        assert {"with space", "comma,", "equals=", "line\nbreak", "back\\slash", 'quote"', ""} <= tree.keys()
    assert metrics["chain"]["inserts"]["Overall"] > 0, "the true ones are still there"


async def forbidden_host(bench: Bench) -> None:
    await bench.geth.fault("forbidden_host")
    assert await bench.raw(bench.geth) == (403, b"invalid host specified\n")


async def bad_host(bench: Bench) -> None:
    await bench.nodeos.fault("bad_host")
    status, body = await bench.raw(bench.nodeos)
    assert (status, json.loads(body)["message"]) == (400, "Disallowed HTTP HOST header in the request")


async def unauthorized(bench: Bench) -> None:
    await bench.geth.fault("unauthorized")
    async with bench.session.post(bench.geth.url) as response:
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, 'Basic realm="nodes"')


async def too_many(bench: Bench) -> None:
    await bench.nodeos.fault("too_many", retry_after=3)
    async with bench.session.get(bench.nodeos.url) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "3")


async def busy(bench: Bench) -> None:
    await bench.nodeos.fault("busy")
    status, body = await bench.raw(bench.nodeos)
    assert (status, json.loads(body)["error"]["name"]) == (503, "Busy")


async def error_500(bench: Bench) -> None:
    await bench.geth.fault("error_500")
    await bench.nodeos.fault("error_500")
    assert (await bench.raw(bench.geth))[0] == 500
    status, body = await bench.raw(bench.nodeos)
    assert (status, json.loads(body)["code"]) == (500, 500)


async def stall(bench: Bench) -> None:
    for node in (bench.geth, bench.nodeos):
        before = await bench.height(node)
        await node.fault("stall")
        bench.clock.now += 1e5  # so long that the chain no longer keeps the block
        assert await bench.height(node) == before
    assert await result(bench.session, bench.geth, "eth_syncing") is False
    assert await bench.height(bench.cluster.nodes["sealer-1"]) > before


async def lag(bench: Bench) -> None:
    for node, other in ((bench.geth, "sealer-1"), (bench.nodeos, "worker-1")):
        for blocks in (3, 7):
            await node.fault("lag", blocks=blocks)
            bench.clock.now += 12
            assert await bench.height(bench.cluster.nodes[other]) - await bench.height(node) == blocks
        await node.fault("lag", blocks=10**12)
        assert await bench.height(node) <= 1, "behind by more than there is: at the oldest block"


async def fork(bench: Bench) -> None:
    for node, other in ((bench.geth, "sealer-1"), (bench.nodeos, "worker-1")):
        at = await bench.height(node)
        await node.fault("fork")
        assert await bench.height(node) == at
        assert await head_id(bench, node) != await head_id(bench, bench.cluster.nodes[other])
        assert dict(node.faults["fork"])["height"] == at
        await node.fault("fork", height=at + 1)
        assert await head_id(bench, node) == await head_id(bench, bench.cluster.nodes[other])
        bench.clock.now += 6
        assert await head_id(bench, node) != await head_id(bench, bench.cluster.nodes[other])


async def head_id(bench: Bench, node: AnyNode) -> str:
    if node.kind == "nodeos":
        return str((await info(bench.session, node))["head_block_id"])
    block = await result(bench.session, node, "eth_getBlockByNumber", "latest", False)
    return str(block["hash"])


async def no_peers(bench: Bench) -> None:
    await bench.geth.fault("no_peers")
    assert await result(bench.session, bench.geth, "net_peerCount") == "0x0"
    await bench.nodeos.fault("no_peers")
    page = (await get(bench.session, bench.nodeos.metrics_url))[1]
    assert b"num_peers 0\n" in page
    assert b"num_clients 0\n" in page


async def metrics_off(bench: Bench) -> None:
    await bench.geth.fault("metrics_off")
    assert "system" not in await result(bench.session, bench.geth, "debug_metrics", True)


async def paused(bench: Bench) -> None:
    sealer, producer = bench.cluster.nodes["sealer-1"], bench.cluster.nodes["producer-1"]
    assert await result(bench.session, sealer, "eth_mining") is True
    before = await bench.height(producer)
    await sealer.fault("paused")
    await producer.fault("paused")
    bench.clock.now += 60
    assert await result(bench.session, sealer, "eth_mining") is False
    assert await get(bench.session, producer.url + "/v1/producer/paused") == (201, b"true")
    assert await bench.height(producer) == before


async def split(bench: Bench) -> None:
    for node, other in ((bench.geth, "sealer-1"), (bench.nodeos, "worker-1")):
        at = await bench.height(node)
        await node.fault("split")
        bench.clock.now += 60
        assert await bench.height(node) == at, "nobody on its side makes blocks"
        assert await bench.height(bench.cluster.nodes[other]) > at
        await node.heal("split")
        assert await bench.height(node) == await bench.height(bench.cluster.nodes[other])


async def skip(bench: Bench) -> None:
    producer = bench.cluster.nodes["producer-1"]
    for parameters, missing in (({}, 12), ({"blocks": 3, "rounds": 2}, 6)):
        before = await bench.height(bench.nodeos)
        await producer.fault("skip", **parameters)
        bench.clock.now += 60
        assert await bench.height(bench.nodeos) - before == 120 - missing, "and goes on by itself"


async def double(bench: Bench) -> None:
    before = await bench.height(bench.nodeos)
    await bench.cluster.nodes["producer-1"].fault("double")
    bench.clock.now += 60
    assert await bench.height(bench.nodeos) - before == 120, "who produces alone always makes more than 12 in a row"


async def mute(bench: Bench) -> None:
    await bench.cluster.nodes["producer-1"].fault("mute")
    before = await info(bench.session, bench.nodeos)
    bench.clock.now += 60
    after = await info(bench.session, bench.nodeos)
    assert after["head_block_num"] - before["head_block_num"] == 120
    assert after["last_irreversible_block_num"] == before["last_irreversible_block_num"]


async def clock(bench: Bench) -> None:
    async def dated() -> float:
        async with bench.session.get(bench.geth.url) as response:
            return parsedate_to_datetime(response.headers["Date"]).timestamp() - bench.clock.now

    assert await dated() == 0
    await bench.geth.fault("clock")
    assert await dated() == 30
    await bench.geth.fault("clock", seconds=-7.5)
    assert await dated() == -8
    await bench.geth.fault("clock", seconds=1e300)
    assert await dated() > 1e7, "as far as there are dates"
    async with bench.session.get(bench.nodeos.url) as response:
        assert "Date" not in response.headers
    await bench.cluster.nodes["producer-1"].fault("clock", seconds=12)
    bench.clock.now += 30
    said = (await info(bench.session, bench.nodeos))["head_block_time"]
    ahead = datetime.fromisoformat(said + "+00:00").timestamp() - bench.clock.now
    assert 11.5 <= ahead <= 12.5


async def restart(bench: Bench) -> None:
    async with aiohttp.ClientSession() as keeping:
        await call(keeping, bench.geth, "net_version")
        await bench.geth.fault("restart")
        await asyncio.sleep(0.05)
        assert bench.geth.connections == 0
        metrics = await result(keeping, bench.geth, "debug_metrics", True)
    assert metrics["chain"]["inserts"]["Overall"] == 0
    await bench.nodeos.fault("restart", version="spring-1.2")
    assert (await info(bench.session, bench.nodeos))["server_version_string"] == "v1.2.2"
    with pytest.raises(FaultError, match=r"there are 1\.8\.27, 1\.10\.26"):
        await bench.geth.fault("restart", version="2.0")


SEEN: dict[str, Callable[[Bench], Awaitable[None]]] = {
    check.__name__: check
    for check in (
        down,
        hang,
        slow,
        half,
        some,
        huge,
        html,
        garbage,
        wrong_types,
        number_for_tree,
        deep,
        nan,
        odd_names,
        forbidden_host,
        bad_host,
        unauthorized,
        too_many,
        busy,
        error_500,
        stall,
        lag,
        fork,
        no_peers,
        metrics_off,
        paused,
        split,
        skip,
        double,
        mute,
        clock,
        restart,
    )
}


def test_every_fault_is_tried() -> None:
    assert SEEN.keys() == FAULTS.keys()
    assert set(WHOLE) | set(WITHIN) <= FAULTS.keys()


@pytest.mark.parametrize("fault", SEEN)
def test_a_client_sees(fault: str) -> None:
    async def scenario() -> None:
        async with benched() as bench:
            await SEEN[fault](bench)
            for node in bench.cluster.nodes.values():
                await node.heal()
                assert not node.faults
                status, body = await bench.raw(node)
                assert status == 200, "healed"
                assert orjson.loads(body)
            bench.clock.now += 30
            heights = {await bench.height(node) for node in bench.cluster.nodes.values() if node.kind == "ethereum"}
            assert len(heights) == 1, "one head again"

    run(scenario())


def test_faults_combine() -> None:
    async def scenario() -> None:
        async with benched() as bench:
            node = bench.nodeos
            before = await bench.height(node)
            await node.fault("stall")
            await node.fault("lag", blocks=5)
            await node.fault("nan")
            await node.fault("odd_names")
            await node.fault("slow", delay=0)
            _, body = await bench.raw(node)
            about = json.loads(body)
            assert math.isnan(about["head_block_num"])
            assert about["with space"] == 1
            await node.heal("nan", "slow")
            assert await bench.height(node) == before - 5
            await node.heal("lag")
            assert await bench.height(node) == before
            assert list(node.faults) == ["stall", "odd_names"]

    run(scenario())


@pytest.mark.parametrize(
    ("name", "parameters", "says"),
    [
        ("nonsense", {}, "no fault 'nonsense' for a node of kind ethereum; there are down, hang"),
        ("busy", {}, "no fault 'busy' for a node of kind ethereum"),
        ("lag", {"block": 1}, "no parameter 'block' of lag; there are blocks, syncing"),
        ("lag", {"blocks": "many"}, "blocks of lag takes a whole number, zero or more"),
        ("lag", {"blocks": -1}, "zero or more"),
        ("lag", {"blocks": True}, "a whole number"),
        ("lag", {"blocks": 1.5}, "a whole number"),
        ("slow", {"delay": math.nan}, "delay of slow takes a number"),
        ("slow", {"delay": "1"}, "delay of slow takes a number"),
        ("fork", {"branch": 1}, "branch of fork takes a text"),
        ("fork", {"branch": "x" * 1000}, "up to 200 characters"),
        ("split", {"side": 1}, "side of split takes a text"),
        ("skip", {}, "no fault 'skip' for a node of kind ethereum"),
        ("clock", {"seconds": math.inf}, "seconds of clock takes a number"),
        ("clock", {"seconds": "-1"}, "seconds of clock takes a number"),
        ("fork", {"depth": -1}, "depth of fork takes a whole number, zero or more"),
        ("hang", {"self": 1}, "no parameter 'self' of hang; there are none"),
        ("x" * 5000, {}, "no fault 'xxx"),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(name: str, parameters: dict[str, object], says: str) -> None:
    async def scenario() -> None:
        async with benched() as bench:
            with pytest.raises(FaultError) as refused:
                await bench.geth.fault(name, **parameters)  # type: ignore[arg-type]
            assert says in str(refused.value)
            assert len(str(refused.value)) < 1000
            assert not bench.geth.faults

    run(scenario())


def test_one_bad_node_disturbs_no_other() -> None:
    async def scenario() -> None:
        async with benched() as bench:
            await bench.geth.fault("huge", bytes=0)
            await bench.nodeos.fault("hang")
            reader, writer = await asyncio.open_connection("127.0.0.1", int(bench.geth.url.rpartition(":")[2]))
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")  # and never reads the answer
            hanging = [asyncio.create_task(bench.raw(bench.nodeos)) for _ in range(20)]
            await asyncio.sleep(0.05)
            for name, node in bench.cluster.nodes.items():
                if name not in ("client-1", "worker-2"):
                    begun = time.monotonic()
                    assert (await bench.raw(node))[0] == 200
                    assert time.monotonic() - begun < 2
            for task in hanging:
                task.cancel()
            await asyncio.gather(*hanging, return_exceptions=True)
            writer.transport.abort()
            assert reader is not None

    run(scenario())


def test_a_fast_reader_of_an_endless_answer_keeps_nobody_waiting() -> None:
    async def scenario() -> None:
        async with benched() as bench:
            await bench.geth.fault("huge", bytes=0)
            reading = asyncio.create_task(asyncio.to_thread(read_for, 0.5, int(bench.geth.url.rpartition(":")[2])))
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            for _ in range(10):
                assert (await bench.raw(bench.nodeos))[0] == 200
            assert time.monotonic() - begun < 2
            assert await reading > 1_000_000

    run(scenario())


def read_for(seconds: float, port: int) -> int:
    """Read an answer as fast as it comes, for so long; return how many bytes came."""
    got, end = 0, time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        while time.monotonic() < end and (piece := client.recv(1 << 20)):
            got += len(piece)
    return got


def test_clients_that_give_up_leave_nothing_behind() -> None:
    async def scenario() -> None:
        async with benched(patience=0.1) as bench:
            for fault in ("hang", "slow"):
                await bench.geth.fault(fault)
                waiting = [bench.raw(bench.geth) for _ in range(10)]
                assert {type(e) for e in await asyncio.gather(*waiting, return_exceptions=True)} == {TimeoutError}
                for _ in range(50):
                    if not bench.geth.connections:
                        break
                    await asyncio.sleep(0.02)
                assert bench.geth.connections == 0
                await bench.geth.heal()

    run(scenario())


def test_a_cluster_ends_whatever_its_nodes_are_doing() -> None:
    async def scenario() -> None:
        async with asking() as session:
            async with SimulatedCluster() as cluster:
                bench = Bench(cluster, session, Clock())
                await bench.geth.fault("hang")
                await bench.nodeos.fault("huge", bytes=0)
                await cluster.nodes["sealer-1"].fault("slow", delay=100)
                await cluster.nodes["sealer-2"].fault("down")
                nodes = (bench.geth, bench.nodeos, cluster.nodes["sealer-1"])
                tasks = [asyncio.create_task(bench.raw(node)) for node in nodes]
                await asyncio.sleep(0.05)
                begun = time.monotonic()
            assert time.monotonic() - begun < 5
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                assert isinstance(outcome, (aiohttp.ClientError, tuple))

    run(scenario())


def test_sealers_that_are_away_slow_the_chain_and_halt_it() -> None:
    async def scenario() -> None:
        async with benched() as bench:
            watcher = bench.cluster.nodes["newer-1"]
            before = await bench.height(watcher)
            await bench.cluster.nodes["sealer-1"].fault("down")
            bench.clock.now += 60
            assert 15 <= await bench.height(watcher) - before <= 20
            await bench.cluster.nodes["sealer-2"].fault("fork")
            halted = await bench.height(watcher)
            bench.clock.now += 60
            assert await bench.height(watcher) - halted <= 1
            await bench.cluster.nodes["sealer-1"].heal()
            bench.clock.now += 60
            assert await bench.height(watcher) - halted >= 15

    run(scenario())


@pytest.mark.parametrize("depth", [1, 7, 100])
@pytest.mark.parametrize("name", ["client-1", "worker-1"])
def test_a_fork_parts_where_it_is_told_to_and_links_up(name: str, depth: int) -> None:
    async def scenario() -> None:
        async with benched() as bench:
            node = bench.cluster.nodes[name]
            other = bench.cluster.nodes["client-2" if name == "client-1" else "worker-2"]
            at = await bench.height(node)
            await node.fault("fork", depth=depth)
            for elapsed in (0, 30):
                bench.clock.now += elapsed
                head = await bench.height(node)
                assert head == await bench.height(other)
                mine, theirs = [await linked(bench, one, at - depth - 2, head) for one in (node, other)]
                differ = [number for number in mine if mine[number] != theirs[number]]
                assert differ == list(range(at - depth + 1, head + 1))
            await node.heal("fork")
            assert await linked(bench, node, head - 5, head) == await linked(bench, other, head - 5, head)

    run(scenario())


async def linked(bench: Bench, node: AnyNode, first: int, last: int) -> dict[int, str]:
    """Return the hashes of these blocks of a node, each of which must name the one before as its parent."""
    found: dict[int, str] = {}
    for number in range(first, last + 1):
        if node.kind == "nodeos":
            asked = {"block_num_or_id": number}
            async with bench.session.post(node.url + "/v1/chain/get_block", json=asked) as response:
                block = await response.json()
            mine, parent = block["id"], block["previous"]
        else:
            block = await result(bench.session, node, "eth_getBlockByNumber", hex(number), False)
            mine, parent = block["hash"], block["parentHash"]
        assert parent == found.get(number - 1, parent)
        found[number] = mine
    return found


def test_nodes_of_one_branch_have_one_history() -> None:
    async def scenario() -> None:
        async with benched() as bench:
            first, second = bench.cluster.nodes["client-1"], bench.cluster.nodes["client-2"]
            await first.fault("fork", depth=20)
            await second.fault("fork", depth=3)
            head = await bench.height(first)
            assert await linked(bench, first, head - 25, head) == await linked(bench, second, head - 25, head)
            await first.heal()
            await second.fault("fork", depth=3)
            assert dict(second.faults["fork"])["height"] == head - 2

    run(scenario())


def test_a_node_may_lag_by_two_hundred_from_the_start() -> None:
    async def scenario() -> None:
        async with benched() as bench:
            for node, other in ((bench.geth, "sealer-1"), (bench.nodeos, "worker-1")):
                await node.fault("lag", blocks=200)
                assert await bench.height(bench.cluster.nodes[other]) - await bench.height(node) == 200

    run(scenario())


def test_a_fork_is_agreed_on_by_branch() -> None:
    async def scenario() -> None:
        more = [NodeosOptions(name=f"other-{i}") for i in range(3)]
        async with SimulatedCluster(more=more, clock=Clock()) as cluster, asking() as session:
            bench = Bench(cluster, session, Clock())
            await cluster.nodes["other-0"].fault("fork", height=900)
            await cluster.nodes["other-1"].fault("fork", height=950)
            await cluster.nodes["other-2"].fault("fork", height=900, branch="b")
            ids = [await head_id(bench, cluster.nodes[name]) for name in ("worker-1", "other-0", "other-1", "other-2")]
            assert ids[1] == ids[2]
            assert len(set(ids)) == 3

    run(scenario())
