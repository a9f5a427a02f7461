"""The Ethereum source over HTTP: what it learns of a node, when it learns anew, and what a bad page costs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import orjson
import pytest

from collector.client import Client
from collector.failures import Failure
from collector.readings import Reading, Value
from collector.remarks import Remarks
from collector.sources import restarts
from collector.sources.ethereum import Ethereum
from collector.targets import Target
from tests.answering import Answer, Answering, json
from tests.helpers import run

CASES = Path(__file__).parents[1] / "cases"
OLD, NEW = "geth-1.8.27", "geth-1.10.26"
NOT_FOUND = {"code": -32601, "message": "the method does not exist/is not available"}
PAGE = "/debug/metrics"


def recorded(case: str) -> dict[str, Any]:
    """Return the recorded answers of a case, by method; see `_key`."""
    return {path.stem: orjson.loads(path.read_bytes()) for path in (CASES / case / "answers" / "rpc").iterdir()}


def page(case: str = NEW) -> dict[str, Any]:
    """Return the recorded page of metrics."""
    document: dict[str, Any] = orjson.loads((CASES / case / "answers" / "debug" / "metrics.txt").read_bytes())
    return document


class Node:
    """A node that answers from `methods`, and its page on a listener of its own; `asked` are the batches' methods."""

    def __init__(self, methods: Mapping[str, Any], document: object = None, **settings: Any) -> None:  # noqa: ANN401
        self.methods = dict(methods)
        self.asked: list[list[str]] = []
        self.problems: list[tuple[str, str]] = []
        self.server = Answering({"/": self._answer})
        self.pages = Answering({} if document is None else {PAGE: json(document)})
        self._has_page = document is not None
        self._settings = settings
        self.closes = False

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        await self.pages.__aenter__()
        settings = {"metrics_url": self.pages.url + PAGE} if self._has_page else {}
        target = Target("lab", "ethereum", "a", self.server.url + "/", **{"timeout": 2.0, **settings, **self._settings})
        self.client = Client(target.url)
        remarks = Remarks(logging.getLogger("chainwatch"), "lab/a")
        self.source = Ethereum(target, self.client, remarks, lambda kind, text: self.problems.append((kind, text)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.source.close()
        await self.client.close()
        await self.server.__aexit__(None, None, None)
        await self.pages.__aexit__(None, None, None)

    async def gather(self) -> dict[str, dict[str, Value]]:
        """Return the fields of one gather, by measurement."""
        return {reading.shape.measurement: reading.as_dict() for reading in await self.source.gather()}

    async def readings(self, measurement: str) -> list[Reading]:
        """Return the readings of one measurement of one gather."""
        return [reading for reading in await self.source.gather() if reading.shape.measurement == measurement]

    def _answer(self, body: bytes) -> Answer:
        calls = orjson.loads(body)
        self.asked.append([call["method"] for call in calls])
        answers = [
            {"jsonrpc": "2.0", "error": NOT_FOUND, **self.methods.get(_key(call), {}), "id": call["id"]}
            for call in calls
        ]
        for answer in answers:
            if "result" in answer:
                del answer["error"]
        return Answer(orjson.dumps(answers), closes=self.closes)


def _key(call: dict[str, Any]) -> str:
    """Return under what a call is answered: a block other than the head as `eth_getBlockByNumber-0x0`."""
    return "-".join([call["method"], *(part for part in call["params"][:1] if part not in ("latest", True))])


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """Return what returns the lines of the log."""
    with caplog.at_level(logging.INFO, "chainwatch"):
        yield lambda: caplog.messages


def test_what_a_node_does_not_offer_is_asked_once() -> None:
    async def scenario() -> None:
        async with Node(recorded(NEW), page()) as node:
            for _ in range(4):
                await node.gather()
            assert "debug_metrics" in node.asked[0]
            assert "eth_gasPrice" in node.asked[0]
            for asked in node.asked[1:]:
                assert set(asked) < set(node.asked[0])
                assert {"debug_metrics", "eth_gasPrice"}.isdisjoint(asked)
            assert node.problems == []

    run(scenario())


@pytest.mark.parametrize("how", ["reconnection", "version", "failure", "time"])
def test_what_was_not_offered_is_asked_again_when_the_node_may_have_restarted(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        methods = recorded(OLD)
        gas_price = methods.pop("eth_gasPrice")
        async with Node(methods) as node:
            for _ in range(3):
                assert "gas_price_wei" not in (await node.gather())["chain"]
            assert "eth_gasPrice" not in node.asked[-1]
            node.methods["eth_gasPrice"] = gas_price
            if how == "reconnection":
                node.server.hang_up()
                await asyncio.sleep(0.02)
            elif how == "version":
                node.methods["web3_clientVersion"] = {"result": "Geth/v1.8.28"}
            elif how == "failure":
                node.server.answers["/"] = Answer(status=500)
                with pytest.raises(Failure):
                    await node.gather()
                node.server.answers["/"] = node._answer
            else:
                monkeypatch.setattr(restarts, "LOOK_AGAIN", 0.0)
            gathered = [await node.gather() for _ in range(2)]
            assert gathered[-1]["chain"]["gas_price_wei"] == 1

    run(scenario())


@pytest.mark.parametrize("says_so", [True, False])
def test_a_node_that_closes_every_connection_is_not_learned_anew_each_time(says_so: bool) -> None:
    async def scenario() -> None:
        async with Node(recorded(NEW), page()) as node:
            node.closes = says_so
            for _ in range(8):
                if not says_so:
                    node.server.hang_up()
                    await asyncio.sleep(0.01)
                await node.gather()
            assert node.server.connections >= 8
            assert sum("debug_metrics" in asked for asked in node.asked) <= 2
            assert "debug_metrics" not in node.asked[-1]

    run(scenario())


def test_a_page_that_closes_its_connections_tells_nothing_of_the_node() -> None:
    async def scenario() -> None:
        async with Node(recorded(NEW), page()) as node:
            node.pages.answers[PAGE] = Answer(orjson.dumps(page()), closes=True)
            for _ in range(5):
                assert "geth" in await node.gather()
            assert sum("debug_metrics" in asked for asked in node.asked) == 1
            assert node.server.connections == 1

    run(scenario())


def test_a_node_that_offers_nothing_at_all_is_no_use_gather_after_gather() -> None:
    async def scenario() -> None:
        async with Node({}) as node:
            for _ in range(3):
                with pytest.raises(Failure, match="none of the methods") as caught:
                    await node.gather()
                assert caught.value.kind == "rpc"
            assert all(node.asked)

    run(scenario())


def test_each_version_has_its_figures_across_an_upgrade_and_back() -> None:
    """1.8 answers debug_metrics, 1.10 its page; the same figure goes by one name in both, and none stays behind."""

    async def scenario() -> None:
        old, new = recorded(OLD), recorded(NEW)
        async with Node(old, page()) as node:
            for methods in (old, new, old, new):
                node.methods = methods
                node.pages.answers[PAGE] = json(page()) if methods is new else Answer(status=404)
                await node.gather()  # says that the node is another
                node.problems.clear()
                for _ in range(6):
                    gathered = await node.gather()
                    inserts = gathered["geth"]["chain_inserts_overall"]
                    if methods is old:
                        assert inserts == methods["debug_metrics"]["result"]["chain"]["inserts"]["Overall"]
                    else:
                        assert inserts == page()["chain/inserts.count"]
                    assert ("gas_price_wei" in gathered["chain"]) == (methods is old)
                    assert node.problems == []

    run(scenario())


def test_a_figure_that_is_nan_for_a_while_is_back_when_it_is_a_number() -> None:
    async def scenario() -> None:
        document = page()
        text = orjson.dumps(document)
        value = orjson.dumps(document["chain/inserts.mean"])
        nan = text.replace(b'"chain/inserts.mean":' + value, b'"chain/inserts.mean":NaN')
        assert nan != text
        async with Node(recorded(NEW), document) as node:
            for body in (nan, text, nan, nan, nan, nan, nan, nan, text, text, text, text, text, nan, text):
                node.pages.answers[PAGE] = Answer(body)
                fields = (await node.gather())["geth"]
                assert fields.get("chain_inserts_mean") == (document["chain/inserts.mean"] if body is text else None)
                assert fields["chain_inserts_overall"] == document["chain/inserts.count"]

    run(scenario())


def test_metrics_switched_off_and_on_are_said_once_and_their_zeros_never_taken(lines: Callable[[], list[str]]) -> None:
    async def scenario() -> None:
        on = recorded(OLD)
        off = recorded("geth-1.8.27-metrics-off")
        async with Node(on) as node:
            for methods in (on, off, off, off, off, off, on, off, on):
                node.methods = methods
                gathered = await node.gather()
                assert ("geth" in gathered) == (methods is on)
                assert gathered["chain"]["node_metrics_enabled"] == (methods is on)
        assert [line for line in lines() if "--metrics" in line] == [
            "lab/a: its metrics are all zeros: start geth with the flag --metrics"
        ]

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"<html>welcome</html>"), "not_json"),
        (Answer(b"[1, 2]"), "bad_answer"),
        (Answer(b""), "not_json"),
        (Answer(status=404), "http"),
        (Answer(cut=True), "cut_off"),
        (Answer(b"{}", after=30), "timeout"),
        (Answer(b'{"a":' * 30_000), "not_json"),
        (Answer(b'{"a":[' + b"[]," * 200_000 + b"1]}"), "too_large"),
        (Answer(b"{}", headers={"Content-Encoding": "gzip"}), "bad_answer"),
    ],
)
def test_a_bad_page_costs_the_metrics_alone(answer: Answer, kind: str) -> None:
    async def scenario() -> None:
        given = 1.0 if kind == "timeout" else 10.0  # a busy machine must not look like a page that is late
        async with Node(recorded(NEW), page(), timeout=given) as node:
            node.pages.answers[PAGE] = answer
            for _ in range(3):
                gathered = await asyncio.wait_for(node.gather(), given)
                assert gathered["chain"]["peers"] == 2
                assert "geth" not in gathered
                assert "node_metrics_enabled" not in gathered["chain"]
            assert [problem for problem, _ in node.problems] == [kind] * 3
            assert "debug_metrics" not in node.asked[-1]
            node.pages.answers[PAGE] = json(page())
            assert "geth" in await node.gather()

    run(scenario())


