"""The load of transfers: its pace, its nonces, and what it makes of nodes that fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from eth_account import Account

from compose.transfers import asking, sending
from compose.transfers.asking import Node
from compose.transfers.sending import Load
from compose.transfers.wallets import Wallet
from tests.answering import Answer, Answering, json
from tests.compose.transfers.chain import CHAIN_ID, FakeChain
from tests.helpers import run

RATE = 40.0


def wallets(count: int = 3) -> list[Wallet]:
    """Return some accounts, always the same ones."""
    return [Wallet(Account.from_key(number.to_bytes(32, "big"))) for number in range(1, count + 1)]


@asynccontextmanager
async def loaded(*urls: str, rate: float = RATE, accounts: int = 3) -> AsyncIterator[Load]:
    """Run a load for as long as the block lasts."""
    async with aiohttp.ClientSession() as session:
        load = Load([Node(url, session) for url in urls], wallets(accounts), rate)
        running = asyncio.create_task(load.run())
        try:
            yield load
            assert not running.done(), "it never ends by itself"
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def until(condition: Callable[[], object], within: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_POLL", 0.05)
    monkeypatch.setattr(sending, "_REST", 0.1)
    monkeypatch.setattr(asking, "_FIRST_REST", 0.05)
    monkeypatch.setattr(asking, "_LONGEST_REST", 0.2)


def test_transfers_are_sent_at_the_rate_and_in_order() -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server, loaded(server.url) as load:
            await until(lambda: len(chain.taken) >= 1)
            begun, before = time.monotonic(), len(chain.taken)
            while time.monotonic() - begun < 1:
                chain.mine()
                await asyncio.sleep(0.05)
            sent = len(chain.taken) - before
            assert RATE * 0.5 <= sent <= RATE * 1.2
            await until(lambda: load.total.accepted == load.total.sent == len(chain.taken))  # one may be on its way
            assert load.total.failed == 0
        senders = {it["from"] for it in chain.taken}
        assert len(senders) == 3
        for sender in senders:
            nonces = [it["nonce"] for it in chain.taken if it["from"] == sender]
            assert nonces == list(range(len(nonces)))

    run(test())


@pytest.mark.parametrize(("base_fee", "kind"), [(None, 0), (7, 2), (500 * 10**9, 2)])
def test_transfers_are_of_the_kind_that_the_chain_has(base_fee: int | None, kind: int) -> None:
    async def test() -> None:
        chain = FakeChain(base_fee=base_fee)
        async with Answering({"/": chain}) as server, loaded(server.url):
            await until(lambda: chain.taken)
        first = chain.taken[0]
        assert (first["type"], first["chainId"], first["value"]) == (kind, CHAIN_ID, 10**9)
        assert base_fee is None or first["maxFeePerGas"] > base_fee

    run(test())


def test_each_node_is_sent_to_in_turn() -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as one, Answering({"/": chain}) as other, loaded(one.url, other.url):
            await until(lambda: len(chain.taken) >= 20)
        raw = [sum(b"sendRaw" in body for body in server.bodies) for server in (one, other)]
        assert min(raw) >= 5

    run(test())


def test_what_may_have_arrived_is_sent_again_as_it_is() -> None:
    """The connection ends after the node took the transaction: nothing is spent twice."""

    async def test() -> None:
        chain = FakeChain()
        lost = 0

        def cut(body: bytes) -> Answer:
            nonlocal lost
            answer = chain(body)
            if b"sendRaw" in body and lost < 3:
                lost += 1
                return Answer(cut=True)
            return answer

        async with Answering({"/": cut}) as one, Answering({"/": chain}) as other, loaded(one.url, other.url) as load:
            await until(lambda: lost == 3 and len(chain.taken) >= 20)
            assert load.total.failed == 3
            assert load.total.accepted <= len(chain.taken)
        for sender in {it["from"] for it in chain.taken}:
            nonces = [it["nonce"] for it in chain.taken if it["from"] == sender]
            assert nonces == list(range(len(nonces)))

    run(test())


def test_a_dead_node_is_told_of_once_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as gone:
            dead = gone.url
        async with Answering({"/": chain}) as alive, loaded(alive.url, dead):
            await until(lambda: len(chain.taken) >= 20)

    caplog.set_level(logging.INFO)
    run(test())
    assert sum("no answer" in record.message for record in caplog.records) == 1


def test_it_waits_for_a_chain_that_is_not_there_yet() -> None:
    async def test() -> None:
        chain = FakeChain()
        chain.fault = lambda _: Answer(b"invalid host specified\n", 403)
        async with Answering({"/": chain}) as server, loaded(server.url):
            await asyncio.sleep(0.3)
            assert not chain.taken
            chain.fault = lambda _: None
            await until(lambda: chain.taken)

    run(test())


def test_after_a_stall_nothing_is_made_up_for() -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server, loaded(server.url):
            await until(lambda: chain.taken)
            chain.fault = lambda _: Answer(cut=True)
            await asyncio.sleep(1.0)
            chain.fault = lambda _: None
            before = len(chain.taken)
            await until(lambda: len(chain.taken) > before)
            begun, before = time.monotonic(), len(chain.taken)
            await asyncio.sleep(0.5)
            assert len(chain.taken) - before <= RATE * (time.monotonic() - begun) + 2

    run(test())


def test_a_chain_that_mines_nothing_is_not_filled_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_MOST_WAITING", 9)

    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server, loaded(server.url):
            await until(lambda: len(chain.taken) == 9)
            await asyncio.sleep(0.3)
            assert len(chain.taken) == 9
            chain.mine()
            await until(lambda: len(chain.taken) == 18)

    run(test())


def test_what_a_node_has_lost_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOST_AFTER", 0.3)

    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server, loaded(server.url):
            await until(lambda: len(chain.taken) >= 6)
            chain.lose()
            before = sum(chain.mined.values())
            async with asyncio.timeout(10):
                while sum(chain.mined.values()) < before + 6:
                    chain.mine()
                    await asyncio.sleep(0.05)

    run(test())


def test_a_chain_that_begins_anew_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOST_AFTER", 0.3)
    monkeypatch.setattr(sending, "_LOST_AT_LAST", 0.6)

    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server, loaded(server.url):
            await until(lambda: len(chain.taken) >= 20)
            chain.mine()
            chain.number, chain.taken = 0, []
            chain.lose()
            chain.mined.clear()
            await until(lambda: any(it["nonce"] == 0 for it in chain.taken))

    run(test())


def test_an_account_that_somebody_else_uses_goes_on() -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server, loaded(server.url) as load:
            await until(lambda: len(chain.taken) >= 3)
            chain.lose()
            for sender in {it["from"] for it in chain.taken}:
                chain.mined[sender] = 50
            before = len(chain.taken)
            await until(lambda: len(chain.taken) >= before + 9)
            assert {it["nonce"] >= 50 for it in chain.taken[before:]} == {True}
            assert load.total.failed <= 3

    run(test())


def test_a_load_that_starts_again_leaves_alone_what_waits() -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server:
            async with loaded(server.url):
                await until(lambda: len(chain.taken) >= 9)
            async with loaded(server.url) as load:
                before = len(chain.taken)
                await until(lambda: len(chain.taken) >= before + 3)
                await until(lambda: load.total.accepted == load.total.sent)  # one may be on its way
                assert load.total.failed == 0

    run(test())


def test_an_account_without_ether_is_told_of_and_left_alone_a_while(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        chain = FakeChain()
        chain.fault = lambda method: (
            "insufficient funds for gas * price + value" if method == "eth_sendRawTransaction" else None
        )
        async with Answering({"/": chain}) as server, loaded(server.url, accounts=1) as load:
            await until(lambda: load.total.failed >= 2)
            chain.fault = lambda _: None
            await until(lambda: chain.taken)

    run(test())
    assert sum("insufficient funds" in record.message for record in caplog.records) == 1


HOSTILE = [
    b"",
    b"[",
    b"null",
    b"7",
    b"{}",
    b"[]",
    b"[null]",
    b'{"error": 7}',
    b'{"error": {"message": ["x"]}}',
    b'{"result": null}',
    b'[{"id":0,"result":{}},{"id":1,"result":[]},{"id":2,"result":"0x"},{"id":3},{"id":4},{"id":5}]',
    (
        b'[{"id":0,"result":"0x12"},{"id":1,"result":"0x1"},{"id":2,"result":null},{"id":3,"result":"0x1"},'
        b'{"id":4,"result":"0x1"},{"id":5,"result":"0x1"}]'
    ),
    (
        b'[{"id":0,"result":"0x12"},{"id":1,"result":"0x' + b"f" * 60 + b'"},{"id":2,"result":{"number":"0x1"}},'
        b'{"id":3,"result":"0x1"},{"id":4,"result":"0x1"},{"id":5,"result":"0x1"}]'
    ),
    b"[" * 100_000,
    b"<html>" * 1000,
    b"x" * (asking.LARGEST_ANSWER + 1),
    b"\xff\xfe",
]


@pytest.mark.parametrize("answer", HOSTILE, ids=lambda answer: answer[:20].decode("ascii", "replace"))
def test_a_hostile_answer_ends_nothing(answer: bytes) -> None:
    async def test() -> None:
        chain = FakeChain()
        hostile = 0

        def turn(body: bytes) -> Answer:
            nonlocal hostile
            hostile += 1
            return chain(body) if hostile % 3 else Answer(answer)

        async with Answering({"/": turn}) as server, loaded(server.url):
            await until(lambda: len(chain.taken) >= 3 and hostile > 6, within=20)

    run(test())


def test_a_hostile_answer_to_a_transfer_ends_nothing() -> None:
    async def test() -> None:
        chain = FakeChain()
        answers = [Answer(it) for it in HOSTILE[:10]]
        chain.fault = lambda method: answers.pop() if method == "eth_sendRawTransaction" and answers else None
        async with Answering({"/": chain}) as server, loaded(server.url):
            await until(lambda: len(chain.taken) >= 2 and not answers, within=20)

    run(test())


def test_no_message_holds_the_password_of_an_address(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with Answering({"/": json({})}) as server:
            url = server.url.replace("http://", "http://user:geheim@")
            async with loaded(url):
                await asyncio.sleep(0.2)

    run(test())
    assert caplog.records
    assert "geheim" not in caplog.text


def test_it_ends_at_once_while_a_node_does_not_answer() -> None:
    async def test() -> None:
        chain = FakeChain()
        async with Answering({"/": chain}) as server:
            async with loaded(server.url):
                await until(lambda: chain.taken)
                chain.fault = lambda _: Answer(after=30)
                await asyncio.sleep(0.3)
                begun = time.monotonic()
            assert time.monotonic() - begun < 5

    run(test())
