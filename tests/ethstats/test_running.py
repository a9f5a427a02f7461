"""`chainwatch run` with nodes that push: what is scraped, what a reload changes, and what it leaves alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGHUP
from typing import Any

import aiohttp
import yaml

from compose.simulated import SimulatedCluster
from tests.command.processes import Running, collector, free_address, page_at, scraped, seen, settings
from tests.ethstats.reporting import Reporter
from tests.helpers import run
from tests.real.servers import answers, wait_for


def pushed(address: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - as their makers take them
    """Return the settings of a chain that nodes push to at an address."""
    return {"name": "lab", "kind": "ethereum", "ethstats": {"listen": address, "secret": "s3cret", **more}}


def configuration(page: str, *chains: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with a page and these chains."""
    return {**settings([], page_at(page)), "chains": list(chains)}


@asynccontextmanager
async def connected(address: str, name: str, secret: str = "s3cret", path: str = "/api") -> AsyncIterator[Reporter]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://{address}{path}") as socket,
    ):
        node = Reporter(socket, name)
        await node.login(secret=secret)
        yield node


def reloaded(collecting: Running, tmp_path: Path, new: dict[str, Any], times: int, said: str = ": taken over") -> None:
    (tmp_path / "chainwatch.yaml").write_text(yaml.safe_dump(new))
    collecting.signal(SIGHUP)
    collecting.said(said, times)


async def aside(work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as their makers take them
    return await asyncio.to_thread(work, *arguments, **more)


def test_what_nodes_push_is_scraped(tmp_path: Path) -> None:
    page, push = free_address(), free_address()

    async def test(collecting: Running) -> None:
        async with connected(push, "nat-1") as node:
            await node.ping()
            await node.block(7)
            await node.emit("stats", stats={"peers": 3, "gasPrice": 5})
            await node.emit("pending", stats={"pending": 2})
            await aside(seen, page, "chain_txpool_pending", 2, node="nat-1")
            told = await aside(scraped, page)
            labels = {"chain": "lab", "node": "nat-1"}
            assert told.value("ethstats_connected", **labels) == 1
            assert told.value("ethstats_head_block_number", **labels) == 7
            assert told.value("ethstats_peers", **labels) == 3
            assert told.value("chain_head_block_number", **labels) == 7
            assert told.value("chain_peers", **labels) == 3
            assert told.value("chain_node_info", network_id="1337", **labels) == 1
            assert told.value("ethstats_sealer_blocks_total", chain="lab", sealer="0x" + 40 * "a") == 1
            assert told.value("chainwatch_ethstats_logins_total", chain="lab", kind="accepted") == 1
            assert told.values("chain_node_up", **labels) == []
        await aside(lambda: seen(page, "chainwatch_ethstats_connections", 0, chain="lab"))
        assert await aside(collecting.stop) == 0

    with collector(tmp_path, configuration(page, pushed(push))) as collecting:
        seen(page, "chainwatch_configuration_valid")
        run(test(collecting))


def test_pushed_and_polled_meet_in_one_node(tmp_path: Path) -> None:
    page, push = free_address(), free_address()

    async def test() -> None:
        async with SimulatedCluster(sealers=2, clients=0, producers=0, workers=0, ethereum_period=1.0) as cluster:
            (first, second) = list(cluster.nodes.values())[:2]
            both = settings([first, second], page_at(page))
            both["chains"][0]["ethstats"] = {
                "listen": push,
                "groups": [{"name": "all", "role": "another", "secrets": ["s3cret", "next"]}],
            }
            chain = both["chains"][0]["name"]
            with collector(tmp_path, both):
                await aside(seen, page, "chain_node_up", 1, node=first.name)
                async with connected(push, first.name, secret="next") as node, connected(push, "alone") as other:
                    await node.block(99_999)
                    await other.block(99_999)
                    await aside(seen, page, "ethstats_head_block_number", 99_999, node=first.name)
                    await aside(seen, page, "chain_head_block_number", 99_999, node="alone")
                    told = await aside(scraped, page)
                    assert told.value("ethstats_connected", chain=chain, node=first.name, role=first.role) == 1
                    assert told.value("chain_head_block_number", chain=chain, node=first.name) < 99_999
                    # One that answers RPC but is silent here.
                    assert told.value("ethstats_connected", chain=chain, node=second.name, role=second.role) == 0
                    assert told.value("ethstats_connected", chain=chain, node="alone", role="another") == 1
                    # One that pushes but does not answer RPC.
                    await first.fault("down")
                    await aside(lambda: _until(lambda: scraped(page).value("chain_node_up", node=first.name) == 0))
                    told = await aside(scraped, page)
                    assert told.value("ethstats_connected", chain=chain, node=first.name, role=first.role) == 1

    run(test())


def _until(condition: Callable[[], bool]) -> None:
    wait_for(condition, "it holds", within=5, every=0.05)


def test_a_reload_keeps_connections_whose_place_and_secret_hold(tmp_path: Path) -> None:
    page, push, elsewhere = free_address(), free_address(), free_address()
    old = pushed(push, groups=[{"name": "g", "secrets": ["old"]}])
    new = pushed(push, groups=[{"name": "g", "role": "client", "secrets": ["new"]}])
    both = pushed(push, groups=[{"name": "g", "secrets": ["old", "new"]}])
    second = {**pushed(push, path="/second"), "name": "second"}
    moved = {**pushed(elsewhere, path="/second"), "name": "second"}

    async def test(collecting: Running) -> None:
        async with connected(push, "stays") as stays, connected(push, "old", secret="old") as goes:
            await aside(reloaded, collecting, tmp_path, configuration(page, both, second), 1)
            await goes.synced()
            async with (
                connected(push, "new", secret="new") as joins,
                connected(push, "there", path="/second/api") as there,
            ):
                await aside(reloaded, collecting, tmp_path, configuration(page, new, moved), 2)
                assert await goes.ended()
                assert await there.ended()
                await stays.synced()
                await joins.synced()
                await aside(seen, page, "ethstats_connected", 1, node="new", role="client")
                async with connected(elsewhere, "there", path="/second/api") as moved_there:
                    wrong = {"name": "lab", "kind": "ethereum", "ethstats": {"listen": push}}
                    await aside(reloaded, collecting, tmp_path, configuration(page, wrong), 1, "not taken over")
                    taken = {**pushed(page), "name": "third"}  # where the page for Prometheus is
                    await aside(reloaded, collecting, tmp_path, configuration(page, new, taken), 2, "not taken over")
                    for node in (stays, joins, moved_there):
                        await node.synced()
                    await aside(reloaded, collecting, tmp_path, configuration(page, new), 3)
                    assert await moved_there.ended()
                    await stays.synced()

    with collector(tmp_path, configuration(page, old)) as collecting:
        seen(page, "chainwatch_configuration_valid")
        run(test(collecting))
        assert "old" not in collecting.stderr.replace("'old'", "")
        assert f"ethstats.listen: cannot listen on {page}" in collecting.stderr


def test_a_port_that_is_taken_ends_the_start_with_its_name(tmp_path: Path) -> None:
    page = free_address()
    with collector(tmp_path, configuration(free_address(), pushed(page))):
        wait_for(lambda: answers(f"http://{page}/"), "it listens")
        other = tmp_path / "other.yaml"
        other.write_text(yaml.safe_dump(configuration(free_address(), pushed(page))))
        done = subprocess.run(
            [sys.executable, "-m", "chainwatch", "run", "--config", other],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert done.returncode == 1
        assert f"ethstats.listen: cannot listen on {page}" in done.stderr
        assert "Traceback" not in done.stderr