def test_a_page_that_hangs_behind_a_slow_node_does_not_make_it_look_down() -> None:
    """While it is being learned that there is no debug_metrics, the page is asked after the batch: in what is left."""

    async def scenario() -> None:
        async with Node(recorded(NEW), page(), timeout=0.5) as node:
            answer = node._answer
            node.server.answers["/"] = lambda body: Answer(answer(body).body, after=0.25)
            node.pages.answers[PAGE] = Answer(after=30)
            for _ in range(2):
                assert "peers" in (await asyncio.wait_for(node.gather(), 0.5))["chain"]
            assert [kind for kind, _ in node.problems] == ["timeout", "timeout"]

    run(scenario())


def test_a_page_that_fails_before_the_node_does_leaves_nothing_behind() -> None:
    """Neither a task nor an error that nobody sees: `run` fails where there is one."""

    async def scenario() -> None:
        async with Node(recorded(NEW), page()) as node:
            await node.gather()
            node.pages.answers[PAGE] = Answer(status=500)
            node.server.answers["/"] = Answer(status=500, after=0.1)
            with pytest.raises(Failure):
                await node.gather()
            node.pages.answers[PAGE] = Answer(after=30)
            with pytest.raises(Failure):
                await node.gather()

    run(scenario())


def test_the_page_of_an_address_that_begins_as_the_nodes_is_named_whole() -> None:
    async def scenario() -> str:
        async with Answering({}) as pages:
            client = Client(pages.url[:-1])  # port 4321 of 43210
            with pytest.raises(Failure) as caught:
                await client.get(pages.url + PAGE)
            await client.close()
            assert f"GET {pages.url}{PAGE}: HTTP 404" in str(caught.value)
            return str(caught.value)

    run(scenario())


