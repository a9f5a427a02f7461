"""The configurations of what looks at an EOSIO or Antelope network, each read by what reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.catalogue import M
from collector.configuration import Configuration, DnsServer, StaticServer, read_configuration
from compose.identities.__main__ import _parser as setup_parser
from compose.influxdb_users import _parser as users_parser
from compose.options.eos.models import Options
from compose.rendering import rendered
from compose.simulated.standin.page import PATH as PAGE_OF_LEAP_4
from tests.compose.rendering.options import EOS_CASES, eos_options_of, files_of, target_of
from tests.compose.rendering.test_configurations import _checked

NAMES = [case.name for case in EOS_CASES]
WATCHED = [name for name in NAMES if name != "eos-alone"]
ON_ONE_MACHINE = [name for name in WATCHED if target_of(name) == "compose"]
IN_A_SWARM = [name for name in WATCHED if target_of(name) == "swarm"]

COLLECTOR = "config/collector/chainwatch.yaml"
ROTATION = "config/rotation/chainwatch.yaml"
PROMETHEUS = "config/prometheus/prometheus.yaml"


def configuration_of(name: str, path: str, folder: Path) -> Configuration:
    """Return a configuration of chainwatch, read with its files in a folder instead of the container's."""
    text = files_of(name)[path]
    for place in ("/run/chainwatch/", "/etc/chainwatch/"):
        text = text.replace(place, f"{folder}/")
    (folder / "influxdb-collector").write_text("of the test\n")
    (folder / "workers.yaml").write_text(files_of(name).get("config/rotation/workers.yaml", ""))
    (folder / "chainwatch.yaml").write_text(text)
    environment = {"CHAINWATCH_SLOT": "2"}
    return read_configuration(folder / "chainwatch.yaml", environment, {"ethereum": object, "nodeos": object})


def jobs_of(name: str) -> dict[str, dict[str, Any]]:
    """Return what Prometheus scrapes, by name."""
    return {job["job_name"]: job for job in yaml.safe_load(files_of(name)[PROMETHEUS])["scrape_configs"]}


def targets(job: dict[str, Any]) -> list[str]:
    """Return the addresses of a job that stand there."""
    return [target for group in job.get("static_configs", ()) for target in group["targets"]]


def services_of(name: str) -> dict[str, Any]:
    """Return the services of a case."""
    found: dict[str, Any] = yaml.safe_load(files_of(name).get("compose.yaml") or files_of(name)["stack.yaml"])[
        "services"
    ]
    return found


@pytest.mark.parametrize("name", ON_ONE_MACHINE)
def test_the_collector_asks_every_node_by_its_name(name: str, tmp_path: Path) -> None:
    options = eos_options_of(name)
    found = configuration_of(name, COLLECTOR, tmp_path)
    [chain] = found.chains
    asked = {server.name: server for server in chain.servers if isinstance(server, StaticServer)}
    roles = {"producer": options.producer.count, "snapshots": options.snapshots.count}
    names = [role for role, count in roles.items() if count]
    names += [f"worker-{slot}" for slot in range(1, options.worker.count + 1)]
    assert [*asked] == names
    assert len(asked) == len(chain.servers)
    assert (chain.name, chain.kind, chain.block_period) == (options.service.name, "nodeos", 0.5)
    assert found.agent.shard is None
    own_page = options.eos.version.startswith("leap-4")
    for node, server in asked.items():
        assert server.metrics_url == (f"http://{node}:9101{PAGE_OF_LEAP_4}" if own_page else None)
    assert found.outputs.traefik is None


@pytest.mark.parametrize("name", IN_A_SWARM)
def test_the_collectors_of_a_swarm_share_out_the_nodes_that_dns_shows(name: str, tmp_path: Path) -> None:
    options = eos_options_of(name)
    found = configuration_of(name, COLLECTOR, tmp_path)
    [chain] = found.chains
    [replicas] = [server for server in chain.servers if isinstance(server, DnsServer)]
    assert (replicas.dns, replicas.port) == (f"tasks.worker.{options.service.name}_inner", 8888)
    assert (replicas.name, replicas.role) == ("worker-{slot}", "worker")
    own_page = options.eos.version.startswith("leap-4")
    assert replicas.metrics_url == (f"http://{{address}}:9101{PAGE_OF_LEAP_4}" if own_page else None)
    shard = found.agent.shard
    assert shard is not None
    assert (shard.slot, shard.of) == (2, "tasks.collector")
    assert found.outputs.traefik is None


@pytest.mark.parametrize("name", WATCHED)
def test_the_rotation_asks_for_heads_every_second_and_for_nothing_else(name: str, tmp_path: Path) -> None:
    options = eos_options_of(name)
    found = configuration_of(name, ROTATION, tmp_path)
    [chain] = found.chains
    assert found.agent.interval == 1
    assert found.agent.shard is None
    assert chain.metrics == ()
    workers = 1 if name in IN_A_SWARM else options.worker.count
    assert len(chain.servers) == workers + options.producer.count + options.snapshots.count
    traefik = found.outputs.traefik
    assert traefik is not None
    assert traefik.listen is not None
    assert (traefik.listen.port, traefik.behind, traefik.older) == (9274, options.traefik.behind, options.traefik.older)


