"""`shielded` in a configuration: tried by `run` and `once`, delivered to every output, taken over by a reload."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP

import pytest

from tests.collector.test_shielded import port_of, refusing, silent
from tests.command.processes import (
    INTERVAL,
    Settings,
    chainwatch,
    collector,
    free_address,
    page_at,
    scraped,
    seen,
    written,
)
from tests.command.surroundings import Cluster, Database
from tests.real.servers import wait_for


@contextmanager
def accepting() -> Iterator[int]:
    """Accept connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        yield port_of(listener)


def configuration(outputs: Mapping[str, object], **nodes: list[int]) -> Settings:
    """Return the configuration of a collector that watches nothing but shielded nodes, each with its ports."""
    shielded = [
        {"name": name, "addresses": [f"127.0.0.1:{port}" for port in ports], "timeout": 2 * INTERVAL}
        for name, ports in nodes.items()
    ]
    return {
        "agent": {"interval": INTERVAL, "shutdown_timeout": 1.0},
        "chains": [{"name": "main", "kind": "nodeos", "shielded": shielded}],
        "outputs": outputs,
    }


def test_what_answers_is_told_and_what_hangs_delays_nothing(tmp_path: Path, database: Database) -> None:
    address = free_address()
    with accepting() as open_, refusing() as refused, refusing() as other, silent() as hanging:
        both = page_at(address) | {"influxdb": database.output}
        with collector(tmp_path, configuration(both, producer=[open_, refused, hanging], spare=[other])) as running:
            seen(address, "chain_shielded_port_open", node="producer", role="producer", address=f"127.0.0.1:{open_}")
            wait_for(lambda: len(scraped(address).values("chain_shielded_tried")) == 4, "all are tried", 5)
            page = scraped(address)
            assert page.value("chain_shielded_port_open", node="producer", address=f"127.0.0.1:{refused}") == 0
            assert page.value("chain_shielded_port_open", node="producer", address=f"127.0.0.1:{hanging}") == 0
            assert page.value("chain_shielded_port_open", node="spare") == 0
            assert running.stop() == 0
        tries = {
            port: sum(f"address=127.0.0.1:{port}," in line and "node=producer" in line for line in database.stored)
            for port in (open_, refused, hanging)
        }
        assert min(tries[open_], tries[refused]) > tries[hanging] > 0
    assert f"main/producer (127.0.0.1:{open_}): accepts connections from here, and is meant" in running.stderr


def test_a_reload_takes_over_what_is_tried(tmp_path: Path, cluster: Cluster) -> None:
    address = free_address()
    with (
        accepting() as first,
        accepting() as second,
        collector(tmp_path, configuration(page_at(address, expire=2), producer=[first])) as running,
    ):
        seen(address, "chain_shielded_port_open", address=f"127.0.0.1:{first}")
        written(tmp_path, configuration(page_at(address, expire=2), producer=[second]))
        running.signal(SIGHUP)
        running.said(": taken over")
        seen(address, "chain_shielded_port_open", address=f"127.0.0.1:{second}")
        gone = {"address": f"127.0.0.1:{first}"}
        wait_for(lambda: scraped(address).values("chain_shielded_tried", **gone) == [], "the other leaves the page", 3)
        assert running.stop() == 0


def test_once_tries_too_and_ends_with_1_unless_all_is_closed(tmp_path: Path) -> None:
    with accepting() as open_, refusing() as refused:
        for ports, code in (([refused], 0), ([refused, open_], 1)):
            file = written(tmp_path, configuration({"stdout": {}}, producer=ports))
            done = chainwatch("once", "--config", file)
            assert done.code == code, done.stderr
            lines = [line for line in done.stdout.splitlines() if line.startswith("chain_shielded,")]
            assert len(lines) == len(ports)
            for port in ports:
                (line,) = (line for line in lines if f"address=127.0.0.1:{port}," in line)
                assert f"port_open={int(port == open_)}" in line


def test_of_several_collectors_one_tries_a_node(tmp_path: Path) -> None:
    with refusing() as one, refusing() as two, refusing() as three:
        tried = []
        for slot in (1, 2, 3):
            settings = configuration({"stdout": {}}, producer=[one, two], spare=[three])
            settings["agent"]["shard"] = f"{slot}/3"
            done = chainwatch("once", "--config", written(tmp_path, settings))
            ports = {port for port in (one, two, three) if f"address=127.0.0.1:{port}," in done.stdout}
            assert ports & {one, two} in ({one, two}, set()), "a node is tried by one, at all of its addresses"
            tried += sorted(ports)
        assert sorted(tried) == sorted([one, two, three])


def test_once_says_what_it_could_not_try(tmp_path: Path) -> None:
    settings = configuration({"stdout": {}}, producer=[])
    settings["chains"][0]["shielded"][0]["addresses"] = ["255.255.255.255:8888"]
    done = chainwatch("once", "--config", written(tmp_path, settings))
    assert done.code == 1
    assert "main/producer (255.255.255.255:8888): cannot be tried from here" in done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("chain_shielded,"))
    assert "tried=0" in line
    assert "port_open" not in line


@pytest.mark.parametrize("address", ["nothing", "203.0.113.5:0"])
def test_check_reads_it(tmp_path: Path, address: str) -> None:
    settings = configuration({"stdout": {}}, producer=[1])
    assert chainwatch("check", "--config", written(tmp_path, settings)).code == 0
    settings["chains"][0]["shielded"][0]["addresses"] = [address]
    done = chainwatch("check", "--config", written(tmp_path, settings))
    assert done.code == 2
    assert "chains[0].shielded[0].addresses[0]: is no address with a port" in done.stderr + done.stdout
