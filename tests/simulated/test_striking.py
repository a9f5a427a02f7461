"""Which requests the fault `some` strikes, what a node tells of what it did, and how the two go with other faults."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import pytest

from compose.simulated import SimulatedCluster
from compose.simulated.faults import checked
from compose.simulated.striking import Strikes
from tests.helpers import run
from tests.simulated.asking import asking, call, get


def struck(requests: int, **parameters: int) -> list[str | None]:
    strikes = Strikes(checked("nodeos", "some", parameters))
    return [strikes.next() for _ in range(requests)]


def test_one_in_every_so_many_until_all_are_struck() -> None:
    seen = struck(100, every=10, drop=2, busy=3)
    assert [number for number, kind in enumerate(seen, 1) if kind] == [10, 20, 30, 40, 50]
    assert Counter(filter(None, seen)) == {"drop": 2, "busy": 3}


@pytest.mark.parametrize("every", [0, 1])
def test_each_one(every: int) -> None:
    assert struck(4, every=every, reset=3) == ["reset"] * 3 + [None]


def test_none_unless_one_is_named() -> None:
    assert set(struck(100, every=1)) == {None}


def test_each_kind_is_spread_over_the_whole() -> None:
    seen = struck(1100, every=1, drop=1000, delay=100)
    for part in range(10):
        assert Counter(seen[part * 110 : part * 110 + 110])["delay"] in (9, 10, 11)


def test_it_is_the_same_each_time_it_is_asked_for() -> None:
    async def scenario() -> None:
        async with SimulatedCluster() as cluster, asking() as session:
            node = cluster.nodes["worker-1"]
            for _ in range(2):
                await node.fault("some", every=3, busy=2)
                got = [(await get(session, node.url + "/v1/chain/get_info"))[0] for _ in range(8)]
                assert got == [200, 200, 503, 200, 200, 503, 200, 200]
            await node.fault("some", every=1, busy=5)
            await node.heal("some")
            assert (await get(session, node.url + "/v1/chain/get_info"))[0] == 200
            assert node.served.answered == {200: 13, 503: 4}

    run(scenario())


def test_what_was_cut_or_refused_is_told_as_that() -> None:
    async def scenario() -> None:
        async with SimulatedCluster() as cluster, asking() as session:
            node = cluster.nodes["sealer-1"]
            await node.fault("half")
            await node.fault("some", every=1, drop=1, busy=1)
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await call(session, node, "net_version")  # by POST: a client may repeat a GET that was dropped
            with pytest.raises(aiohttp.ClientPayloadError):
                await get(session, node.url)  # busy, and half of that
            await node.heal("half")
            await node.fault("error_500")
            assert (await get(session, node.url))[0] == 500
            await node.fault("some", every=1, busy=1)
            assert (await get(session, node.url))[0] == 503, "of those that replace the answer, the first"
            assert node.served.describe() == {
                "answered": {"500": 1, "503": 1},
                "delayed": 0,
                "cut": 1,
                "dropped": 1,
                "reset": 0,
            }

    run(scenario())


def test_a_delay_ends_with_its_fault_or_its_client() -> None:
    async def scenario() -> None:
        async with SimulatedCluster() as cluster, asking(patience=3) as session:
            node = cluster.nodes["worker-1"]
            url = node.url + "/v1/chain/get_info"
            await node.fault("some", every=1, delay=2, seconds=1000)
            waiting, leaving = asyncio.create_task(get(session, url)), asyncio.create_task(get(session, url))
            await asyncio.sleep(0.2)
            assert node.requests.total == 2
            await node.fault("lag")
            leaving.cancel()
            done, _ = await asyncio.wait([waiting], timeout=0.2)
            assert not done
            await node.heal("some")
            assert (await waiting)[0] == 200
            assert (node.served.answered, node.served.delayed) == ({200: 1}, 1), "who left was not answered"

    run(scenario())
