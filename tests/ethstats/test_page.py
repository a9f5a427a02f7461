"""The page of a chain and its JSON: what they tell, that nothing of a node becomes markup, and how to forget one."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.ethstats.reporting import SEALER, Clock, Served, chain, ethstats, reporter, serving, until
from tests.helpers import run


async def known(served: Served) -> dict[str, Any]:
    """Return the nodes in the JSON, by name."""
    status, headers, body = await served.fetch("/nodes.json")
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    return {node["name"]: node for node in json.loads(body)["nodes"]}


def test_everything_that_is_known_is_told() -> None:
    async def test() -> None:
        clock = Clock()
        async with serving() as served, reporter(served) as node, reporter(served, "n2") as other:
            served.chain.now = clock
            for each in (node, other):
                await each.login()
                await each.ping()
                await each.emit("latency", latency="9")
                await each.block(6)
                await each.synced()
            await node.block(7)
            await node.synced()
            clock.advance(0.125)
            await other.block(7, difficulty="1")
            await other.emit("stats", stats={"peers": 3, "pending": 5, "gasPrice": 1})
            await other.synced()
            clock.advance(2)
            told = (await known(served))["n2"]
            assert told["state"] == "connected"
            assert told["version"].startswith("Geth/v1.13.15")
            assert (told["peers"], told["pending_transactions"]) == (3, 5)
            assert told["head"]["number"] == 7
            assert told["head"]["arrival_delay_seconds"] == told["mean_arrival_delay_seconds"] == pytest.approx(0.125)
            assert told["head"]["seen_seconds_ago"] == pytest.approx(2)
            assert told["head"]["sealer"] == SEALER
            assert told["head"]["in_turn"] is False
            assert told["restarts"] == 0
            assert told["clock_skew_seconds"] is not None
            assert told["process_start_time"] is not None
            _, _, page = await served.fetch()
            row = re.sub("<[^>]*>", "|", page[page.index("<td>n2") :].split("\n")[0])
            for part in (
                "connected",
                "|7|",
                "2 s ago",
                "125 ms",
                "0xaaaaaa…aaaa",
                "out of turn",
                "|3|",
                "|5|",
                "Geth/",
            ):
                assert part in row, part
            assert "2 connected, 0 stale, 0 gone; best head 7." in page
            assert f"<code>{SEALER}</code>" in page
            assert "100.0%" in page
            served.node("n1").links[0].heard -= 50
            served.node("n2").links[0].heard -= 70
            states = {name: node["state"] for name, node in (await known(served)).items()}
            assert states == {"n1": "stale", "n2": "gone"}

    run(test())


class Parsed(HTMLParser):
    """What a page asks a browser to do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += data


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`&{0}{chain}</style>"


def test_nothing_that_a_node_says_becomes_markup() -> None:
    async def test() -> None:
        settings = chain("<i>lab</i>", ethstats=ethstats())
        async with serving(settings) as served:
            async with reporter(served, HOSTILE) as node, reporter(served, "quiet") as quiet:
                await node.login(version=HOSTILE)
                await node.block(7, miner=HOSTILE)
                await node.ping(wall="9999-12-31 23:59:59 +0000 UTC")
                await node.synced()
                await quiet.login()
                _, headers, page = await served.fetch()
                assert HOSTILE in Parsed(page).text
                plain = Parsed(page)
            await until(lambda: served.counted("ethstats_connections", "<i>lab</i>") == 0)
            _, _, page = await served.fetch()
            gone = Parsed(page)
            assert HOSTILE in gone.text
            for parsed in (plain, gone):
                assert not parsed.tags & {"script", "img", "i", "link", "iframe", "object", "base"}
                assert not [
                    name for name in parsed.attributes if name.startswith("on") or name in ("src", "href", "style")
                ]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in headers["Content-Security-Policy"]

    run(test())


def test_a_page_of_an_empty_chain() -> None:
    async def test() -> None:
        async with serving() as served:
            status, headers, page = await served.fetch()
            assert status == 200
            assert headers["Cache-Control"] == "no-store"
            assert "0 connected, 0 stale, 0 gone." in page
            assert (await served.fetch("/", "HEAD"))[0] == 200
            assert (await served.fetch("/", "DELETE"))[0] == 405
            assert (await served.fetch("/nodes.json", "POST"))[0] == 405
            assert (await served.fetch("/other"))[0] == 404

    run(test())


FORM = "application/x-www-form-urlencoded"


def test_an_absent_node_is_forgotten_by_the_page_alone() -> None:
    async def test() -> None:
        async with serving() as served:
            here = {"Origin": f"http://127.0.0.1:{served.port}"}
            form = {"forget": "n 1 ü"}
            async with reporter(served, "n 1 ü") as node:
                await node.login()
                assert (await served.fetch("/", "POST", data=form, headers=here))[0] == 409
            await until(lambda: served.counted("ethstats_connections", "lab") == 0)
            for wrong in (
                {},
                {"Origin": "http://evil.example"},
                {"Origin": "null"},
                {"Origin": "http://127.0.0.1"},
                {"Origin": "http://["},
            ):
                assert (await served.fetch("/", "POST", data=form, headers=wrong))[0] == 403
            assert "n 1 ü" in served.chain._nodes
            assert (await served.fetch("/", "POST", data={"forget": "other"}, headers=here))[0] == 409
            assert (await served.fetch("/", "POST", data=b"\xff" * 50_000, headers=here))[0] in (400, 409)
            for kind in ("multipart/form-data", "multipart/form-data; boundary=x", f"{FORM}; charset=none"):
                strange = here | {"Content-Type": kind}
                assert (await served.fetch("/", "POST", data=b"forget=\xff", headers=strange))[0] == 409
            status, headers, _ = await served.fetch("/", "POST", data=form, headers=here)
            assert (status, headers["Location"]) == (303, "?")
            assert served.chain._nodes == {}

    run(test())


def test_a_page_serves_all_who_ask_within_a_moment() -> None:
    async def test() -> None:
        async with serving(page_for=0.3) as served:
            assert "0 connected" in (await served.fetch())[2]
            async with reporter(served) as node:
                await node.login()
                assert "0 connected" in (await served.fetch())[2]
                assert "n1" in await known(served)  # each form for itself
                await asyncio.sleep(0.3)
                assert "1 connected" in (await served.fetch())[2]

    run(test())


def test_a_browser_that_reads_the_page_for_hours_stays_connected() -> None:
    async def test() -> None:
        async with serving(before_login=2_000) as served, aiohttp.ClientSession() as session:
            for _ in range(50):
                async with session.get(f"http://127.0.0.1:{served.port}/") as answer:
                    await answer.read()
            assert served.counted("ethstats_refused_connections_total", "too_large") == 0

    run(test())


@pytest.mark.slow
def test_a_browser_shows_the_page_in_both_colours(tmp_path: Path) -> None:
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("chromium is not installed")

    async def test() -> None:
        async with serving() as served, reporter(served, HOSTILE[:60]) as node:
            await node.login()
            await node.block(7)
            await node.synced()
            url = f"http://127.0.0.1:{served.port}/"
            argv = [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path}",
                "--dump-dom",
                url,
            ]
            done = await asyncio.to_thread(subprocess.run, argv, capture_output=True, text=True, timeout=60, check=True)
            assert "best head 7" in done.stdout
            assert "Content Security Policy" not in done.stderr

    run(test(), timeout=90)
