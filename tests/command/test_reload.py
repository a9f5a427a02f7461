"""SIGHUP: a wrong configuration is kept out, a right one taken over; what did not change goes on as it was."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from pathlib import Path
from signal import SIGHUP

import pytest

from tests.command.lines import counted, gathers
from tests.command.processes import (
    Running,
    Settings,
    collector,
    free_address,
    page_at,
    scraped,
    seen,
    server,
    settings,
    written,
)
from tests.command.surroundings import Cluster, Database
from tests.influxdb.fakes import hangs
from tests.real.servers import answers, fetch, wait_for


def reload(running: Running, tmp_path: Path, configuration: object, times: int = 1) -> None:
    """Have a configuration taken over."""
    written(tmp_path, configuration)
    running.signal(SIGHUP)
    running.said(": taken over", times)


def kept_out(running: Running, tmp_path: Path, configuration: object, times: int = 1) -> None:
    """Have a configuration kept out."""
    written(tmp_path, configuration)
    running.signal(SIGHUP)
    running.said("not taken over; the configuration before it goes on", times)


def _unknown_key(configuration: Settings) -> Settings:
    return configuration | {"agnet": {}}


def _no_outputs(configuration: Settings) -> Settings:
    return configuration | {"outputs": {}}


def _other_master(configuration: Settings) -> Settings:
    return configuration | {"outputs": configuration["outputs"] | {"telegraf": {}}}


def _many(configuration: Settings) -> Settings:
    return {"chains": [{"name": "", "kind": "ethereum", "servers": []}], "outputs": {"prometheus": {"listen": "x"}}}


def test_a_wrong_file_is_kept_out(tmp_path: Path, cluster: Cluster) -> None:
    address = free_address()
    configuration = settings(cluster.nodes, page_at(address))
    wrong: list[tuple[Callable[[Settings], object], list[str]]] = [
        (_unknown_key, ["agnet"]),
        (_no_outputs, ["outputs"]),
        (_other_master, ["outputs.telegraf"]),
        (_many, ["chains[0].name", "chains[0].servers", "outputs.prometheus.listen"]),
    ]
    with collector(tmp_path, configuration) as running:
        before = seen(address, "chainwatch_gathers_total", node="sealer-1")
        connections = cluster.connections("sealer-1")
        for times, (spoil, _) in enumerate(wrong, 1):
            kept_out(running, tmp_path, spoil(configuration), times)
        told = re.findall(rf"ERROR {tmp_path}/chainwatch.yaml(?::\d+)?: (\S+): ", running.stderr)
        assert told == [key for _, keys in wrong for key in keys]
        assert seen(address, "chainwatch_reload_failures_total", least=4) == 4
        page = scraped(address)
        assert page.value("chainwatch_configuration_valid") == 0
        assert page.value("chainwatch_reloads_total") == 0
        assert max(page.values("chainwatch_gathers_missed_total")) <= 1  # a busy machine misses one
        assert page.value("chainwatch_gathers_total", node="sealer-1") > before
        assert cluster.connections("sealer-1") == connections
        reload(running, tmp_path, configuration)
        seen(address, "chainwatch_configuration_valid")
        assert running.stop() == 0


def test_servers_come_change_and_go(tmp_path: Path, cluster: Cluster) -> None:
    address = free_address()
    unchanged, changed, removed, added = (cluster[n] for n in ("sealer-1", "sealer-2", "worker-1", "newer-1"))
    # A gather that takes too long on a busy machine would end its connection.
    before = settings([unchanged, changed, removed], page_at(address, expire=2), timeout="5s")
    after = settings([unchanged, added], page_at(address, expire=2), timeout="5s")
    after["chains"][0]["servers"].append(server(changed, labels={"rack": "7"}))
    with collector(tmp_path, before) as running:
        seen(address, "chainwatch_gathers_total", least=6, within=20, node="sealer-2")
        gathers_before = seen(address, "chainwatch_gathers_total", least=6, within=20, node="sealer-1")
        connections = cluster.connections("sealer-1")
        assert connections
        reload(running, tmp_path, after)
        assert seen(address, "chainwatch_reloads_total") == 1
        page = scraped(address)
        assert (gathers := page.value("chainwatch_gathers_total", node="sealer-1")) >= gathers_before
        assert cluster.connections("sealer-1") == connections
        assert page.value("chainwatch_gathers_total", node="sealer-2") < gathers - 3, "it was begun anew"
        seen(address, "chain_node_up", node="newer-1")
        seen(address, "chain_node_up", node="sealer-2", rack="7")
        wait_for(lambda: "worker-1" not in fetch(f"http://{address}/metrics").text, "it leaves the page", 3)
        wait_for(lambda: cluster["worker-1"].connections == 0, "its connection ends", 3)
        assert running.stop() == 0


def test_another_shard_asks_the_other_servers(tmp_path: Path, cluster: Cluster) -> None:
    address = free_address()

    def watched() -> set[str]:
        """Return the names of the nodes that the page says anything of."""
        return {dict(labels)["node"] for _, labels in scraped(address)._values if "node" in dict(labels)}

    def all_watched() -> bool:
        servers = sum(scraped(address).values("chainwatch_servers"))
        return servers == len(watched()) == sum(scraped(address).values("chain_node_up"))

    shares = []
    with collector(tmp_path, settings(cluster.nodes, page_at(address, expire=100), shard="1/2")) as running:
        seen(address, "chain_node_up", within=20)
        wait_for(all_watched, "all of the first shard are up", 20)
        shares.append(watched())
        reload(running, tmp_path, settings(cluster.nodes, page_at(address, expire=100), shard="2/2"))
        wait_for(lambda: not shares[0] & watched(), "the others' leave the page", 20)
        wait_for(all_watched, "all of the second shard are up", 20)
        shares.append(watched())
        assert running.stop() == 0
    assert shares[0] | shares[1] == {node.name for node in cluster.nodes}
    assert all(shares)


def test_the_page_moves(tmp_path: Path, cluster: Cluster) -> None:
    old, new = free_address(), free_address()
    nodes = [cluster["sealer-1"]]
    with collector(tmp_path, settings(nodes, page_at(old))) as running:
        before = seen(old, "chainwatch_gathers_total", node="sealer-1")
        reload(running, tmp_path, settings(nodes, page_at(new)))
        assert seen(new, "chainwatch_gathers_total", node="sealer-1") > before - 1
        wait_for(lambda: not answers(f"http://{old}/metrics"), "the old address is left", 3)
        reload(running, tmp_path, settings(nodes, page_at(new, path="/elsewhere")), 2)
        wait_for(lambda: answers(f"http://{new}/elsewhere"), "another path at the same address")
        assert running.stop() == 0


@pytest.mark.parametrize("same_port", [False, True])
def test_an_address_in_use_is_kept_out_and_the_old_page_goes_on(
    tmp_path: Path, cluster: Cluster, database: Database, same_port: bool
) -> None:
    """Nothing of such a configuration is taken over: neither its servers nor its other outputs."""
    address = free_address()
    before = settings([cluster["sealer-1"]], page_at(address))
    other = ("127.0.0.2", int(address.rpartition(":")[2])) if same_port else ("127.0.0.1", 0)
    with socket.create_server(other) as taken:
        host, port = taken.getsockname()
        after = settings([cluster["worker-1"]], page_at(f"{host}:{port}") | {"influxdb": database.output})
        with collector(tmp_path, before) as running:
            known = seen(address, "chainwatch_gathers_total", node="sealer-1")
            kept_out(running, tmp_path, after)
            page = scraped(address)  # at once, and with all that it knew
            assert page.value("chainwatch_gathers_total", node="sealer-1") >= known
            assert f"cannot listen on {host}:{port}" in running.stderr
            assert seen(address, "chainwatch_reload_failures_total") == 1
            seen(address, "chainwatch_gathers_total", known + 2, node="sealer-1")
            assert scraped(address).values("chain_node_up", node="worker-1") == []
            assert running.stop() == 0
    assert database.stored == []


def test_an_unchanged_output_keeps_its_buffer(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    address = free_address()
    database.stop()
    output = {"influxdb": database.output}
    with collector(tmp_path, settings([cluster["sealer-1"]], page_at(address) | output)) as running:
        seen(address, "chainwatch_buffer_readings", least=5, output="db")
        reload(running, tmp_path, settings([cluster["sealer-1"], cluster["worker-1"]], output))
        database.start()
        wait_for(lambda: gathers(database.stored, "worker-1"), "delivery")
        assert running.stop() == 0
    assert gathers(database.stored, "sealer-1") == ["1"] * int(
        counted(database.stored, "gathers_total", node="sealer-1")
    )


def test_an_output_that_changes_delivers_what_it_holds_and_nothing_is_lost_between(
    tmp_path: Path, cluster: Cluster, database: Database
) -> None:
    nodes = [cluster["sealer-1"]]
    outputs = [{"influxdb": database.output | {"flush_interval": wait}} for wait in ("1h", "50ms")]
    with collector(tmp_path, settings(nodes, outputs[0])) as running:
        asked = cluster["sealer-1"].requests.total
        wait_for(lambda: cluster["sealer-1"].requests.total >= asked + 3, "three gathers")
        assert database.stored == []
        reload(running, tmp_path, settings(nodes, outputs[1]))
        wait_for(lambda: len(gathers(database.stored, "sealer-1")) >= 5, "delivery")
        assert running.stop() == 0
    assert gathers(database.stored, "sealer-1") == ["1"] * int(
        counted(database.stored, "gathers_total", node="sealer-1")
    )


def test_an_output_that_hangs_does_not_delay_a_reload(tmp_path: Path, cluster: Cluster, database: Database) -> None:
    nodes = [cluster["sealer-1"]]
    database.fake.fault = hangs
    old, new = free_address(), free_address()
    before = settings(nodes, page_at(old) | {"influxdb": database.output | {"timeout": "1h"}}, shutdown_timeout=1.2)
    with collector(tmp_path, before) as running:
        wait_for(lambda: database.fake.writes, "a write to the database that hangs")
        written(tmp_path, settings(nodes, page_at(new), shutdown_timeout=1.2))
        running.signal(SIGHUP)
        running.said(": taken over", within=0.8)
        assert running.stop(within=3.0) == 0
