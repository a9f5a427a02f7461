"""What is answered at the page's paths, how often health is asked for it, and who may have a node forgotten."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from io import BytesIO

import pytest

from collector.page import view
from collector.page.assets import ASSETS
from tests.helpers import run
from tests.page.assessments import NOW, clique, forked, node
from tests.page.listening import Played, Site, site


def test_the_page_and_its_files() -> None:
    async def scenario() -> None:
        async with site() as served:
            for path, name in [("/", "index.html"), *((f"/assets/{name}", name) for name in ASSETS)]:
                status, headers, text = await served.get(path)
                assert status == 200
                assert text.encode() == ASSETS[name].body
                assert headers["Content-Type"] == f"{ASSETS[name].content_type}; charset=utf-8"
                assert "default-src 'none'" in headers["Content-Security-Policy"]
                assert headers["X-Content-Type-Options"] == "nosniff"
                again, _, nothing = await served.get(path, **{"If-None-Match": headers["ETag"]})
                assert (again, nothing) == (304, "")
            assert "runbooks/NodeBehind" in (await served.get("/runbooks"))[2]
            assert "What to do" in (await served.get("/runbooks/behind"))[2]
            for path in ("/assets/nothing.js", "/assets/..%2f__init__.py", "/assets/", "/api", "/runbooks/forked"):
                assert (await served.get(path))[0] == 404
            assert served.played.asked == 0  # nobody has looked at a chain

    run(scenario())


def test_the_state_is_made_once_a_second_however_many_ask() -> None:
    async def scenario() -> None:
        async with site() as served:
            documents = await asyncio.gather(*(served.state() for _ in range(20)))
            assert served.played.asked == 1
            assert all(document == documents[0] for document in documents)
            whole = documents[0]
            assert (whole["version"], whole["public"], whole["chains"][0]["chain"]) == (1, False, "lab")
            assert whole["chains"][0]["nodes"][0]["address"].startswith("http://10.")
            assert whole["chains"][0]["at"] == NOW
            served.played.said = [replace(clique(), sentence="Later.")]
            await asyncio.sleep(view.PERIOD)
            assert (await served.state())["chains"][0]["sentence"] == "Later."
            assert served.played.asked == 2

    run(scenario())


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip, deflate, br", True), ("br, GZIP", True), ("identity", False), ("gzip;q=0", False), ("", False)],
)
def test_the_state_is_packed_for_whoever_takes_that(accepted: str, *, packed: bool) -> None:
    async def scenario() -> None:
        async with site() as served:
            _, headers, text = await served.get("/api/state", **{"Accept-Encoding": accepted})
            assert headers.get("Content-Encoding") == ("gzip" if packed else None)
            assert headers["Vary"] == "Accept-Encoding"
            assert json.loads(text)["chains"]

    run(scenario())


@pytest.mark.parametrize("public", [False, True])
def test_whatever_nodes_call_themselves_the_state_is_json(*, public: bool) -> None:
    strange = ["N" * 10_000, "half a \ud800 character", "\x00\x1b[31m\u202e", "a/b", "'\"<b>", "🤖", ""]
    nodes = [node(name, role=name, latency=float("nan"), clock_skew=float("inf")) for name in strange]
    chains = [replace(clique(), chain=name, nodes=nodes, head_number=2**70) for name in strange]

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    async def scenario() -> None:
        async with site(Played(*chains), public=public) as served:
            _, _, text = await served.get("/api/state")
            told = json.loads(text, parse_constant=refuse)["chains"]
            assert [len(chain["nodes"]) for chain in told] == [len(strange)] * len(strange)
            assert told[0]["nodes"][0]["latency"] is None

    run(scenario())


def test_the_public_view_and_the_other_are_made_of_one_question() -> None:
    async def scenario() -> None:
        played = Played(forked())
        async with site(played, public=True) as served:
            text = (await served.get("/api/state"))[2]
            assert json.loads(text)["public"] is True
            assert "sealer-1" not in text
            assert "10.0.0" not in text
            assert (await post(served))[0] == 404

    run(scenario())


async def post(served: Site, body: object = None, **headers: str) -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body or {"chain": "lab", "node": "gone"}).encode()
    async with served.session.post(f"{served.url}/api/forget", data=data, headers=headers) as response:
        return response.status, await response.text()


def test_a_node_is_forgotten_when_the_page_itself_asks() -> None:
    async def scenario() -> None:
        async with site() as served:
            origin = {"Origin": served.url}
            assert await post(served, **origin) == (204, "")
            assert served.played.forgotten == [("lab", "gone")]
            assert (await post(served, {"chain": "lab", "node": "sealer-1"}, **origin))[0] == 409
            assert (await post(served, Origin=f"https://{served.url.removeprefix('http://')}"))[0] == 204

    run(scenario())


def test_nobody_else_can_have_a_node_forgotten() -> None:
    async def scenario() -> None:
        async with site() as served:
            for headers in ({}, {"Origin": "http://elsewhere"}, {"Origin": "null"}, {"Origin": f"{served.url}.x"}):
                assert (await post(served, **headers))[0] == 403
            assert (await served.get("/api/forget"))[0] == 405
            wrong = [b"", b"{", b"[]", b'{"chain": 1, "node": "a"}', b'{"chain": "a"}', b"\xff" * 9, b"[" * 9999]
            for body in wrong:
                assert (await post(served, body, Origin=served.url))[0] == 400
            large = BytesIO(b" " * 2**21)
            async with served.session.post(
                f"{served.url}/api/forget", data=large, headers={"Origin": served.url}
            ) as said:
                assert said.status == 413
            assert served.played.forgotten == []

    run(scenario())


def test_a_defect_of_health_is_logged_and_ends_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with site() as served:
            served.played.broken = True
            for _ in range(3):
                assert (await served.get("/api/state"))[0] == 503
            assert served.played.asked == 1
            served.played.broken = False
            await asyncio.sleep(view.PERIOD)
            assert (await served.state())["chains"]

    with caplog.at_level(logging.INFO, "chainwatch"):
        run(scenario())
    first, then = (record.getMessage() for record in caplog.records)
    assert "a defect of chainwatch: ZeroDivisionError('of a node')" in first
    assert "works again" in then
