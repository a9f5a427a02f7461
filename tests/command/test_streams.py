"""Lines on standard output: for Telegraf's `execd` at its newlines, for people by the clock."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from signal import SIGHUP

import pytest
import yaml

from tests.command.lines import counted, gathers, parse
from tests.command.processes import (
    ARGV,
    INTERVAL,
    Running,
    Settings,
    collector,
    free_address,
    narrow_pipe,
    page_at,
    scraped,
    seen,
    server,
    settings,
    written,
)
from tests.command.surroundings import Cluster
from tests.real.servers import answers, wait_for

PIPE = subprocess.PIPE


def telegraf(cluster: Cluster, *nodes: str, **agent: object) -> tuple[Settings, str]:
    """Return a configuration for Telegraf, and the address of a page beside it, which shows what goes on."""
    address = free_address()
    return settings([cluster[node] for node in nodes], page_at(address) | {"telegraf": {}}, **agent), address


def all_gathered(running: Running, names: Sequence[str], times: int) -> Callable[[], bool]:
    """Return what tells whether each node has been gathered so many times."""
    return lambda: all(len(gathers(running.lines, name)) == times for name in names)


def test_each_newline_is_one_gather(tmp_path: Path, cluster: Cluster) -> None:
    names = ("sealer-1", "worker-1")
    configuration, address = telegraf(cluster, *names)
    asked = cluster["sealer-1"].requests.total
    with collector(tmp_path, configuration, stdin=PIPE) as running:
        wait_for(lambda: answers(f"http://{address}/metrics"), "its page")
        time.sleep(2.5 * INTERVAL)
        assert running.stdout == ""
        assert cluster["sealer-1"].requests.total == asked
        for newlines in (1, 2):
            running.write(b"\n")
            wait_for(all_gathered(running, names, newlines), "a gather", 2)
            asked = cluster["sealer-1"].requests.total
            time.sleep(1.5 * INTERVAL)
            assert cluster["sealer-1"].requests.total == asked
            assert [gathers(running.lines, name) for name in names] == [["1"] * newlines] * 2
        assert {"chain", "chain_node", "geth", "nodeos", "chainwatch"} <= {
            parse(line).measurement for line in running.lines
        }
        assert running.stop() == 0


def test_a_server_found_later_waits_for_the_next_newline(tmp_path: Path, cluster: Cluster) -> None:
    configuration, _ = telegraf(cluster, "sealer-1")
    file = tmp_path / "nodes.yaml"
    file.write_text(yaml.safe_dump([server(cluster["sealer-1"])]))
    configuration["chains"][0]["servers"] = [{"file": file.name}]
    with collector(tmp_path, configuration, stdin=PIPE) as running:
        running.write(b"\n\n")
        wait_for(lambda: gathers(running.lines, "sealer-1"), "a gather")
        asked = cluster["newer-1"].requests.total
        file.write_text(yaml.safe_dump([server(cluster[node]) for node in ("sealer-1", "newer-1")]))
        time.sleep(2.5 * INTERVAL)
        assert cluster["newer-1"].requests.total == asked
        running.write(b"\n")
        wait_for(lambda: gathers(running.lines, "newer-1"), "a gather of the new one")
        assert running.stop() == 0
    assert counted(running.lines, "gathers_missed_total", node="newer-1") == 0


def test_newlines_do_not_pile_up_while_a_gather_hangs(tmp_path: Path, cluster: Cluster) -> None:
    configuration, _ = telegraf(cluster, "sealer-1", timeout=0.6, interval=0.6)
    cluster.fault("sealer-1", "hang")
    with collector(tmp_path, configuration, stdin=PIPE) as running:
        running.write(b"\n")
        wait_for(lambda: cluster["sealer-1"].connections, "a gather that hangs")
        running.write(b"\n\n\n")
        wait_for(lambda: gathers(running.lines, "sealer-1"), "the end of the gather", 3)
        cluster.heal("sealer-1")
        wait_for(lambda: len(gathers(running.lines, "sealer-1")) == 2, "another gather", 2)
        time.sleep(0.3)
        assert len(gathers(running.lines, "sealer-1")) == 2
        assert running.stop() == 0
    assert counted(running.lines, "gathers_missed_total", node="sealer-1") == 2


def test_the_end_of_input_ends_it(tmp_path: Path, cluster: Cluster) -> None:
    """Telegraf waits for 5 s; a gather that hangs takes half of the time for shutting down."""
    configuration, _ = telegraf(cluster, "sealer-1", "worker-1", timeout=30, shutdown_timeout=1)
    cluster.fault("worker-1", "hang")
    asked = cluster["worker-1"].requests.total
    with collector(tmp_path, configuration, stdin=PIPE) as running:
        running.write(b"\n")
        wait_for(lambda: cluster["worker-1"].requests.total > asked, "a gather that hangs")
        wait_for(lambda: gathers(running.lines, "sealer-1"), "the gather of the other")
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.ended(within=2.0) == 0


def test_log_lines_tell_telegraf_their_level(tmp_path: Path, cluster: Cluster) -> None:
    configuration, _ = telegraf(cluster, "sealer-1", "worker-1", timeout=5)  # longer than the interval: a warning
    cluster.fault("worker-1", "down")
    with collector(tmp_path, configuration, stdin=PIPE) as running:
        running.write(b"\n")
        running.said("nodeos-demo/worker-1")
        assert running.stop() == 0
    lines = running.stderr.splitlines()
    assert all(line[:3] in {"E! ", "W! ", "I! ", "D! "} for line in lines), lines
    assert sum(line.startswith("W! ") for line in lines) >= 2


def test_lines_by_the_clock(tmp_path: Path, cluster: Cluster) -> None:
    configuration = settings([cluster["sealer-1"], cluster["worker-1"]], {"stdout": {}})
    with collector(tmp_path, configuration) as running:
        wait_for(lambda: len(gathers(running.lines, "sealer-1")) >= 3, "three gathers")
        assert running.stop() == 0
    assert all(parse(line) for line in running.lines)
    gathered = int(counted(running.lines, "gathers_total", node="worker-1"))
    assert gathers(running.lines, "worker-1") == ["1"] * gathered


def test_a_reader_that_stops_reading_stops_nobody(tmp_path: Path, cluster: Cluster) -> None:
    """As `chainwatch run 2>&1 | less` does: lines fill the pipe, and the log has nowhere to go, either."""
    address = free_address()
    reader, writer = narrow_pipe()
    configuration = settings(cluster.nodes, page_at(address) | {"stdout": {}}, shutdown_timeout=0.3)
    with ExitStack() as pipe:
        pipe.callback(os.close, reader)
        running = pipe.enter_context(collector(tmp_path, configuration, stdout=writer, stderr=writer))
        os.close(writer)
        seen(address, "chainwatch_buffer_bytes", 4096, output="stdout")
        written(tmp_path, configuration | {f"unknown-{number}": 0 for number in range(100)})
        running.signal(SIGHUP)  # a hundred mistakes are more words than the pipe holds
        seen(address, "chainwatch_reload_failures_total")
        before = scraped(address).value("chainwatch_gathers_total", node="sealer-1")
        seen(address, "chainwatch_gathers_total", before + 2, node="sealer-1")
        page = scraped(address)
        assert page.value("chainwatch_gathers_missed_total", node="sealer-1") == 0
        assert running.stop(within=2.5) == 0


@pytest.mark.parametrize("output", ["stdout", "telegraf"])
def test_a_closed_output_ends_it(tmp_path: Path, cluster: Cluster, output: str) -> None:
    configuration = settings([cluster["sealer-1"]], {output: {}})
    with collector(tmp_path, configuration, stdin=PIPE, stdout=PIPE) as running:
        assert running.process.stdout is not None
        running.write(b"\n")
        running.process.stdout.read(10)
        running.process.stdout.close()
        running.write(b"\n")
        assert running.ended(within=3.0) == 0
    assert f"output {output}: nobody reads it any more" in running.stderr


def test_a_closed_output_is_no_reason_to_leave_the_others(tmp_path: Path, cluster: Cluster) -> None:
    address = free_address()
    configuration = settings([cluster["sealer-1"]], page_at(address) | {"stdout": {}})
    with collector(tmp_path, configuration, stdout=PIPE) as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        running.said("output stdout: nobody reads it any more")
        seen(address, "chainwatch_readings_dropped_total", output="stdout")
        before = seen(address, "chainwatch_gathers_total", node="sealer-1")
        seen(address, "chainwatch_gathers_total", before + 1, node="sealer-1")
        assert running.stderr.count("nobody reads") == 1
        assert running.stop() == 0


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [
        ("<&-", 0, "I! chainwatch "),
        ("</dev/null >&-", 1, "E! outputs.telegraf: standard output is closed\n"),
        ("</dev/null 2>&-", 0, ""),
    ],
)
def test_streams_that_were_closed_before_the_start(
    tmp_path: Path, cluster: Cluster, closed: str, code: int, said: str
) -> None:
    path = written(tmp_path, settings([cluster["sealer-1"]], {"telegraf": {}}))
    argv = ["sh", "-c", f"exec {shlex.join(ARGV)} run --config {path} {closed}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    assert (done.returncode, done.stderr[: len(said)]) == (code, said)
    assert done.stderr.count("\n") == bool(said)
