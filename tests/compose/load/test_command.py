"""`chainwatch load` as a command, with processes of its own: what it prints, and how it ends."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chainwatch.command import main
from compose.simulated import SimulatedCluster
from tests.compose.load.behaving import Behaving
from tests.compose.load.making import run, until
from tests.compose.load.test_counting import QUICK
from tests.real.servers import free_port

ROOT = Path(__file__).parents[3]


class Ended(NamedTuple):
    """A command that is over."""

    code: int
    stdout: str
    stderr: str

    @property
    def told(self) -> dict[str, Any]:
        """What it printed, as JSON."""
        told: dict[str, Any] = json.loads(self.stdout)
        return told


Meanwhile = Callable[[int], Coroutine[Any, Any, None]]


async def load(url: str, *arguments: str, meanwhile: Meanwhile | None = None) -> Ended:
    """Run the command in a session of its own, as a terminal's foreground has it; `meanwhile` is given its id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chainwatch", "load", url, *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True, cwd=ROOT,
    )  # fmt: skip
    try:
        if meanwhile:
            await meanwhile(process.pid)
        stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return Ended(process.returncode, stdout.decode(), stderr.decode())


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_all_processes_together_make_all_requests() -> None:
    behaviours = [*QUICK * 20, *["ok"] * 1500]
    random.Random(7).shuffle(behaviours)
    requests = len(behaviours)

    async def test() -> None:
        async with Behaving(iter(behaviours)) as server:
            ended = await load(server.url, "--workers", "50", "--requests", str(requests), "--processes", "3", "--json")
            told = ended.told
            assert (ended.code, ended.stderr) == (1, "")
            assert server.asked == requests == told["requests"] == told["made"]
            assert told["failed_by"] == server.failures
            assert (told["ok"], told["failed"]) == (server.ok, sum(server.failures.values()))
            assert (told["complete"], told["abandoned"], told["processes"]) == (True, 0, 3)
            latency = told["latency"]
            assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99_9"] <= latency["max"] < 5

    run(test())


@pytest.mark.slow
def test_two_hundred_thousand() -> None:
    chosen = random.Random(3)

    def behaviour() -> str:
        return "ok" if chosen.random() < 0.98 else chosen.choice(QUICK)

    async def test() -> None:
        async with Behaving(behaviour) as server:
            ended = await load(server.url, "--workers", "500", "--requests", "200000", "--json")
            told = ended.told
            assert server.asked == told["made"] == 200_000
            assert told["failed_by"] == server.failures
            assert told["ok"] == server.ok

    run(test(), timeout=120)


def test_in_words() -> None:
    behaviours = itertools.cycle(["ok", "ok", "503", "close"])

    async def test() -> None:
        async with Behaving(behaviours) as server:
            ended = await load(server.url, "--workers", "5", "--requests", "1,000", "--processes", "1")
            assert ended.code == 1
            assert ended.stdout.startswith(f"/v1/chain/get_info at {server.url}: 1,000 requests by 5 workers\n")
            for line in (
                "  ok        500",
                "  failed    500",
                "            250  closed: the connection was closed instead of an answer",
                "            250  status 503",
            ):
                assert line in ended.stdout.splitlines()
            assert "answered: 50 % within " in ended.stdout
            assert ended.stderr == ""  # no progress where nobody watches

    run(test())


def test_simulated_nodes() -> None:
    async def test() -> None:
        async with SimulatedCluster(sealers=1, clients=0, newer=0, producers=1, workers=1) as cluster:
            worker, sealer = cluster.nodes["worker-1"], cluster.nodes["sealer-1"]
            ended = await load(worker.url, "--requests", "500", "--json")
            assert (ended.code, ended.told["ok"]) == (0, 500)
            assert worker.requests.counts["GET /v1/chain/get_info"] == 500
            ended = await load(sealer.url, "--requests", "300", "--call", "net_peerCount", "--json")
            assert (ended.code, ended.told["ok"]) == (0, 300)
            assert sealer.requests.counts["net_peerCount"] == 300
            ended = await load(f"{worker.url}/v1/node/get_supported_apis", "--requests", "100", "--json")
            assert (ended.code, ended.told["call"]) == (0, "/v1/node/get_supported_apis")
            ended = await load(sealer.url, "--requests", "100", "--call", "lab_nonesuch", "--json")
            assert (ended.code, ended.told["failed_by"]) == (1, {"rpc_error_-32601": 100})

    run(test())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_was_counted(number: signal.Signals) -> None:
    behaviours = itertools.chain(["ok"] * 500, itertools.repeat("hang"))

    async def test() -> None:
        async with Behaving(behaviours) as server:

            async def meanwhile(pid: int) -> None:
                await until(lambda: server.did["hang"] == 20)
                os.killpg(pid, number)  # as a terminal does, to all of them

            ended = await load(server.url, "--workers", "20", "--processes", "2", "--json", meanwhile=meanwhile)
            told = ended.told
            assert (ended.code, ended.stderr) == (128 + number, "")
            assert (told["ok"], told["failed"], told["abandoned"]) == (500, 0, 20)
            assert not told["complete"]
            assert told["remarks"][-1].startswith(f"Ended early, by {number.name}")

    run(test())


