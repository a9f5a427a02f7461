"""The services' configurations, each read by what reads it; Grafana can't be had, so what it documents stands in."""

from __future__ import annotations

import json
import subprocess
import textwrap
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from collector.configuration import Configuration, StaticServer, read_configuration
from compose.identities.__main__ import _parser as setup_parser
from compose.influxdb_users import _parser as users_parser
from compose.options.ethereum.models import Options
from compose.options.reading import read_options
from compose.rendering import rendered
from compose.transfers.__main__ import _parser as transfers_parser
from tests.compose.rendering.options import CASES, files_of, options_of
from tests.real.servers import require

NAMES = [case.name for case in CASES]
COLLECTOR = "config/collector/chainwatch.yaml"
PROMETHEUS = "config/prometheus/prometheus.yaml"
WATCHED = [name for name in NAMES if name != "nothing"]


def collector_of(name: str, folder: Path) -> Configuration:
    """Return the collector's configuration, read with its files in a folder instead of the container's."""
    text = files_of(name)[COLLECTOR].replace("/run/chainwatch/", f"{folder}/").replace("/etc/traefik/", f"{folder}/")
    for secret in ("ethstats", "influxdb-collector"):
        (folder / secret).write_text("of the test\n")
    (folder / "clients.yaml").write_text(files_of(name).get("config/traefik/dynamic/clients.yaml", ""))
    (folder / "chainwatch.yaml").write_text(text)
    return read_configuration(folder / "chainwatch.yaml", {}, {"ethereum": object, "nodeos": object})


@pytest.mark.parametrize("name", WATCHED)
def test_the_collector_reads_its_configuration(name: str, tmp_path: Path) -> None:
    options = options_of(name)
    [chain] = collector_of(name, tmp_path).chains
    asked = [f"{role}-{index + 1}" for role in ("sealer", "client") for index in range(getattr(options, role).count)]
    assert chain.name == options.service.name
    assert [server.name for server in chain.servers if isinstance(server, StaticServer)] == (
        [] if name == "without-rpc" else asked
    )
    assert chain.ethstats is not None
    assert chain.block_period == (options.geth.clique_period if name not in ("ethash", "public") else 0)


@pytest.mark.parametrize("name", WATCHED)
def test_what_the_collector_writes_leaves_no_client_out_for_good(name: str, tmp_path: Path) -> None:
    outputs = collector_of(name, tmp_path).outputs
    assert outputs.prometheus is not None
    assert [influxdb.database for influxdb in outputs.influxdb] == ["chainwatch"]
    assert (outputs.traefik is None) == (name == "without-rpc")
    if outputs.traefik is not None:
        assert outputs.traefik.behind == options_of(name).traefik.behind


def test_no_two_readers_steal_metrics_from_each_other(tmp_path: Path) -> None:
    """A node of 1.8 with debug_metrics is not asked for its page as well: each read resets timers for the other."""
    [chain] = collector_of("geth-1.8.27", tmp_path).chains
    servers = [server for server in chain.servers if isinstance(server, StaticServer)]
    assert [bool(server.metrics_url) for server in servers] == [False, False, False, True, True]


def test_there_is_no_collector_where_there_is_nothing_to_watch() -> None:
    files = rendered(Options.model_validate({"ethstats": {"count": 0}, "sealer": {"count": 0}, "client": {"count": 0}}))
    assert COLLECTOR not in files
    assert "collector" not in yaml.safe_load(files["compose.yaml"])["services"]
    assert "traefik" not in yaml.safe_load(files["compose.yaml"])["services"]