def test_a_path_that_matches_nothing_is_said_once_with_what_was_meant(lines: Callable[[], list[str]]) -> None:
    async def scenario() -> None:
        async with Node(recorded(NEW), page(), metrics=("chain.insert", "P2P.Ingress", "zzz", "txpool")) as node:
            for _ in range(6):
                assert "p2p_inboundtraffic_overall" in (await node.gather())["geth"]
                node.pages.answers[PAGE] = json({**page(), f"new/{len(node.asked)}": 1})  # a form of its own each time

    run(scenario())
    said = [line for line in lines() if "matches nothing" in line]
    assert len(said) == 2
    assert "chain.insert matches nothing that this node offers; did you mean chain.inserts" in said[0]
    assert said[1].endswith("zzz matches nothing that this node offers")


def test_no_metrics_url_is_said_once_where_there_are_no_metrics_without(lines: Callable[[], list[str]]) -> None:
    async def scenario() -> None:
        async with Node(recorded(NEW)) as node:
            for _ in range(4):
                assert "geth" not in await node.gather()
                node.server.hang_up()
            assert node.problems == []

    run(scenario())
    assert len([line for line in lines() if "metrics_url" in line]) == 1


def test_what_the_node_is_stands_in_its_labels() -> None:
    async def scenario() -> None:
        async with Node(recorded(OLD)) as node:
            [info] = await node.readings("chain_node")
            tags = dict(info.shape.tags)
            assert tags["version"].startswith("Geth/n1/v1.8.27")
            assert tags["chain_id"] == "1337"
            assert tags["network_id"] == "18"
            node.methods |= {"web3_clientVersion": {"result": 'x"\n' * 100}, "eth_chainId": {"result": "no"}}
            [info] = await node.readings("chain_node")
            tags = dict(info.shape.tags)
            assert "\n" not in tags["version"]
            assert len(tags["version"]) < 200
            assert "chain_id" not in tags
            assert [kind for kind, _ in node.problems] == ["bad_answer"]

    run(scenario())


