"""Where the page is mounted: beside the metrics, and on ports of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp

from chainwatch.outputs import Outputs
from collector.about import About
from collector.configuration import Chain, Configuration, LivePage, Prometheus
from collector.configuration import Outputs as Settings
from collector.page import Page
from tests.helpers import run
from tests.page.listening import Played
from tests.real.servers import free_port


def outputs() -> Outputs:
    played = Played()
    return Outputs(About(), lambda: None, Page(played.assess, played.forget))


def configured(**outputs: object) -> Configuration:
    chain = Chain(name="lab", kind="ethereum")
    return Configuration(chains=(chain,), outputs=Settings.model_validate(outputs))


async def fetched(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as response:
        return response.status, await response.text()


async def state(port: int) -> dict[str, Any]:
    return dict(json.loads((await fetched(port, "/api/state"))[1]))


def test_it_is_beside_the_metrics_and_on_ports_of_its_own() -> None:
    async def scenario() -> None:
        metrics, own, everybody = free_port(), free_port(), free_port()
        pages = (LivePage(listen=f"127.0.0.1:{own}"), LivePage(listen=f"127.0.0.1:{everybody}", public=True))
        at_work = outputs()
        await at_work.apply(configured(prometheus=Prometheus(listen=f"127.0.0.1:{metrics}"), page=pages), 1)
        for port in (metrics, own, everybody):
            assert "<title>chainwatch</title>" in (await fetched(port, "/"))[1]
        assert (await fetched(metrics, "/metrics"))[0] == 200
        assert (await fetched(own, "/metrics"))[0] == 404
        assert [(await state(port))["public"] for port in (metrics, own, everybody)] == [False, False, True]
        # One of them goes public, the other one is gone: what is left alone is left alone.
        await at_work.apply(configured(page=[LivePage(listen=f"127.0.0.1:{own}", public=True)]), 1)
        assert (await state(own))["public"] is True
        await at_work.close(1)

    run(scenario())


def test_metrics_at_its_path_come_first() -> None:
    async def scenario() -> None:
        port = free_port()
        at_work = outputs()
        await at_work.apply(configured(prometheus=Prometheus(listen=f"127.0.0.1:{port}", path="/")), 1)
        assert "<title>" not in (await fetched(port, "/"))[1]
        assert (await state(port))["chains"]
        await at_work.close(1)

    run(scenario())


def test_a_page_alone_is_an_output() -> None:
    assert Settings(page=[LivePage()])
    assert not Settings()


def test_it_is_part_of_the_package() -> None:
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert 'collector = ["page/assets/*"]' in project
