"""What the Ethereum source tells beyond its readings: the observation, and the blocks that it is asked for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.failures import KINDS, Failure
from collector.observations import Block, Comparable, Network, Observation, Peer
from collector.sources import restarts
from collector.sources.ethereum import methods, rpc, seals
from tests.answering import Answer
from tests.helpers import run
from tests.sources.test_ethereum import NOT_FOUND, Node, recorded

WHOLE = "geth-1.13.15"
SEALERS = ("0x0e714ed93a05fe70a7d3844d0da0e107d6e67d1a", "0x89c7f3fc9e38dd8985c3c634e99c01acf82510ca")
GENESIS = "0x745ea98f8a9efd0f0147307f9d40f9e30fb57633c67bca32598968fdd7cb0dd5"
KEY = (
    "2949022ca3e6139b2bd6064bb9a02082b1df01c09a205a2dc97ea7cefa0796af"
    "eb14c2d5e7fde208801491a0a20d9a989d8dc66a3c64003fbb9fad01b3913cd2"
)
PEER = (
    "a77750d18a510f7a454ee4a72ccaedd19246f90e1ab157ed9b8b0d6e37fb6a64"
    "827b9c9fbfa4d81a08266f7cd55dc67b27e61c20d2a759594292cbcd7d8bc79f"
)
HEAD = Block(
    number=12,
    hash="0x374c85b82e6c0a61eaba56ec06d7667e2f100091c30d1679547becfb7c73474f",
    timestamp=1_795_286_806.0,
    parent="0x351ffabac2088f88b930c10c69d6c65c29e2c99e6ba03ac80795d7f39592ce21",
    maker=SEALERS[0],
    in_turn=True,
    difficulty=2,
    transactions=0,
    gas_used=0,
    gas_limit=30_000_000,
)


def node(methods: dict[str, Any] | None = None, **settings: Any) -> Node:  # noqa: ANN401 - what a target takes
    """Return a node that tells everything about itself, with other answers in the place of its own."""
    return Node(recorded(WHOLE) | (methods or {}), metrics=(), **settings)


async def observed(node: Node) -> Observation:
    """Gather once, and return what that tells."""
    await node.gather()
    assert node.source.observation is not None
    return node.source.observation


def observation(methods: dict[str, Any] | None = None) -> tuple[Observation, list[str]]:
    """Return what one gather of such a node tells, and the problems with it."""

    async def scenario() -> tuple[Observation, list[str]]:
        async with node(methods) as at_work:
            return await observed(at_work), [f"{kind}: {text}" for kind, text in at_work.problems]

    return run(scenario())


def block(height: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what JSON holds
    """Return what a node tells of a block."""
    document = deepcopy(recorded(WHOLE)["eth_getBlockByNumber"]["result"])
    return {"result": {**document, "number": hex(height), **changes}}


def test_everything_is_told() -> None:
    async def scenario() -> None:
        async with node() as at_work:
            assert isinstance(at_work.source, Comparable)
            at_work.client.wall = lambda: 1_000.0
            answer = at_work._answer
            at_work.server.answers["/"] = lambda body: Answer(
                answer(body).body, headers={"Date": "Thu, 01 Jan 1970 00:16:50 GMT"}, after=0.05
            )
            told = await observed(at_work)
            assert 0.05 <= told.took < 5
            assert told == Observation(
                at=1_000.0,
                took=told.took,
                head=HEAD,
                network=Network(GENESIS, "1337", "1337"),
                version="Geth/sealer-1/v1.13.15-stable/linux-amd64/go1.26.8",
                identity=KEY,
                peer_count=1,
                peers=(Peer(PEER, "sealer-2", "127.0.0.1:20513", inbound=False),),
                signers=SEALERS,
                syncing=False,
                period=1.0,
                pool=0,
                clock=told.clock,
                clock_within=0.5 + told.took / 2,
            )
            # Ten seconds and the half that the header leaves open, less the half of the way.
            assert told.clock == pytest.approx(10.5 - told.took / 2)

    run(scenario())


@pytest.mark.parametrize(
    "date", ["", "soon", "Thu, 99 Jan 1970 00:16:50 GMT", "x" * 5_000, "Thu, 01 Jan 1970 00:16:50 +99999999"]
)
def test_a_date_that_is_none_tells_nothing_of_the_clock(date: str) -> None:
    async def scenario() -> None:
        async with node() as at_work:
            answer = at_work._answer
            at_work.server.answers["/"] = lambda body: Answer(answer(body).body, headers={"Date": date})
            assert (await observed(at_work)).clock is None

    run(scenario())


def test_a_gather_that_fails_tells_nothing() -> None:
    async def scenario() -> None:
        async with node() as at_work:
            await observed(at_work)
            at_work.server.answers["/"] = Answer(status=500)
            with pytest.raises(Failure):
                await at_work.gather()
            assert at_work.source.observation is None

    run(scenario())


def test_what_does_not_change_is_asked_once() -> None:
    async def scenario() -> None:
        async with node() as at_work:
            for _ in range(4):
                told = await observed(at_work)
                assert (told.network.genesis, told.identity, told.period) == (GENESIS, KEY, 1.0)
            assert [asked.count("admin_nodeInfo") for asked in at_work.asked] == [1, 0, 0, 0]
            assert [asked.count("eth_getBlockByNumber") for asked in at_work.asked] == [2, 1, 1, 1]

    run(scenario())


@pytest.mark.parametrize("how", ["reconnection", "version", "failure", "time"])
def test_blocks_of_another_chain_never_come_with_the_genesis_of_the_old_one(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even in the gather at which it is noticed that the node is another process."""

    async def scenario() -> None:
        async with node() as at_work:
            for _ in range(2):
                assert (await observed(at_work)).network.genesis == GENESIS
            if how == "failure":
                at_work.server.answers["/"] = Answer(status=500)
                with pytest.raises(Failure):
                    await at_work.gather()
                at_work.server.answers["/"] = at_work._answer
            elif how == "reconnection":
                at_work.server.hang_up()
                await asyncio.sleep(0.02)
            elif how == "version":
                at_work.methods["web3_clientVersion"] = {"result": "Geth/v1.13.14"}
            else:
                monkeypatch.setattr(restarts, "LOOK_AGAIN", 0.0)
            other = "0x" + 64 * "7"
            at_work.methods["admin_nodeInfo"]["result"]["protocols"]["eth"]["genesis"] = other
            assert (await observed(at_work)).network.genesis == other
            assert at_work.problems == []

    run(scenario())


