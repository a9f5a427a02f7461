"""What holds for every compose file of an Ethereum network, whatever the options are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from compose.options.ethereum.models import Options
from compose.rendering import rendered
from tests.compose.rendering.composing import BESIDE, PUBLISHING, compose_file, docker_compose, services, written
from tests.compose.rendering.options import CASES, files_of, options_of

NAMES = [case.name for case in CASES]
SECTIONS = ["boot", "ethstats", "sealer", "client", *BESIDE]


def with_counts(**counts: int) -> Options:
    """Return the default options with other counts."""
    return Options.model_validate({section: {"count": count} for section, count in counts.items()})


@pytest.mark.real
@pytest.mark.parametrize("section", SECTIONS)
def test_any_one_count_may_be_0(section: str, tmp_path: Path) -> None:
    docker_compose(written(rendered(with_counts(**{section: 0})), tmp_path), "config", "--quiet")


@pytest.mark.real
def test_what_the_options_say_goes_through_compose_as_it_stands(tmp_path: Path) -> None:
    """`$` begins a variable to Compose; it writes `$$` for it in what it prints, too."""
    told = yaml.safe_load(docker_compose(written(rendered(options_of("everything")), tmp_path), "config"))
    sealer = told["services"]["sealer-1"]
    assert sealer["labels"]["price"].replace("$$", "$") == "5$ and ${more}"
    assert sealer["labels"]["dotted.name"] == "a:b"
    assert "--identity=of the lab" in sealer["command"]


def test_the_project_has_the_name_of_the_options() -> None:
    """Every version of Compose reads .env; containers, volumes and networks have names that begin so."""
    assert files_of("everything")[".env"].splitlines()[-1] == "COMPOSE_PROJECT_NAME=lab_2"


@pytest.mark.parametrize("name", NAMES)
def test_every_container_bears_the_labels_of_what_it_is(name: str) -> None:
    for service, settings in services(name):
        labels = settings["labels"]
        assert labels["chainwatch.chain"] == options_of(name).service.name
        role = re.fullmatch(r"(boot|sealer|client)-\d+", service)
        assert labels["chainwatch.role"] == (role[1] if role else service)
        assert labels.get("chainwatch.node") == (service if role else None)


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_any_file(name: str) -> None:
    """Neither one that was given nor what looks like a key: no long run of hexadecimal digits."""
    for path, text in files_of(name).items():
        assert "hunter2" not in text, path
        assert re.findall(r"[0-9a-fA-F]{32,}", text) == [], path
        assert re.findall(
            r"(?i)password[^\s:=]*[:=] *[^\s/$][^\n]*", text.replace("--password=/", "").replace("-password:", " ")
        ) in (
            [],
            ["password: $__file{/run/chainwatch/influxdb-grafana}"],
        ), path


@pytest.mark.parametrize("name", NAMES)
def test_no_command_line_and_no_environment_holds_a_secret(name: str) -> None:
    """Both show in `docker inspect`; what is secret comes as the path of a file."""
    for service, settings in services(name):
        said = [*settings.get("command", []), *map(str, settings.get("environment", {}).values())]
        for argument in said:
            assert not re.search(r"(?i)nodekeyhex|ethstats=|privatekey", argument), service
            if re.search(r"(?i)password|secret", argument):
                assert re.search(r"[=:](/keys|secrets|/run/chainwatch)/", argument), (service, argument)


def test_they_start_in_order() -> None:
    """Setup, boot node, collector, sealers, clients, load balancer; the collector waits for no database."""
    waits = {service: set(settings.get("depends_on", {})) for service, settings in services("default")}
    assert waits["setup"] == set()
    assert waits["boot-1"] == {"setup"}
    assert waits["collector"] == {"setup", "boot-1"}
    assert waits["sealer-3"] == {"setup", "collector"}
    assert waits["client-2"] == {"setup", "sealer-1", "sealer-2", "sealer-3"}
    assert waits["traefik"] == {"setup", "client-1", "client-2"}
    assert waits["influxdb"] == set()
    assert waits["influxdb-setup"] == {"setup", "influxdb"}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_published_is_published_at_the_address_that_was_given(name: str) -> None:
    options = options_of(name)
    for service, settings in services(name):
        for port in settings.get("ports", []):
            if service in PUBLISHING:
                assert port.startswith(("127.0.0.1:", "[::1]:")), service
            else:
                assert options.geth.advertise
                assert re.fullmatch(rf"{options.geth.advertise}:\d+:\d+/(tcp|udp)", port), service


@pytest.mark.parametrize("name", NAMES)
def test_no_node_is_in_a_network_that_publishes(name: str) -> None:
    """JSON-RPC is reached in networks that have no way in; clients are led to by the load balancer, sealers by none."""
    networks = compose_file(name)["networks"]
    for service, settings in services(name):
        joined = set(settings.get("networks", []))
        assert ("outside" in joined) <= (service in PUBLISHING), service
        if re.match("boot|sealer|client", service):
            assert joined <= {"chain", "inner"} - ({"inner"} if service.startswith("sealer") else set())
        if service not in {"collector", "transfers"} and not re.match("boot|sealer|client", service):
            assert "chain" not in joined, service
    assert networks.get("inner", {"internal": True}) == {"internal": True}


def test_transfers_are_in_the_network_of_those_that_take_them() -> None:
    for clients, network in ((0, "chain"), (1, "inner")):
        options = Options.model_validate({"transfers": {"rate": 1}, "client": {"count": clients}})
        assert yaml.safe_load(rendered(options)["compose.yaml"])["services"]["transfers"]["networks"] == [network]


def test_the_chain_leads_to_the_world_only_where_nodes_elsewhere_are_to_be_reached() -> None:
    internal = {name: compose_file(name)["networks"].get("chain") for name in ("default", "everything", "public")}
    assert internal == {"default": {"internal": True}, "everything": {}, "public": {}}


def test_without_publishing_nothing_is_published() -> None:
    ports = ("client_http", "client_ws", "ethstats", "grafana", "prometheus", "alertmanager", "page")
    options = Options.model_validate({"publish": dict.fromkeys(ports, 0)})
    found = yaml.safe_load(rendered(options)["compose.yaml"])["services"]
    assert [name for name, settings in found.items() if "ports" in settings] == []


@pytest.mark.parametrize("name", NAMES)
def test_each_node_sees_its_own_keys_alone(name: str) -> None:
    for service, settings in services(name):
        if re.match("boot|sealer|client", service):
            mounts = [mount for mount in settings["volumes"] if mount.startswith("./keys")]
            assert set(mounts) <= {f"./keys/{service}:/keys:ro", "./keys/chain:/chain:ro"}
        elif service not in {"setup", "transfers", "influxdb-setup"}:
            assert not [mount for mount in settings.get("volumes", []) if mount.startswith("./keys")], service


@pytest.mark.parametrize("name", NAMES)
def test_no_single_file_is_mounted_that_setup_has_yet_to_make(name: str) -> None:
    """Docker makes a folder in the place of what is missing: a folder is what it has to be."""
    for service, settings in services(name):
        for mount in settings.get("volumes", []):
            source = mount.partition(":")[0]
            assert not source.startswith("./keys") or not Path(source.removeprefix("./")).suffix, (service, mount)


def test_who_reads_a_file_when_it_starts_is_started_anew_when_the_file_changes() -> None:
    def checksums(**sections: dict[str, object]) -> dict[str, str | None]:
        found = yaml.safe_load(rendered(Options.model_validate(sections))["compose.yaml"])["services"]
        return {name: settings["labels"].get("chainwatch.configuration") for name, settings in found.items()}

    before = checksums()
    after = checksums(collector={"interval": 30})
    assert {name for name in before if before[name] != after[name]} == {"collector", "prometheus"}
    assert {name for name, checksum in before.items() if checksum} == {
        "collector",
        "traefik",
        "prometheus",
        "alertmanager",
        "grafana",
    }