@pytest.mark.parametrize("name", WATCHED)
def test_the_collector_tries_the_producer_from_outside_where_it_is_told_to(name: str, tmp_path: Path) -> None:
    [chain] = configuration_of(name, COLLECTOR, tmp_path).chains
    addresses = eos_options_of(name).producer.shielded
    assert [str(address) for shielded in chain.shielded for address in shielded.addresses] == list(addresses)
    joined = services_of(name)["collector"]["networks"]
    assert ("outside" in joined) == (bool(addresses) or "ports" in services_of(name)["collector"])


@pytest.mark.real
@pytest.mark.parametrize("name", WATCHED)
def test_prometheus_reads_its_configuration(name: str, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text(files_of(name)[PROMETHEUS])
    _checked("promtool", "check", "config", str(tmp_path / "prometheus.yaml"))


@pytest.mark.parametrize("name", WATCHED)
def test_prometheus_scrapes_every_service_that_has_metrics_and_no_other(name: str) -> None:
    services = services_of(name)
    with_metrics = {
        "prometheus",
        "alertmanager",
        "traefik",
        "rotation",
        "influxdb",
        "grafana",
        "node-exporter",
        "cadvisor",
    }
    assert jobs_of(name).keys() == (with_metrics & services.keys()) | {"chainwatch", "nodeos-entrypoint"}


@pytest.mark.parametrize("name", WATCHED)
def test_prometheus_scrapes_the_entrypoint_of_every_node_and_is_in_their_network(name: str) -> None:
    options = eos_options_of(name)
    job = jobs_of(name)["nodeos-entrypoint"]
    single = [f"{role}:8889" for role in ("producer", "snapshots") if getattr(options, role).count]
    if name in ON_ONE_MACHINE:
        assert targets(job) == [*single, *(f"worker-{slot}:8889" for slot in range(1, options.worker.count + 1))]
        assert "dns_sd_configs" not in job
    else:
        assert targets(job) == single
        [replicas] = job["dns_sd_configs"]
        assert (replicas["names"], replicas["port"], replicas["type"]) == (["tasks.worker"], 8889, "A")
    assert job["relabel_configs"] == [{"target_label": "chain", "replacement": options.service.name}]
    assert "chain" in services_of(name)["prometheus"]["networks"]


@pytest.mark.parametrize("name", IN_A_SWARM)
def test_what_runs_several_times_is_scraped_at_each_of_its_addresses(name: str) -> None:
    jobs = jobs_of(name)
    several = {"chainwatch": "tasks.collector", "node-exporter": "tasks.node-exporter", "cadvisor": "tasks.cadvisor"}
    for job, dns in several.items():
        if job in jobs:
            assert [config["names"] for config in jobs[job]["dns_sd_configs"]] == [[dns]]
            assert targets(jobs[job]) == []


@pytest.mark.parametrize("name", IN_A_SWARM)
def test_no_node_has_its_series_twice(name: str) -> None:
    """The rotation's page has the nodes' heads as well: of it, its own metrics alone are kept.

    That it reaches the nodes must not hide that the collector does not: the alert takes the newest gather of a chain.
    """
    kept, dropped = jobs_of(name)["rotation"]["metric_relabel_configs"]
    assert (kept["action"], kept["regex"]) == ("keep", "chainwatch_.*")
    assert (dropped["action"], dropped["regex"]) == ("drop", M.chainwatch_gather_success_timestamp_seconds.name)


@pytest.mark.parametrize("name", NAMES)
def test_the_services_of_chainwatch_understand_their_command_lines(name: str) -> None:
    """A parser ends the test by SystemExit over a word that it does not know."""
    services = services_of(name)
    parsers = {"setup": setup_parser, "influxdb-setup": users_parser}
    for service in parsers.keys() & services.keys():
        parsers[service]().parse_args(services[service]["command"])


def test_without_workers_nothing_leads_to_them() -> None:
    for target in ("compose", "swarm"):
        files = rendered(Options.model_validate({"worker": {"count": 0}}), target=target)
        text = files.get("compose.yaml") or files["stack.yaml"]
        assert {"traefik", "rotation", "worker", "worker-1"}.isdisjoint(yaml.safe_load(text)["services"])
        assert "traefik" not in yaml.safe_load(files[COLLECTOR])["outputs"]
        assert not any(path.startswith(("config/traefik", "config/rotation")) for path in files)


def test_what_workers_are_given_a_plugin_for_is_let_through_and_nothing_else() -> None:
    def rule(*plugins: str) -> str:
        options = Options.model_validate({"worker": {"config": {"plugin": plugins}}} if plugins else {})
        dynamic = yaml.safe_load(rendered(options)["config/rotation/workers.yaml"])
        found: str = dynamic["http"]["routers"]["reads"]["rule"]
        return found

    assert "history" not in rule()
    assert "trace_api" not in rule()
    assert "trace_api/" in rule("eosio::trace_api_plugin")
    assert "history/" in rule("eosio::history_plugin", "eosio::history_api_plugin")
    assert rule("eosio::producer_api_plugin") == rule()