@pytest.mark.parametrize("refusal", [Answer(status=500), Answer(after=30)])
def test_facts_that_do_not_come_are_unknown_until_they_do(refusal: Answer) -> None:
    async def scenario() -> None:
        async with node(timeout=0.5) as at_work:
            await observed(at_work)
            answer = at_work._answer

            def without_facts(body: bytes) -> Answer:
                answered = answer(body)
                return refusal if len(at_work.asked) == 3 else answered

            at_work.server.answers["/"] = without_facts
            at_work.methods["web3_clientVersion"] = {"result": "Geth/v1.13.14"}
            async with asyncio.timeout(0.5):
                assert (await observed(at_work)).network.genesis == ""
            assert (await observed(at_work)).network.genesis == GENESIS
            assert at_work.problems == []

    run(scenario())


def test_without_admin_the_genesis_is_that_of_block_0() -> None:
    async def scenario() -> None:
        async with node({"admin_nodeInfo": {"error": NOT_FOUND}, "admin_peers": {"error": NOT_FOUND}}) as at_work:
            for _ in range(3):
                told = await observed(at_work)
                assert told.network.genesis == GENESIS
                assert (told.identity, told.period, told.peers, told.peer_count) == ("", None, None, 1)
            assert [asked.count("eth_getBlockByNumber") for asked in at_work.asked] == [2, 1, 1]

    run(scenario())


def test_1_8_says_the_same_of_itself() -> None:
    """As a real geth 1.8.27 answered, but for what is of no use here."""
    eth = {"network": 1337, "genesis": GENESIS.upper().replace("X", "x"), "config": {"clique": {"period": 0}}}
    info = {"id": "f1f7", "enode": f"enode://{KEY}@127.0.0.1:27875?discport=0", "protocols": {"eth": eth}}
    told, problems = observation({"admin_nodeInfo": {"result": info}})
    assert (told.identity, told.network.genesis, told.period) == (KEY, GENESIS, 0.0)
    assert problems == []


def test_a_chain_that_is_none_of_cliques_has_no_period_and_names_its_miner() -> None:
    eth = {"genesis": GENESIS, "config": {"ethash": {}}}
    miner = "0x" + 40 * "A"
    told, problems = observation(
        {
            "admin_nodeInfo": {"result": {"protocols": {"eth": eth}}},
            "eth_getBlockByNumber": block(7, difficulty="0x20000", mixHash="0x" + 64 * "1", miner=miner),
        }
    )
    assert told.head is not None
    assert (told.period, told.head.maker, told.head.in_turn) == (None, miner.lower(), None)
    assert problems == []


