"""What the source for nodeos tells beyond its readings: the observation, and the blocks that it is asked for."""

from __future__ import annotations

import asyncio
import logging
import time
from copy import deepcopy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.failures import KINDS, Failure
from collector.observations import Block, Comparable, Network, Observation, Peer
from tests.answering import Answer, Answers, json
from tests.helpers import run
from tests.sources.nodeos_versions import CHAIN_ID, DAWN, LEAP, VERSIONS, connection, node
from tests.sources.test_nodeos import Gathering, gathering

BLOCK, INFO = "/v1/chain/get_block", "/v1/chain/get_block_info"
UNKNOWN: dict[str, Any] = {  # as recorded
    "code": 400,
    "message": "Unknown Block",
    "error": {"code": 3100002, "name": "unknown_block_exception", "what": "Unknown block", "details": []},
}
MISSING = json(UNKNOWN, 400)
HEADER: dict[str, Any] = {
    "timestamp": "2018-07-05T12:34:56.500",
    "producer": "inita",
    "confirmed": 0,
    "previous": "0" * 64,
    "new_producers": None,
    "id": "f" * 64,
}


def receipt(cpu: int = 100, net: int = 16, status: str = "executed") -> dict[str, Any]:
    """Return a transaction as get_block shows it, with far more to it than is of use."""
    action = {"account": "eosio.token", "name": "transfer", "data": {"quantity": "1.0000 SYS", "memo": ["x"] * 50}}
    transaction = {"id": "0" * 64, "transaction": {"actions": [action] * 3}}
    return {"status": status, "cpu_usage_us": cpu, "net_usage_words": net, "trx": transaction}


def block(number: int, transactions: list[dict[str, Any]] | None = None, **changes: object) -> dict[str, Any]:
    """Return what get_block tells of a block."""
    return HEADER | {"block_num": number, "transactions": transactions or []} | changes


def answering(*found: dict[str, Any], missing: Answer = MISSING) -> Answers:
    """Return the answers of a node that has these blocks."""
    by_number = {document["block_num"]: document for document in found}

    def answer(body: bytes) -> Answer:
        asked = orjson.loads(body)["block_num_or_id"]
        return json(by_number[asked]) if asked in by_number else missing

    return node(listed=False) | {BLOCK: answer}


async def observed(at_work: Gathering) -> Observation:
    """Gather once, and return what that tells."""
    await at_work.gather()
    assert at_work.source.observation is not None
    return at_work.source.observation


def observation(answers: Answers) -> tuple[Observation, list[str]]:
    """Return what one gather tells, and the problems with it."""

    async def scenario() -> tuple[Observation, list[str]]:
        async with gathering(answers) as at_work:
            return await observed(at_work), [f"{kind}: {text}" for kind, text in at_work.problems]

    return run(scenario())


def test_everything_is_told() -> None:
    async def scenario() -> None:
        async with gathering(node()) as at_work:
            assert isinstance(at_work.source, Comparable)
            at_work.client.wall = lambda: 1_000.0
            told = await observed(at_work)
            assert 0 < told.took < 5
            assert told == Observation(
                at=1_000.0,
                took=told.took,
                head=Block(1_000, "000003e8" + "0" * 56, 1_530_794_096.5, maker="inita"),
                finalized=980,
                finalized_at=1_530_794_086.5,
                best_known=1_002,
                network=Network(genesis=CHAIN_ID),
                version="v4.0.6",
                peer_count=2,
                peers=(Peer(inbound=True), Peer(address="a:9876")),
                schedule=["inita", "initb", "initc"],
                finalizers=4,
                paused=False,
            )

    run(scenario())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_tells_as_far_as_it_goes(version: str) -> None:
    told, problems = observation({"/v1/chain/get_info": json(VERSIONS[version])})
    assert told.head is not None
    assert (told.head.number, told.finalized) == (1_000, 980)
    assert told.network.genesis == ("" if VERSIONS[version] is DAWN else CHAIN_ID)
    assert (told.peers, told.schedule, told.paused, told.finalizers) == (None, None, None, None)
    assert problems == []


def test_a_gather_that_fails_tells_nothing() -> None:
    async def scenario() -> None:
        async with gathering(node()) as at_work:
            await observed(at_work)
            at_work.server.answers["/v1/chain/get_info"] = Answer(status=500)
            with pytest.raises(Failure):
                await at_work.gather()
            assert at_work.source.observation is None

    run(scenario())