@pytest.mark.real
@pytest.mark.parametrize("name", WATCHED)
def test_prometheus_reads_its_configuration(name: str, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text(files_of(name)[PROMETHEUS])
    _checked("promtool", "check", "config", str(tmp_path / "prometheus.yaml"))


@pytest.mark.real
def test_prometheus_reads_rules_that_are_put_beside_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text(files_of("default")[PROMETHEUS])
    (tmp_path / "rules").mkdir()
    rule = {"groups": [{"name": "g", "rules": [{"alert": "Watchdog", "expr": "vector(1)"}]}]}
    (tmp_path / "rules/some.yaml").write_text(json.dumps(rule))
    assert "1 rules found" in _checked("promtool", "check", "config", str(tmp_path / "prometheus.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_prometheus_scrapes_every_service_that_has_metrics_and_no_other(name: str) -> None:
    services = yaml.safe_load(files_of(name)["compose.yaml"])["services"]
    if PROMETHEUS not in files_of(name):
        assert "prometheus" not in services
        return
    jobs = {job["job_name"] for job in yaml.safe_load(files_of(name)[PROMETHEUS])["scrape_configs"]}
    with_metrics = {"prometheus", "alertmanager", "traefik", "influxdb", "grafana", "node-exporter", "cadvisor"}
    assert jobs == (with_metrics & services.keys()) | ({"chainwatch"} if "collector" in services else set())


def test_a_rare_gather_is_scraped_before_prometheus_forgets_it() -> None:
    text = rendered(Options.model_validate({"collector": {"interval": "1h"}}))[PROMETHEUS]
    assert yaml.safe_load(text)["scrape_configs"][0]["scrape_interval"] == "60s"


@pytest.mark.real
def test_alertmanager_reads_its_configuration(tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yaml"
    text = files_of("default")["config/alertmanager/alertmanager.yaml"]
    path.write_text(text)
    assert "1 receivers" in _checked("amtool", "check-config", str(path))
    # What its comment says to write is right as well.
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    said = "\n".join(lines[lines.index("  alerts:") : lines.index("")])
    (tmp_path / "options.yaml").write_text(textwrap.dedent(said))
    options, _ = read_options(tmp_path / "options.yaml")
    assert [channel.name for channel in options.alerts.channels] == ["operator"]
    assert "operator" in rendered(options)["config/alertmanager/alertmanager.yaml"]


class _Strict(BaseModel):
    """As Grafana's documentation of provisioning names the keys, for want of a Grafana to try."""

    model_config = ConfigDict(extra="forbid", strict=True)


class JsonData(_Strict):
    """Settings of a datasource of either type."""

    httpMethod: Literal["GET", "POST"] | None = None  # noqa: N815 - Grafana's own name
    timeInterval: str | None = None  # noqa: N815 - the same
    version: Literal["InfluxQL", "Flux", "SQL"] | None = None
    dbName: str | None = None  # noqa: N815 - the same
    httpMode: Literal["GET", "POST"] | None = None  # noqa: N815 - the same


class Datasource(_Strict):
    """https://grafana.com/docs/grafana/v11.2/administration/provisioning/#data-sources."""

    name: str
    uid: str = Field(pattern="^[a-zA-Z0-9_-]{1,40}$")
    type: Literal["prometheus", "influxdb"]
    access: Literal["proxy"]
    url: str
    isDefault: bool  # noqa: N815 - the same
    editable: bool
    user: str | None = None
    jsonData: JsonData  # noqa: N815 - the same
    secureJsonData: dict[Literal["password"], str] = {}  # noqa: N815 - the same


class Datasources(_Strict):
    """A file of provisioning/datasources."""

    apiVersion: Literal[1]  # noqa: N815 - the same
    prune: bool
    datasources: list[Datasource]


class Provider(_Strict):
    """https://grafana.com/docs/grafana/v11.2/administration/provisioning/#dashboards."""

    name: str
    type: Literal["file"]
    folder: str
    folderUid: str = Field(pattern="^[a-zA-Z0-9_-]{1,40}$")  # noqa: N815 - the same
    disableDeletion: bool  # noqa: N815 - the same
    allowUiUpdates: bool  # noqa: N815 - the same
    updateIntervalSeconds: int  # noqa: N815 - the same
    options: dict[Literal["path"], str]


class Providers(_Strict):
    """A file of provisioning/dashboards."""

    apiVersion: Literal[1]  # noqa: N815 - the same
    providers: list[Provider]


@pytest.mark.parametrize("name", [*WATCHED])
def test_grafana_is_provisioned_with_what_is_there(name: str) -> None:
    files = files_of(name)
    services: dict[str, Any] = yaml.safe_load(files["compose.yaml"])["services"]
    found = Datasources.model_validate(yaml.safe_load(files["config/grafana/provisioning/datasources/chainwatch.yaml"]))
    assert [source.uid for source in found.datasources] == ["prometheus", "influxdb"]
    assert [source.isDefault for source in found.datasources].count(True) == 1
    for source in found.datasources:
        assert HttpUrl(source.url).host in services
    provider = Providers.model_validate(yaml.safe_load(files["config/grafana/provisioning/dashboards/chainwatch.yaml"]))
    assert provider.providers[0].options["path"].startswith("/etc/grafana/provisioning/")


def test_without_prometheus_the_other_datasource_is_the_default() -> None:
    files = rendered(Options.model_validate({"prometheus": {"count": 0}}))
    found = Datasources.model_validate(yaml.safe_load(files["config/grafana/provisioning/datasources/chainwatch.yaml"]))
    assert [(source.uid, source.isDefault) for source in found.datasources] == [("influxdb", True)]


@pytest.mark.parametrize("name", NAMES)
def test_the_services_of_chainwatch_understand_their_command_lines(name: str) -> None:
    """A parser ends the test by SystemExit over a word that it does not know."""
    services = yaml.safe_load(files_of(name)["compose.yaml"])["services"]
    parsers = {"setup": setup_parser, "influxdb-setup": users_parser, "transfers": transfers_parser}
    for service in parsers.keys() & services.keys():
        parsers[service]().parse_args(services[service]["command"])


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_that_a_service_reads_is_handed_out_to_it(name: str) -> None:
    files = files_of(name)
    setup = " ".join(yaml.safe_load(files["compose.yaml"])["services"]["setup"]["command"])
    said = "".join(files.values())
    for secret, uid in {
        "ethstats": 10001,
        "influxdb-collector": 10001,
        "grafana-admin": 472,
        "influxdb-grafana": 472,
    }.items():
        reads = said.count(f"/run/chainwatch/{secret}") > setup.count(f"/run/chainwatch/{secret}")
        assert (f"--give=secrets/{secret}:{uid}:/run/chainwatch/{secret}" in setup) == reads, secret


def _checked(*argv: str) -> str:
    """Run a program that checks a file and return what it says."""
    done = subprocess.run([require(argv[0]), *argv[1:]], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