def test_the_genesis_block_is_nobodys() -> None:
    told, _ = observation({"eth_getBlockByNumber": recorded(WHOLE)["eth_getBlockByNumber-0x0"]})
    assert told.head is not None
    assert (told.head.number, told.head.maker, told.head.in_turn) == (0, "", None)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ({"enode": f"enode://{PEER.upper()}@[::]:30303"}, Peer(PEER, "n 1/x", "[::]:30303")),
        ({"enode": f"enode://{PEER}"}, Peer(PEER, "n 1/x", "10.0.0.1:5")),
        ({"enode": "enr:-Jy4QDAH", "id": "AB"}, Peer("ab", "n 1/x", "10.0.0.1:5")),
        ({"id": PEER}, Peer(PEER, "n 1/x", "10.0.0.1:5")),
        ({"name": "Geth/v1.8.27/linux/go1"}, Peer(address="10.0.0.1:5")),
        ({"name": "a/\x00\u202e/b/c/d"}, Peer(name="\\x00\\u202e", address="10.0.0.1:5")),
        ({"name": "Geth/" + "n" * 9_999, "enode": "e" * 9_999}, Peer(address="10.0.0.1:5")),
    ],
)
def test_peers_of_every_version_are_read(peer: dict[str, str], expected: Peer) -> None:
    network = {"remoteAddress": "10.0.0.1:5", "inbound": False}
    told, problems = observation(
        {"admin_peers": {"result": [{"name": "Geth/n 1/x/v1/l/g", "network": network} | peer]}}
    )
    assert told.peers == (expected,)
    assert problems == []


@pytest.mark.parametrize("status", [{"inturnPercent": 0, "sealerActivity": {SEALERS[0]: 0}, "numBlocks": 2**64 - 1}])
def test_clique_status_has_nothing_to_say_at_genesis(status: dict[str, Any]) -> None:
    """As a real geth 1.13.15 answers there, and at block 1."""
    nan = {"error": {"code": -32603, "message": "json: unsupported value: NaN"}}

    async def scenario() -> None:
        async with node() as at_work:
            for answer in ({"result": status}, nan, {"result": status}, nan):
                at_work.methods["clique_status"] = answer
                gathered = await at_work.gather()
                assert not any(field.startswith("clique_active") for field in gathered["chain"])
                assert "chain_signer" not in gathered
            at_work.methods["clique_status"] = recorded(WHOLE)["clique_status"]
            assert (await at_work.gather())["chain"]["clique_active_signers"] == 2
            assert at_work.problems == []

    run(scenario())


# Hostile nodes


def test_lists_without_end_are_cut_or_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        peers = [{"id": f"{number}", "network": {"inbound": True}} for number in range(5_000)]
        signers = [f"0x{number:040x}" for number in range(5_000)]
        async with node({"admin_peers": {"result": peers}, "clique_getSigners": {"result": signers}}) as at_work:
            for _ in range(3):
                told = await observed(at_work)
                assert told.peers is not None
                assert len(told.peers) == 1_000
                assert told.signers is None  # the quorum of a part of them would be wrong
            assert (await at_work.gather())["chain"]["clique_signers"] == 5_000

    with caplog.at_level(logging.WARNING, "chainwatch"):
        run(scenario())
    assert [line for line in caplog.messages if "signers" in line] == [
        "lab/a: 5,000 signers are more than can be compared"
    ]


@pytest.mark.parametrize("change", [{"number": hex(10**30)}, {"timestamp": hex(10**30)}, {"gasUsed": "many"}])
def test_a_block_that_no_chain_has_is_said_and_left_out(change: dict[str, str]) -> None:
    told, problems = observation({"eth_getBlockByNumber": block(7, **change)})
    assert told.head is None
    assert told.peer_count == 1
    assert [problem.partition(":")[0] for problem in problems] == ["bad_answer"]


@pytest.mark.parametrize("period", [-1, "1", True, [], 1e999])
def test_a_period_that_is_none_is_said(period: object) -> None:
    info = {"protocols": {"eth": {"config": {"clique": {"period": period}}}}}
    told, problems = observation({"admin_nodeInfo": {"result": info}})
    assert told.period is None
    assert told.network.genesis == GENESIS  # block 0 tells as well
    assert len(problems) == (period != 1e999)  # which is null in JSON


