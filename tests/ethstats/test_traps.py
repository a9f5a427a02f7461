"""What the protocol's reporters punish or get wrong, one test for each: see docs/ethstats.md."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from typing import Any

import aiohttp
import pytest

from tests.ethstats.reporting import SECRET, Clock, block, chain, ethstats, reporter, serving, until
from tests.ethstats.wire import CLOSE, PING, PONG, TEXT, connection, wire
from tests.helpers import run


def hello(secret: str = SECRET, name: str = "n1") -> bytes:
    info = {"name": name, "node": "Geth/v1.8.27-stable/linux-amd64/go1.19"}
    return json.dumps({"emit": ["hello", {"id": name, "info": info, "secret": secret}]}).encode()


# ready: exactly {"emit":["ready"]}, and nothing before it


def test_ready_is_the_first_word_and_has_no_second_element() -> None:
    async def test() -> None:
        async with serving() as served, wire(served.port) as node:
            await node.send(hello())
            frame = await node.frame()
            assert json.loads(frame.payload) == {"emit": ["ready"]}

    run(test())


def test_nothing_is_said_before_the_login_not_even_a_ping() -> None:
    async def test() -> None:
        async with serving(ping_every=0.02) as served, wire(served.port) as node:
            with pytest.raises(TimeoutError):
                await node.frame(within=0.2)
            await node.send(hello())
            assert (await node.frame()).payload == b'{"emit":["ready"]}'

    run(test())


# pong: one for each ping, at once


def test_a_pong_for_each_ping_and_no_other() -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login()
            for number in range(5):
                body = await node.ping(running=10 + number)
                assert set(body) == {"clientTime", "serverTime"}
            for kind in ("latency", "pending", "stats", "block", "history", "unknown"):
                await node.emit(kind, latency="1", stats={"pending": 1}, block=block(1))
            with pytest.raises(TimeoutError):
                await node.text(within=0.2)
            assert served.counted("ethstats_messages_total", "lab", "node-ping") == 5

    run(test())


@pytest.mark.parametrize("body", ['{"id":"n1"}', "{}", "null", "7", '{"id":"n1","clientTime":[[]]}', '{"id":"other"}'])
def test_a_ping_that_cannot_be_read_has_its_pong_all_the_same(body: str) -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login()
            await node.socket.send_str(f'{{"emit":["node-ping",{body}]}}')
            kind, told = json.loads(await node.text())["emit"]
            assert kind == "node-pong"
            assert isinstance(told, dict)

    run(test())


def test_a_pong_comes_before_the_work_that_came_before_it() -> None:
    """A node that sends faster than allowed has its messages put off, its pongs not."""

    async def test() -> None:
        async with serving(messages_within=5, flood=100) as served, reporter(served) as node:
            await node.login()
            for number in range(50):
                await node.block(number)
            assert await node.ping()
            assert served.node().links[0].head.number < 49

    run(test())


def test_reporters_in_javascript_have_their_time_back() -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login(version="eth-net-intelligence-api")
            await node.emit("node-ping", clientTime=1_795_247_932_123)
            assert json.loads(await node.text())["emit"][1]["clientTime"] == 1_795_247_932_123

    run(test())


def test_a_pong_waits_until_geth_listens_for_it() -> None:
    """One that is there at once makes geth break off; what it waited is not taken for the way."""

    async def test() -> None:
        loop = asyncio.get_running_loop()
        async with serving() as served, reporter(served) as node:
            await node.login()
            began = loop.time()
            await node.ping()
            took = loop.time() - began
            assert 0.009 < took < 1
            await node.emit("latency", latency=str(int(took * 1000 / 2)))
            await node.synced()
            assert served.node().links[0].latency < 0.002

    run(test())


# frames: geth 1.8 takes one frame for one message


def test_every_frame_is_a_whole_message_and_uncompressed_whatever_is_offered() -> None:
    offers = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"

    async def test() -> None:
        async with serving(ping_every=0.05) as served, wire(served.port, headers=offers) as node:
            assert "extensions" not in node.answer.lower()
            assert "sec-websocket-protocol" not in node.answer.lower()
            await node.send(hello())
            seen: dict[int, int] = {}
            for number in range(30):
                await node.send(json.dumps({"emit": ["node-ping", {"id": "n1", "clientTime": 900 * "x"}]}).encode())
                frame = await node.frame()
                assert frame.whole
                assert frame.reserved == 0
                seen[frame.opcode] = seen.get(frame.opcode, 0) + 1
                await asyncio.sleep(0.01 if number % 5 == 0 else 0)
            while PING not in seen:
                frame = await node.frame()
                seen[frame.opcode] = 1
            assert set(seen) <= {TEXT, PING}

    run(test())


def test_a_fragmented_message_of_a_node_is_joined() -> None:
    async def test() -> None:
        async with serving() as served, wire(served.port) as node:
            text = hello()
            await node.send(text[:20], last=False)
            await node.send(b"", opcode=PING)
            await node.send(text[20:], opcode=0)
            frames = [await node.frame(), await node.frame()]
            assert {frame.opcode for frame in frames} == {PONG, TEXT}

    run(test())


def test_a_subprotocol_that_is_asked_for_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving() as served, wire(served.port, headers="Sec-WebSocket-Protocol: a, b\r\n") as node:
            await node.send(hello())
            assert (await node.frame()).payload == b'{"emit":["ready"]}'

    run(test())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# primus pings: never sent, and answered where they come from


def test_no_primus_ping_is_ever_sent() -> None:
    async def test() -> None:
        async with serving(ping_every=0.02) as served, wire(served.port) as node:
            await node.send(hello())
            assert (await node.frame()).opcode == TEXT
            for _ in range(5):
                frame = await node.frame()
                assert frame.opcode == PING
                await node.send(frame.payload, opcode=PONG)

    run(test())


def test_a_primus_ping_has_its_primus_pong_before_and_after_the_login() -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.send("primus::ping::123")
            assert json.loads(await node.text()) == "primus::pong::123"
            await node.login()
            await node.send("primus::ping::124")
            assert json.loads(await node.text()) == "primus::pong::124"

    run(test())


# history: never asked for, since nothing here needs it


def test_history_is_never_asked_for_and_counts_as_no_arrival() -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login()
            await node.block(100)
            await node.block(104)  # heights may jump
            await node.emit("history", history=[block(number) for number in range(50)])
            await node.emit("history", history=[None, False])
            await node.block(105)
            assert await node.ping()
            with pytest.raises(TimeoutError):
                await node.text(within=0.1)
            assert served.counted("ethstats_messages_total", "lab", "history") == 2
            assert served.values("n1")["arrivals_total"] == 2
            assert served.chain.sealers.by_address["0x" + 40 * "a"].blocks == 3
            assert not served.node().unreadable

    run(test())


# the end of a connection


@pytest.mark.parametrize("how", ["close", "eof", "abort"])
def test_the_end_of_a_connection_is_seen_however_it_comes(how: str) -> None:
    async def test() -> None:
        async with serving() as served, wire(served.port) as node:
            await node.send(hello())
            await node.frame()
            await until(lambda: served.values("n1").get("connected") == 1)
            if how == "close":
                await node.send(b"\x03\xe8", opcode=CLOSE)
            elif how == "eof":
                node.writer.write_eof()
            else:
                node.writer.transport.abort()
            await until(lambda: served.values("n1")["connected"] == 0)
            assert served.counted("ethstats_connections", "lab") == 0

    run(test())


def test_a_node_that_comes_back_again_and_again_is_one_node() -> None:
    async def test() -> None:
        async with serving() as served:
            for number in range(30):
                async with reporter(served) as node:
                    await node.login()
                    assert await node.ping(running=10.0 + number / 10)
                    await node.block(7)
            values = served.values("n1")
            assert values["restarts_total"] == 0
            assert values["identity_conflicts"] == 0
            assert values["arrivals_total"] == 0
            await until(lambda: served.counted("ethstats_connections", "lab") == 0)
            assert len(served.chain._nodes) == 1

    run(test())


# TLS on the plain port


def test_tls_is_turned_away_quietly_and_the_plain_try_after_it_works(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def test() -> None:
        async with serving() as served:
            async with aiohttp.ClientSession() as session:
                with pytest.raises((aiohttp.ClientError, ssl.SSLError, OSError)):
                    await session.ws_connect(f"https://127.0.0.1:{served.port}/api", ssl=False)
            async with connection(served.port) as (reader, writer):
                writer.write(bytes.fromhex("16030100"))
                assert await reader.read() == b""
            async with reporter(served) as node:
                await node.login()
            assert served.counted("ethstats_refused_connections_total", "tls") == 2

    run(test())
    assert [record.getMessage() for record in caplog.records if "n1" not in record.getMessage()] == []


# ready held


def test_a_wrong_secret_is_held_then_closed_without_a_word() -> None:
    async def test() -> None:
        async with serving(hold=0.4) as served, wire(served.port) as node:
            await node.send(hello("wrong"))
            began = asyncio.get_running_loop().time()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await node.frame()
            assert 0.35 < asyncio.get_running_loop().time() - began < 1.5
            assert served.chain.logins == 0
            assert served.counted("ethstats_logins_total", "lab", "wrong_secret") == 1

    run(test())


def test_a_flood_has_its_next_ready_held_but_has_it() -> None:
    async def test() -> None:
        async with serving(messages_within=5, flood=2, hold=0.4) as served:
            async with reporter(served) as node:
                await node.login()
                for number in range(20):
                    await node.block(number)
                assert await node.ended()
            await until(lambda: served.counted("ethstats_connections", "lab") == 0)
            async with reporter(served) as node:
                await node.hello()
                with pytest.raises(TimeoutError):
                    await node.text(within=0.2)
            async with reporter(served, "n2") as other:
                await other.hello()
                await other.text(within=0.2)
            async with reporter(served) as node:
                await node.login()

    run(test())


# paths


@pytest.mark.parametrize("path", ["/", "/pre/fix"])
def test_a_path_before_api_is_kept(path: str) -> None:
    async def test() -> None:
        async with serving(chain(ethstats=ethstats(path=path))) as served:
            async with reporter(served, path=f"{path.rstrip('/')}/api") as node:
                await node.login()
            assert (await served.fetch(path))[0] == 200
            assert (await served.fetch(f"{path.rstrip('/')}/nodes.json"))[0] == 200
            for wrong in ("/x/api", f"{path.rstrip('/')}/api/", f"{path.rstrip('/')}/api/x", "/pre/api", "//api"):
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    async with reporter(served, path=wrong):
                        pass

    run(test())


def test_one_port_serves_two_chains_that_know_nothing_of_each_other() -> None:
    async def test() -> None:
        one = chain("one", ethstats=ethstats(path="/one", secret="first"))
        two = chain("two", ethstats=ethstats(path="/two", secret="second"))
        async with serving(one, two) as served:
            async with reporter(served, path="/one/api") as node:
                await node.login(secret="first")
                await node.block(1)
                await node.synced()
                assert served.values("n1")["head_block_number"] == 1
                served.name = "two"
                assert served.values("n1") == {}
                assert "n1" not in (await served.fetch("/two/"))[2]
                assert "n1" in (await served.fetch("/one/"))[2]
            async with reporter(served, path="/two/api") as node:
                await node.hello(secret="first")
                assert await node.ended()

    run(test())


# secrets and names


@pytest.mark.parametrize("secret", ["with:colon", "with@at", "a:b@c:d@e", "ünïcödé", " spaces ", "☃" * 200])
def test_a_secret_may_hold_anything(secret: str) -> None:
    async def test() -> None:
        async with serving(chain(ethstats=ethstats(secret=secret))) as served, reporter(served) as node:
            await node.login(secret=secret)

    run(test())


@pytest.mark.parametrize(
    "secret", ["", "wrong", SECRET + "x", SECRET[:-1], SECRET.upper(), None, 7, ["x"], "\ud800", "x" * 5_000]
)
def test_a_wrong_secret_or_none_is_none(secret: Any, caplog: pytest.LogCaptureFixture) -> None:  # noqa: ANN401 - JSON, or whatever it is
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.hello(secret=secret)
            assert await node.ended()
            assert served.values("n1") == {}

    run(test())
    assert not any(SECRET in record.getMessage() or "xxxxx" in record.getMessage() for record in caplog.records)


def test_a_wrong_secret_is_logged_once_for_an_address_and_hour(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        clock = Clock()
        async with serving(hold=0.01) as served:
            served.chain.now = clock

            async def refused(source: str) -> None:
                async with reporter(served, source=source) as node:
                    await node.hello(secret="swordfish")
                    assert await node.ended()

            for _ in range(5):
                await refused("127.0.0.1")
            await refused("127.0.0.2")
            assert len(caplog.records) == 2
            clock.advance(3_601)
            await refused("127.0.0.1")
            assert len(caplog.records) == 3
            assert served.counted("ethstats_logins_total", "lab", "wrong_secret") == 7

    run(test())
    assert "swordfish" not in caplog.text
    assert "127.0.0.1 gave a wrong secret for 'n1'" in caplog.text


@pytest.mark.parametrize("name", ["two words", "a/b", "Zürich", "a:b@c", "<b>&\"'", "{x}", "名前", "100%", "a" * 100])
def test_a_name_may_hold_anything(name: str) -> None:
    async def test() -> None:
        async with serving() as served, reporter(served, name) as node:
            await node.login()
            await node.block(7)
            assert await node.ping()
            assert served.values(name)["head_block_number"] == 7
            status, _, page = await served.fetch()
            assert status == 200
            assert "<b>&" not in page
            assert json.loads((await served.fetch("/nodes.json"))[2])["nodes"][0]["name"] == name

    run(test())


@pytest.mark.parametrize(("name", "shown"), [("a" * 5_000, "a" * 100 + "…"), ("a\n\u202eb\0", "a\\n\\u202eb\\x00")])
def test_a_name_is_cleaned_and_bounded_in_labels(name: str, shown: str) -> None:
    async def test() -> None:
        async with serving() as served, reporter(served, name) as node:
            await node.login()
            await node.block(7)
            assert await node.ping()
            assert served.values(shown)["head_block_number"] == 7

    run(test())


# heads that come again


def test_a_head_that_is_sent_every_15_s_counts_once() -> None:
    async def test() -> None:
        clock = Clock()
        async with serving() as served, reporter(served) as node, reporter(served, "n2") as other:
            served.chain.now = clock
            for each in (node, other):
                await each.login()
                await each.block(1)
                await each.synced()
            await node.block(2)
            await node.synced()
            clock.advance(0.25)
            await other.block(2)
            await other.synced()
            for _ in range(4):
                clock.advance(15)
                for each in (node, other):
                    await each.block(2)
                    await each.synced()
            assert served.values("n1")["arrivals_total"] == served.values("n2")["arrivals_total"] == 1
            assert served.values("n1")["head_arrival_delay_seconds"] == 0
            assert served.values("n2")["head_arrival_delay_seconds"] == pytest.approx(0.25)
            assert served.values("n2")["arrival_delay_seconds_total"] == pytest.approx(0.25)
            assert served.chain.sealers.by_address["0x" + 40 * "a"].blocks == 2

    run(test())


# syncing, and other things that a version gets wrong


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ("Geth/v1.8.27-stable/linux-amd64/go1.19", None),
        ("Geth/me/and/mine/v1.13.10-stable-abc/linux-amd64/go1.21", None),
        ("Geth/v1.13.11-stable/linux-amd64/go1.21", 1),
        ("Geth/v1.17.0-unstable/linux-amd64/go1.24", 1),
        ("besu/v24.1.0/linux-x86_64/openjdk-java-17", 1),
    ],
)
def test_syncing_is_ignored_up_to_1_13_10(version: str, told: int | None) -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login(version=version)
            await node.emit("stats", stats={"syncing": True, "peers": 3, "gasPrice": 7})
            await node.synced()
            assert served.values("n1", "chain").get("syncing") == told
            assert served.values("n1")["peers"] == 3

    run(test())


@pytest.mark.parametrize(
    ("version", "says"), [("1.11.2", True), ("1.11.3", False), ("1.13.4", False), ("1.13.5", True)]
)
def test_what_1_11_3_to_1_13_4_say_of_transactions_and_gas_price_is_ignored(version: str, says: bool) -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login(version=f"Geth/v{version}-stable/linux-amd64/go1.21")
            await node.block(5, transactions=[])
            await node.emit("stats", stats={"gasPrice": 0, "peers": 1})
            await node.synced()
            values = served.values("n1", "chain")
            assert ("head_block_transactions" in values) == says
            assert ("gas_price_wei" in values) == says

    run(test())


def test_a_total_difficulty_of_0_is_none() -> None:
    async def test() -> None:
        async with serving() as served, reporter(served) as node:
            await node.login(version="Geth/v1.15.0-stable/linux-amd64/go1.23")
            await node.block(5, totalDifficulty="0")
            await node.synced()
            assert "head_block_total_difficulty" not in served.values("n1", "chain")

    run(test())