def test_each_signer_has_its_blocks_and_one_that_leaves_has_none() -> None:
    async def scenario() -> None:
        methods = recorded(NEW)
        activity = methods["clique_status"]["result"]["sealerActivity"]
        async with Node(methods) as node:
            blocks = {
                dict(r.shape.tags)["signer"]: r.as_dict()["recent_blocks"] for r in await node.readings("chain_signer")
            }
            assert blocks == activity
            gone = dict(list(activity.items())[1:])
            node.methods["clique_status"] = {"result": {"inturnPercent": 50, "sealerActivity": gone, "numBlocks": 64}}
            assert {dict(r.shape.tags)["signer"] for r in await node.readings("chain_signer")} == set(gone)
            node.methods["clique_status"] = {"result": {"inturnPercent": "nan", "sealerActivity": gone}}
            assert await node.readings("chain_signer") == []
            assert node.problems[-1][0] == "bad_answer"

    run(scenario())


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("eth_getBlockByNumber", None),
        ("eth_getBlockByNumber", {"number": "0x1", "timestamp": "0x1", "hash": "0x1", "parentHash": "0x1"}),
        ("net_peerCount", "0x" + "f" * 5000),
        ("txpool_status", {"pending": 1, "queued": "0x0"}),
        ("clique_getSigners", "0x00"),
        ("admin_peers", {"a": 1}),
        ("clique_status", {"inturnPercent": 1, "sealerActivity": {"<b>": 1}}),
        ("clique_status", {"inturnPercent": 1, "sealerActivity": {"0x" + "a" * 40: "1" * 5000}}),
        ("clique_status", {"inturnPercent": 1, "sealerActivity": {}, "numBlocks": "64"}),
    ],
)
def test_an_answer_of_another_form_costs_its_own_figures_alone(method: str, result: object) -> None:
    async def scenario() -> None:
        async with Node({**recorded(NEW), method: {"result": result}}) as node:
            gathered = await node.gather()
            assert len(gathered["chain"]) >= 8
            assert [kind for kind, _ in node.problems] == ["bad_answer"]
            assert len(node.problems[0][1]) < 300

    run(scenario())


def test_a_form_that_takes_longer_to_learn_than_a_gather_has_is_learned_all_the_same() -> None:
    async def scenario() -> None:
        wide = {f"chain/{number}": number for number in range(12_000)} | {"system/x": 1}
        async with Node(recorded(NEW), wide, timeout=0.03) as node:
            for _ in range(200):
                try:
                    gathered = await asyncio.wait_for(node.gather(), 1)
                except Failure:
                    continue
                if "geth" in gathered:
                    break
                await asyncio.sleep(0.01)
            assert gathered["geth"]["chain_7"] == 7
            assert {kind for kind, _ in node.problems} <= {"timeout"}

    run(scenario())