def test_a_seal_that_takes_too_long_costs_the_maker_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next gather has it, for the thread goes on."""
    sealer = seals.sealer

    def slowly(header: Mapping[str, Any]) -> str:
        time.sleep(1.5)
        return sealer(header)

    monkeypatch.setattr(seals, "sealer", slowly)

    async def scenario() -> None:
        changed = block(12)
        changed["result"]["nonce"] = "0x0000000000000001"  # none that an earlier test has had recovered
        async with node({"eth_getBlockByNumber": changed}, timeout=1.5) as at_work:
            began = time.monotonic()
            told = await observed(at_work)
            assert time.monotonic() - began < 1.5
            assert told.head is not None
            assert told.head.maker == ""
            await asyncio.sleep(0.3)
            told = await observed(at_work)
            assert told.head is not None
            assert told.head.maker != ""

    run(scenario())


ATOMS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20)
ANYTHING = st.recursive(
    ATOMS | st.floats(allow_nan=False, allow_infinity=False),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=20), below, max_size=4),
    max_leaves=12,
)
ODD = st.sampled_from(["0x" + "f" * 70, "0x", "0x" + "f" * 30, "-0x1", "\x00\n", -1, 2**63])
METHODS = recorded(WHOLE) | {"eth_getBlockByNumber-0x3": block(3)}


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, object]:
    """Draw a method and its result, with anything at all in some place of it."""
    method = draw(st.sampled_from(sorted(METHODS)))
    document: Any = deepcopy(METHODS[method])
    place: Any = "result"
    within = document
    while isinstance(within[place], dict | list) and within[place] and draw(st.booleans()):
        within = within[place]
        place = draw(st.sampled_from(sorted(within) if isinstance(within, dict) else list(range(len(within)))))
    within[place] = draw(ANYTHING | ODD)
    return method, document


@settings(max_examples=80)
@given(spoiling=st.lists(spoiled(), min_size=1, max_size=3))
def test_whatever_a_node_answers_is_a_sound_observation(spoiling: list[tuple[str, Any]]) -> None:
    async def scenario() -> None:
        async with node(METHODS | dict(spoiling)) as at_work:
            try:
                told = await observed(at_work)
                blocks = await at_work.source.blocks([3, 12])
            except Failure:
                return
            assert {kind for kind, _ in at_work.problems} <= set(KINDS)
            for each in [*blocks, *([told.head] if told.head else [])]:
                assert 0 <= each.number < 2**63
                assert 0 <= each.timestamp < 2**64
                assert len(each.hash) == len(each.parent) == 66
                assert len(each.maker) in (0, 42)
            for peer in told.peers or ():
                assert all(text.isprintable() and len(text) <= 200 for text in (peer.id, peer.name, peer.address))
            assert len(told.signers or ()) <= 200
            assert told.period is None or told.period >= 0

    run(scenario())


# Blocks


def test_blocks_come_in_one_batch_with_their_makers_and_without_those_that_are_missing() -> None:
    async def scenario() -> None:
        head = recorded(WHOLE)["eth_getBlockByNumber"]
        blocks = {f"eth_getBlockByNumber-{hex(number)}": block(number) for number in (3, 4)}
        missing = {"eth_getBlockByNumber-0x5": {"result": None}}
        async with node({"eth_getBlockByNumber-0xc": head} | blocks | missing) as at_work:
            await at_work.gather()
            before = len(at_work.asked)
            found = await at_work.source.blocks([3, 12, 5, 4])
            assert [block.number for block in found] == [3, 12, 4]
            assert found[1] == HEAD
            assert at_work.asked[before:] == [["eth_getBlockByNumber"] * 4]
            assert at_work.problems == []
            assert await at_work.source.blocks([]) == []
            assert len(at_work.asked) == before + 1

    run(scenario())


def test_another_block_than_asked_for_is_none() -> None:
    async def scenario() -> None:
        async with node({"eth_getBlockByNumber-0x3": block(4), "eth_getBlockByNumber-0x4": block(4)}) as at_work:
            await at_work.gather()
            assert [block.number for block in await at_work.source.blocks([3, 4])] == [4]
            assert at_work.problems == [("bad_answer", "eth_getBlockByNumber 3: the answer is another block, 4")]

    run(scenario())


def test_blocks_that_a_node_refuses_are_a_failure() -> None:
    async def scenario() -> None:
        async with node() as at_work:
            await at_work.gather()
            at_work.server.answers["/"] = Answer(status=503)
            with pytest.raises(Failure) as caught:
                await at_work.source.blocks([1])
            assert caught.value.kind == "busy"

    run(scenario())


def test_batches_that_differ_each_time_leave_nothing_behind() -> None:
    for number in range(1_000):
        rpc._batch((methods.block_call(number),))
    assert rpc._batch.cache_info().currsize <= 256