def test_a_process_that_is_killed_is_told_of() -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:

            async def meanwhile(pid: int) -> None:
                await until(lambda: server.asked > 50)
                await asyncio.sleep(0.4)  # an account was given
                os.kill(children(pid)[0], signal.SIGKILL)

            ended = await load(
                server.url, "--processes", "2", "--rate", "400", "--requests", "600", "--json", meanwhile=meanwhile
            )
            told = ended.told
            assert ended.code == 1
            assert not told["complete"]
            assert 300 < told["made"] < 600
            assert told["made"] <= server.asked
            assert any("was ended by SIGKILL" in remark for remark in told["remarks"])

    run(test())


def test_no_process_outlives_the_command() -> None:
    async def test() -> None:
        async with Behaving(lambda: "hang") as server:
            started: list[int] = []

            async def meanwhile(pid: int) -> None:
                await until(lambda: server.did["hang"] == 20)
                started.extend(children(pid))
                os.kill(pid, signal.SIGKILL)

            await load(server.url, "--workers", "20", "--processes", "2", meanwhile=meanwhile)
            assert len(started) == 2
            await until(lambda: not any(map(alive, started)))

    run(test())


def test_on_a_terminal_there_is_progress() -> None:
    async def test() -> None:
        async with Behaving(lambda: "ok") as server:
            ours, theirs = os.openpty()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "chainwatch", "load", server.url, "--requests", "300", "--rate", "500",
                stdout=asyncio.subprocess.DEVNULL, stderr=theirs, cwd=ROOT,
            )  # fmt: skip
            os.close(theirs)
            assert await process.wait() == 0
            shown = os.read(ours, 2**16).decode()
            os.close(ours)
            assert "of 300, 0 failed" in shown
            assert shown.rpartition("\r")[2] == ""  # the line is gone in the end

    run(test())


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", f"http://127.0.0.1:{free_port()}", "--requests", "100", "--processes", "1"]) == 1
    assert "100  refused: nobody listens there" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["127.0.0.1:8888"], "has no scheme; write http://127.0.0.1:8888"),
        (["ftp://127.0.0.1"], "is neither http:// nor https://"),
        (["http://"], "names no host and port"),
        (["http://127.0.0.1:0"], "names no host and port"),
        (["http://127.0.0.1:99999"], "can't be read: Port out of range"),
        (["http://127.0.0.1/?a=b"], "has a query or a fragment"),
        (["http://127.0.0.1/\r\nX: y"], "characters that no URL has"),
        (["http://me:sesame@127.0.0.1"], "holds a user or a password, which are not sent; leave them out"),
        (["http://127.0.0.1", "--workers", "0"], "'0' is no whole number from 1 to 100,000"),
        (["http://127.0.0.1", "--workers", "1e3"], "'1e3' is no whole number"),
        (["http://127.0.0.1", "--requests", "-5"], "no whole number"),
        (["http://127.0.0.1", "--requests", "9" * 40], "no whole number"),
        (["http://127.0.0.1", "--rate", "0"], "'0' is not a rate; write requests a second, 1,000,000 at most, or max"),
        (["http://127.0.0.1", "--rate", "nan"], "is not a rate"),
        (["http://127.0.0.1", "--rate", "inf"], "is not a rate"),
        (["http://127.0.0.1", "--timeout", "0"], "is not a number of seconds"),
        (["http://127.0.0.1", "--late", "soon"], "is not a number of seconds"),
        (["http://127.0.0.1", "--call", "chain/get_info"], "a path begins with a slash, as /v1/chain/get_info does"),
        (["http://127.0.0.1", "--call", ""], "is no call"),
        (["http://127.0.0.1", "--call", "/a b"], "is no call"),
        (["http://127.0.0.1", "--call", "eth_x", "--params", "latest"], "'latest' is no JSON"),
        (["http://127.0.0.1", "--call", "eth_x", "--params", "1"], "a method takes a list of parameters"),
        (["http://nonesuch.invalid"], "nonesuch.invalid: has no address"),
        (["http://127.0.0.1", "--workers", "100000", "--processes", "1"], "take fewer --workers, or more --processes"),
    ],
)
def test_wrong_input(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code: object = main(["load", *arguments])
    except SystemExit as error:
        code = error.code
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert words in told.err
    assert "sesame" not in told.err
