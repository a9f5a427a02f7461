"""The control interface over HTTP, and the command that runs a cluster by itself."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from compose.simulated import FAULTS, SimulatedCluster
from compose.simulated.__main__ import main
from tests.helpers import run
from tests.simulated.asking import asking, result

ROOT = Path(__file__).parents[2]


async def ask(session: aiohttp.ClientSession, method: str, url: str, body: bytes = b"") -> tuple[int, Any]:
    async with session.request(method, url, data=body) as response:
        assert response.content_type == "application/json"
        return response.status, await response.json()


def test_it_lists_nodes_and_gives_and_takes_faults() -> None:
    async def scenario() -> None:
        async with SimulatedCluster(control=True) as cluster, asking() as session:
            url = cluster.control_url
            status, listed = await ask(session, "GET", url)
            assert status == 200
            assert listed["nodes"] == cluster.describe()
            assert listed["faults"].keys() == FAULTS.keys()
            assert set(listed["nodes"][0]) == {
                "name",
                "chain",
                "kind",
                "role",
                "version",
                "url",
                "metrics_url",
                "requests",
                "served",
                "faults",
            }
            status, node = await ask(session, "POST", url + "nodes/worker-2/faults/lag", b'{"blocks": 4}')
            assert (status, node["faults"]) == (200, {"lag": {"blocks": 4, "syncing": 0}})
            assert dict(cluster.nodes["worker-2"].faults["lag"]) == {"blocks": 4, "syncing": 0}
            await ask(session, "POST", url + "nodes/worker-2/faults/nan")
            _, node = await ask(session, "DELETE", url + "nodes/worker-2/faults/lag")
            assert list(node["faults"]) == ["nan"]
            _, node = await ask(session, "DELETE", url + "nodes/worker-2/faults")
            assert node["faults"] == {}
            _, node = await ask(session, "POST", url + "nodes/client-1/faults/restart", b'{"version": "1.10.26"}')
            assert (node["version"], node["faults"]) == ("1.10.26", {})
            await ask(session, "POST", url + "nodes/sealer-1/faults/down")
            await ask(session, "DELETE", url + "nodes/sealer-1/faults/down")
            assert await result(session, cluster.nodes["sealer-1"], "net_version") == "18"

    run(scenario())


def test_it_splits_and_joins_chains_and_hands_in_transactions() -> None:
    async def scenario() -> None:
        options = {"ethereum_period": 0, "ethereum_load": 0}
        async with SimulatedCluster(control=True, **options) as cluster, asking() as session:  # type: ignore[arg-type]
            url = cluster.control_url + "chains/ethereum-demo/"
            body = b'{"sides": [["sealer-1", "client-1"], ["client-2"]]}'
            assert await ask(session, "POST", url + "split", body) == (200, {})
            sides = [node.side for node in cluster.nodes.values()]
            assert sides == ["1", "", "", "1", "2", "", "", "", "", "", ""]
            assert await ask(session, "DELETE", url + "split") == (200, {})
            assert not any(node.faults for node in cluster.nodes.values())
            before = cluster.nodes["client-1"].head.number
            assert await ask(session, "POST", url + "transactions", b'{"count": 3}') == (200, {})
            assert int(await result(session, cluster.nodes["client-1"], "eth_blockNumber"), 16) == before + 1

    run(scenario())


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "nodes/nobody/faults/down", b"", 404, "no node 'nobody'; there are sealer-1, sealer-2"),
        ("DELETE", "nodes/nobody/faults", b"", 404, "no node 'nobody'"),
        (
            "POST",
            "nodes/sealer-1/faults/nonsense",
            b"",
            400,
            "no fault 'nonsense' for a node of kind ethereum; there are down",
        ),
        ("DELETE", "nodes/sealer-1/faults/nonsense", b"", 400, "no fault 'nonsense'; there are down"),
        ("POST", "nodes/sealer-1/faults/lag", b"{", 400, "the body is no JSON"),
        ("POST", "nodes/sealer-1/faults/lag", b"[1]", 400, "the body is no JSON object"),
        ("POST", "nodes/sealer-1/faults/lag", b'{"name": 1}', 400, "no parameter 'name' of lag; there are blocks"),
        ("POST", "nodes/sealer-1/faults/lag", b'{"blocks": null}', 400, "blocks of lag takes a whole number"),
        ("POST", "chains/nowhere/split", b'{"sides": []}', 400, "no chain 'nowhere'; there are ethereum-demo"),
        ("DELETE", "chains/nowhere/split", b"", 400, "no chain 'nowhere'"),
        ("POST", "chains/ethereum-demo/split", b'{"sides": ["a"]}', 400, "sides is no list of lists of nodes"),
        ("POST", "chains/ethereum-demo/split", b'{"sides": [["x"]]}', 400, "'x' is no node of ethereum-demo"),
        ("POST", "chains/ethereum-demo/transactions", b'{"count": -1}', 400, "count is no whole number"),
        ("GET", "nowhere", b"", 404, "nothing at '/nowhere'; there is GET /"),
    ],
)
def test_it_says_what_is_wrong(method: str, path: str, body: bytes, status: int, says: str) -> None:
    async def scenario() -> None:
        async with SimulatedCluster(control=True) as cluster, asking() as session:
            answered, document = await ask(session, method, cluster.control_url + path, body)
            assert answered == status
            assert says in document["error"]

    run(scenario())


def test_without_control_there_is_none() -> None:
    assert SimulatedCluster().control_url == ""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, None])
def test_the_command_runs_until_it_is_told_or_its_time_is_up(ending: signal.Signals | None) -> None:
    async def scenario() -> None:
        arguments = ["--clients", "1", "--newer", "1", "--ethereum-chain", "lab"]
        if ending is None:
            arguments += ["--duration", "0.4"]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "compose.simulated",
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout
        ready = json.loads(await process.stdout.readline())
        assert [node["name"] for node in ready["nodes"]][:5] == [
            "sealer-1",
            "sealer-2",
            "sealer-3",
            "client-1",
            "newer-1",
        ]
        assert ready["nodes"][0]["chain"] == "lab"
        async with asking() as session:
            status, _ = await ask(session, "POST", ready["control"] + "nodes/client-1/faults/down")
            assert status == 200
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get(ready["nodes"][3]["url"])
            await ask(session, "DELETE", ready["control"] + "nodes/client-1/faults")
            async with session.get(ready["nodes"][3]["url"]) as response:
                assert response.status == 200, "down and up again on the loop that the command runs on"
        if ending:
            process.send_signal(ending)
        output, errors = await asyncio.wait_for(process.communicate(), 10)
        assert (process.returncode, output, errors) == (0, b"", b"")

    run(scenario())


def test_a_control_port_that_is_taken_is_an_error_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "compose.simulated", "--control-port", port],
            capture_output=True,
            cwd=ROOT,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"the cluster cannot be opened: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sealers", "-1"],
        ["--workers", "99999"],
        ["--ethereum-period", "-1"],
        ["--nodeos-load", "1e9"],
        ["--nodeos-period", "0"],
        ["--nodeos-period", "nan"],
        ["--control-port", "70000"],
        ["--duration", "inf"],
        ["--clients", "two"],
    ],
)
def test_wrong_arguments_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    for option in (
        "--sealers",
        "--newer",
        "--ethereum-period",
        "--ethereum-load",
        "--nodeos-load",
        "--ethstats",
        "--control-port",
        "--duration",
    ):
        assert option in said
