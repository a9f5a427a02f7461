"""`run`: it ends when told to, in time and with everything delivered, and says in one line why it can't begin."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import pytest

from tests.command.lines import counted, gathers
from tests.command.processes import collector, free_address, page_at, scraped, seen, settings
from tests.command.surroundings import Cluster, Database
from tests.influxdb.fakes import hangs
from tests.real.servers import wait_for


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_the_last_readings_are_delivered(tmp_path: Path, cluster: Cluster, database: Database, number: Signals) -> None:
    address = free_address()
    outputs = page_at(address) | {"influxdb": database.output | {"flush_interval": "1h"}}
    with collector(tmp_path, settings(cluster.nodes, outputs)) as running:
        seen(address, "chainwatch_gathers_total", least=2)
        assert database.stored == []
        assert running.stop(number, within=2.0) == 0
    for node in cluster.nodes:
        gathered = counted(database.stored, "gathers_total", node=node.name)
        assert gathered >= 2
        assert gathers(database.stored, node.name) == ["1"] * int(gathered)


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_it_ends_in_time_while_everything_hangs(
    tmp_path: Path, cluster: Cluster, database: Database, number: Signals
) -> None:
    address = free_address()
    database.fake.fault = hangs
    cluster.fault("worker-1", "hang")
    outputs = page_at(address) | {"influxdb": database.output | {"timeout": "1h"}}
    configuration = settings(cluster.nodes, outputs, timeout="1h", shutdown_timeout="400ms")
    asked = cluster["worker-1"].requests.total
    with collector(tmp_path, configuration) as running:
        wait_for(lambda: cluster["worker-1"].requests.total > asked, "a gather of the node that hangs")
        wait_for(lambda: database.fake.writes, "a write to the database that hangs")
        # Less than the time that there is without `shutdown_timeout`; to end takes a busy machine a while as well.
        assert running.stop(number, within=4.0) == 0


def test_it_can_be_stopped_while_it_still_looks_for_servers(tmp_path: Path, cluster: Cluster) -> None:
    labels = {f"l{number}": "x" for number in range(80)}
    nodes = [{"url": f"http://127.0.0.1:{port}", "labels": labels} for port in range(1, 80)]
    (tmp_path / "nodes.json").write_text(json.dumps(nodes))  # takes a while
    configuration = settings(cluster.nodes, page_at(free_address()))
    configuration["chains"][0]["servers"] = [{"file": "nodes.json"}]
    with collector(tmp_path, configuration) as running:
        running.said("watches")  # it has begun to read the file
        running.signal(SIGHUP)
        assert running.stop() == 0


def test_an_address_in_use_is_told_in_one_line(tmp_path: Path, cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with collector(tmp_path, settings(cluster.nodes, page_at(address))) as running:
            assert running.ended(within=5.0) == 1
    (line,) = running.stderr.splitlines()
    assert f"ERROR outputs.prometheus.listen: cannot listen on {address}: " in line
    assert "address already in use" in line.lower()
    assert running.stdout == ""


def test_dead_and_hanging_outputs_disturb_nobody(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    """One output refuses connections, one hangs, one waits for nobody: the rest, and the gathers, are on time."""
    address = free_address()
    database.fake.fault = hangs
    dead = {"url": f"http://{free_address()}", "name": "dead", "database": "chain", "flush_interval": "50ms"}
    outputs = page_at(address) | {"influxdb": [database.output, dead], "stdout": {}}
    with collector(tmp_path, settings(cluster.nodes, outputs, shutdown_timeout=0.4)) as running:
        seen(address, "chainwatch_output_errors_total", output="dead")
        wait_for(lambda: database.fake.writes, "a write to the database that hangs")
        before = seen(address, "chainwatch_gathers_total", node="sealer-1")
        time.sleep(1.2)
        page = scraped(address)
        gathered = page.value("chainwatch_gathers_total", node="sealer-1") - before
        assert gathered >= 3
        assert max(page.values("chainwatch_gathers_missed_total")) <= 1  # a busy machine misses one
        assert set(page.values("chain_node_up")) == {1}
        assert page.value("chainwatch_buffer_readings", output="dead") > 0
        wait_for(lambda: gathers(running.lines, "sealer-1").count("1") >= before + gathered, "lines on stdout")
        assert running.stop() == 0