def shaken(**handshake: object) -> dict[str, Any]:
    """Return the handshake of a peer that is connected."""
    return {"network_version": 1_212, "node_id": "ab" * 32, "agent": "api", **handshake}


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (connection(last_handshake=shaken(p2p_address="api:9876 - ababab")), Peer("ab" * 32, "api", "api:9876", True)),
        (
            connection("producer:9876", last_handshake=shaken(p2p_address="0.0.0.0:9876 - ababab")),
            Peer("ab" * 32, "api", "producer:9876"),
        ),
        (
            connection(remote_ip="10.0.0.7", last_handshake=shaken(p2p_address="[::]:9876 - ababab")),
            Peer("ab" * 32, "api", "10.0.0.7", True),
        ),
        (connection(last_handshake=shaken(agent="a\x00\n" + "b" * 9_999)), None),
    ],
)
def test_peers_say_who_they_are_and_where_they_listen(peer: dict[str, Any], expected: Peer | None) -> None:
    told, problems = observation(node() | {"/v1/net/connections": json([peer, connection("dead:1", version=0)])})
    assert told.peers is not None
    [found] = told.peers
    assert expected in (found, None)
    assert found.name.isprintable()
    assert len(found.name) < 200
    assert problems == []


def test_lists_without_end_are_cut_or_left_out(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        names = ["".join("abcdefghij"[int(digit)] for digit in str(number)) for number in range(5_000)]
        many = [{"producer_name": name} for name in names]
        answers = node() | {
            "/v1/net/connections": json([connection(f"p{number}:9876") for number in range(5_000)]),
            "/v1/chain/get_producer_schedule": json({"active": {"version": 1, "producers": many}}),
        }
        async with gathering(answers) as at_work:
            for _ in range(3):
                told = await observed(at_work)
                assert told.peers is not None
                assert len(told.peers) == 1_000
                assert told.schedule is None  # a part of it would tell wrong turns
            assert at_work.problems == []

    with caplog.at_level(logging.WARNING, "chainwatch"):
        run(scenario())
    assert len([line for line in caplog.messages if "5000 producers are more than can be compared" in line]) == 1


@pytest.mark.parametrize("key", ["head_block_num", "last_irreversible_block_num", "fork_db_head_block_num"])
def test_a_height_that_no_chain_has_is_said_and_left_out(key: str) -> None:
    told, problems = observation(node(LEAP | {key: str(10**19)}))
    assert (told.head, told.finalized, told.best_known).count(None) == 1
    assert told.peer_count == 2
    assert [problem.partition(":")[0] for problem in problems] == ["bad_answer"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=20), below, max_size=4),
    max_leaves=12,
)
WHOLE = connection(last_handshake=shaken(p2p_address="api:9876 - ab"), remote_ip="10.0.0.7")
DOCUMENTS: dict[str, Any] = {
    "/v1/chain/get_info": LEAP,
    "/v1/net/connections": [WHOLE],
    BLOCK: block(7, [receipt()]),
    INFO: block(7),
}


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, object]:
    """Draw an endpoint and its document, with anything at all in some place of it."""
    path = draw(st.sampled_from(sorted(DOCUMENTS)))
    document = {None: deepcopy(DOCUMENTS[path])}
    place: Any = None
    within: Any = document
    while isinstance(within[place], dict | list) and within[place] and draw(st.booleans()):
        within = within[place]
        place = draw(st.sampled_from(sorted(within) if isinstance(within, dict) else list(range(len(within)))))
    within[place] = draw(ANYTHING | st.sampled_from(["9" * 4_000, "1e999", "-nan"]))
    return path, document[None]


@settings(max_examples=80)
@given(spoiling=st.lists(spoiled(), min_size=1, max_size=3))
def test_whatever_a_node_answers_is_a_sound_observation(spoiling: list[tuple[str, object]]) -> None:
    async def scenario() -> None:
        documents = DOCUMENTS | dict(spoiling)
        async with gathering(node(listed=False) | {path: json(found) for path, found in documents.items()}) as at_work:
            try:
                told = await observed(at_work)
            except Failure:
                return
            found = await at_work.source.blocks([7, 8])
            assert {kind for kind, _ in at_work.problems} <= set(KINDS)
            for each in [*found, *([told.head] if told.head else [])]:
                assert 0 <= each.number < 2**63
                assert len(each.maker) <= 13
                assert each.cpu_seconds is None or each.cpu_seconds >= 0
            for peer in told.peers or ():
                assert all(text.isprintable() and len(text) <= 200 for text in (peer.id, peer.name, peer.address))

    run(scenario())


# Blocks


def test_blocks_come_with_what_their_transactions_used() -> None:
    async def scenario() -> None:
        transactions = [receipt(100, 16), receipt(250, 4, "soft_fail"), receipt(0, 0, "expired"), receipt(50, 1)]
        async with gathering(answering(block(5), block(7, transactions, previous="a" * 64))) as at_work:
            await at_work.gather()
            found = await at_work.source.blocks([5, 6, 7])
            assert found == [
                Block(
                    number=7,
                    hash="f" * 64,
                    timestamp=1_530_794_096.5,
                    parent="a" * 64,
                    maker="inita",
                    transactions=2,
                    cpu_seconds=0.0004,
                    net_bytes=168,
                ),
                Block(5, "f" * 64, 1_530_794_096.5, "0" * 64, "inita", transactions=0, cpu_seconds=0.0, net_bytes=0),
            ]
            assert [orjson.loads(body) for body in at_work.server.bodies[-3:]] == [
                {"block_num_or_id": number} for number in (7, 6, 5)
            ]
            assert at_work.problems == []
            assert at_work.server.connections == 1

    run(scenario())


def test_what_no_transaction_can_use_is_not_taken() -> None:
    """Both are counted in 32 bits."""

    async def scenario() -> None:
        odd = block(7, [receipt(cpu=2**32)])
        answers = answering(odd) | {INFO: json(block(7) | {"transactions": None})}
        async with gathering(answers) as at_work:
            await at_work.gather()
            [found] = await at_work.source.blocks([7])
            assert (found.transactions, found.cpu_seconds, found.net_bytes) == (None, None, None)
            assert at_work.problems == []

    run(scenario())


@pytest.mark.parametrize(
    "refusal",
    [
        Answer(status=500),
        Answer(b"{" * 200_000),
        Answer(b" " * 5_000_000),
        Answer(b'{"a":' * 50_000),
        json({"block_num": 8}),
        json(block(8)),
        json([]),
        Answer(status=404),
    ],
)
def test_where_a_block_does_not_come_its_header_does(refusal: Answer) -> None:
    async def scenario() -> None:
        header = {key: value for key, value in block(7).items() if key != "transactions"}
        async with gathering(node(listed=False) | {BLOCK: refusal, INFO: json(header)}) as at_work:
            await at_work.gather()
            [found] = await at_work.source.blocks([7])
            assert found == Block(7, "f" * 64, 1_530_794_096.5, "0" * 64, "inita")
            assert orjson.loads(at_work.server.bodies[-1]) == {"block_num": 7}
            assert at_work.problems == []

    run(scenario())


def test_a_node_without_either_is_asked_for_each_once() -> None:
    async def scenario() -> None:
        async with gathering(node(listed=False)) as at_work:
            await at_work.gather()
            before = len(at_work.server.asked)
            for _ in range(3):
                assert await at_work.source.blocks([9, 8, 7]) == []
            assert [path for _, path in at_work.server.asked[before:]] == [BLOCK, INFO]
            assert at_work.problems == []

    run(scenario())


def test_a_node_that_lists_neither_is_not_asked() -> None:
    async def scenario() -> None:
        async with gathering(node()) as at_work:
            await at_work.gather()
            before = len(at_work.server.asked)
            assert await at_work.source.blocks([7]) == []
            assert len(at_work.server.asked) == before

    run(scenario())


def test_what_is_wrong_with_many_blocks_is_said_once() -> None:
    async def scenario() -> None:
        async with gathering(answering(block(5), missing=Answer(status=500))) as at_work:
            await at_work.gather()
            found = await at_work.source.blocks([5, 6, 7])
            assert [block.number for block in found] == [5]
            assert [kind for kind, _ in at_work.problems] == ["http"]

    run(scenario())


@pytest.mark.parametrize(("answer", "kind"), [(Answer(status=503), "busy"), (Answer(cut=True), "cut_off")])
def test_a_node_that_takes_no_more_is_asked_no_more(answer: Answer, kind: str) -> None:
    async def scenario() -> None:
        async with gathering(answering(block(7), missing=answer)) as at_work:
            await at_work.gather()
            before = len(at_work.server.asked)
            with pytest.raises(Failure) as caught:
                await at_work.source.blocks([7, 6, 5])
            assert caught.value.kind == kind
            assert len(at_work.server.asked) - before <= 3  # a connection that is cut may have been an old one

    run(scenario())


@pytest.mark.parametrize("after", [0.4, 30.0])
def test_what_has_come_when_time_is_short_is_returned(after: float) -> None:
    """Whether the answers are slow, or one does not come at all."""

    async def scenario() -> None:
        slow: Answers = answering(*(block(number) for number in range(1, 100)))
        answer = slow[BLOCK]
        assert not isinstance(answer, Answer)

        def late(body: bytes) -> Answer:
            first = orjson.loads(body)["block_num_or_id"] == 99
            return Answer(answer(body).body, after=0 if first else after)

        async with gathering(slow | {BLOCK: late}, timeout=1.5) as at_work:
            await at_work.gather()
            began = time.monotonic()
            async with asyncio.timeout(1.5):
                found = await at_work.source.blocks(list(range(1, 100)))
            assert time.monotonic() - began < 1.5
            assert found[0].number == 99
            assert 1 <= len(found) <= 5
            assert at_work.problems == []

    run(scenario())
