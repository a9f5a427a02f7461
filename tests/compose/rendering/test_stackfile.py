"""What holds for every stack file: what Docker's own client would refuse, or take otherwise than it is meant."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml

from compose.nodeos.settings import read as read_environment
from compose.options.eos.models import Options
from compose.rendering import rendered
from compose.rendering.eos.handing_out import NODE_USER
from compose.rendering.services import COLLECTOR_USER
from tests.compose.rendering.options import EOS_CASES, eos_options_of, files_of, target_of
from tests.compose.rendering.test_eos_composefile import SECTIONS, with_counts

NAMES = [case.name for case in EOS_CASES if target_of(case.name) == "swarm"]
NODES = ("producer", "snapshots", "worker")

TAKEN = {
    "image",
    "hostname",
    "entrypoint",
    "command",
    "environment",
    "user",
    "read_only",
    "cap_drop",
    "cap_add",
    "stop_grace_period",
    "healthcheck",
    "networks",
    "labels",
    "logging",
    "ports",
    "volumes",
    "configs",
    "secrets",
    "deploy",
}
"""What `docker stack deploy` of 20.10 neither refuses nor leaves out with a warning."""


@cache
def stack(name: str) -> dict[str, Any]:
    """Return the stack file of a case as data."""
    return parsed(files_of(name))


def parsed(files: dict[str, str]) -> dict[str, Any]:
    """Return a stack file as data."""
    found: dict[str, Any] = yaml.safe_load(files["stack.yaml"])
    return found


def of(**sections: object) -> dict[str, Any]:
    """Return the stack file of options that differ from the defaults."""
    return parsed(rendered(Options.model_validate(sections), target="swarm"))


def services(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the services of a case."""
    yield from stack(name)["services"].items()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_made_in_the_place_of_compose_yaml(name: str) -> None:
    assert {"compose.yaml", ".env"}.isdisjoint(files_of(name))
    assert stack(name)["version"] == "3.8"
    assert "setup" not in stack(name)["services"]


@pytest.mark.parametrize("name", NAMES)
def test_docker_has_a_use_for_all_that_a_service_says(name: str) -> None:
    for service, settings in services(name):
        assert settings.keys() <= TAKEN, service


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_kept_within_bounds(name: str) -> None:
    for service, settings in services(name):
        deploy = settings["deploy"]
        limits = deploy["resources"]["limits"]
        assert float(limits["cpus"]) > 0, service
        assert re.fullmatch(r"\d+M", limits["memory"]), service
        assert deploy["endpoint_mode"] == "dnsrr", "virtual addresses would hide the replicas"
        assert deploy["update_config"]["order"] == "stop-first", "two on one volume would ruin it"
        assert deploy["update_config"]["parallelism"] == 1
        once = service == "influxdb-setup"
        assert deploy["restart_policy"]["condition"] == ("on-failure" if once else "any")
        assert settings.get("cap_drop", ["ALL"]) == ["ALL"]
        assert ("cap_drop" in settings) == (service != "cadvisor")
        assert settings["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", NAMES)
def test_there_are_as_many_as_the_options_say_and_where_they_say(name: str) -> None:
    options = eos_options_of(name)
    deployed = {service: settings["deploy"] for service, settings in services(name)}
    assert deployed["worker"]["replicas"] == options.worker.count
    assert deployed["collector"]["replicas"] == options.collector.count
    assert deployed["node-exporter"]["mode"] == "global"
    assert stack(name)["services"]["node-exporter"]["hostname"] == "{{.Node.Hostname}}"
    constraints = {service: deploy.get("placement", {}).get("constraints", []) for service, deploy in deployed.items()}
    placement = options.placement
    assert constraints["worker"] == list(placement.worker)
    assert constraints["snapshots"] == list(placement.snapshots)
    assert constraints["traefik"] == constraints["rotation"] == list(placement.traefik)
    assert constraints["prometheus"] == constraints["influxdb"] == list(placement.monitoring)
    assert constraints["node-exporter"] == []
    if options.producer.count:
        assert deployed["producer"]["replicas"] == 1
        assert constraints["producer"] == list(placement.producer)


@pytest.mark.parametrize("name", NAMES)
def test_workers_have_their_slots_in_names_and_volumes(name: str) -> None:
    worker = stack(name)["services"]["worker"]
    assert worker["hostname"] == "worker-{{.Task.Slot}}"
    assert worker["volumes"][0] == "worker:/data"
    stack_name = eos_options_of(name).service.name
    assert stack(name)["volumes"]["worker"] == {"name": stack_name + "-worker-{{.Task.Slot}}"}
    # Docker puts the slot in.
    environment = {key: value.replace("{{.Task.Slot}}", "3") for key, value in worker["environment"].items()}
    told = read_environment(environment)
    assert (told.node, told.role, told.slot) == ("worker-3", "worker", 3)
    assert told.siblings == ("tasks.worker",)
    assert told.workers == eos_options_of(name).worker.count


@pytest.mark.parametrize("name", NAMES)
def test_nodes_are_known_to_dns_from_their_first_moment_and_have_time_to_end(name: str) -> None:
    for service, settings in services(name):
        if service in NODES:
            assert settings["healthcheck"] == {"disable": True}
            assert settings["stop_grace_period"] == "5m"
            assert settings["read_only"] is True
            assert {"type": "tmpfs", "target": "/tmp"} in settings["volumes"]


@pytest.mark.parametrize("name", NAMES)
def test_a_config_has_another_name_when_it_has_another_content(name: str) -> None:
    files = files_of(name)
    for key, config in stack(name)["configs"].items():
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9]", config["name"])
        assert config["name"].startswith(eos_options_of(name).service.name + "-")
        if key != "genesis":  # it is not known here; another one is another chain's
            text = files[config["file"].removeprefix("./")]
            assert config["name"].endswith("-" + hashlib.sha256(text.encode()).hexdigest()[:8])
            assert len(text.encode()) <= 500_000


def test_only_those_who_read_what_has_changed_are_started_anew() -> None:
    before, after = of(), of(worker={"config": {"http-threads": 3}})
    changed = {
        name
        for name, settings in before["services"].items()
        for config in settings.get("configs", ())
        if before["configs"][config["source"]] != after["configs"][config["source"]]
    }
    assert changed == {"worker"}


def test_a_long_name_of_a_stack_leaves_names_that_docker_takes() -> None:
    name = "n" * 32
    found = of(service={"name": name})
    names = [it["name"] for kind in ("configs", "secrets") for it in found[kind].values()]
    assert max(map(len, names)) <= 64
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_a_service_reads_is_there_wherever_it_runs(name: str) -> None:
    """Nothing is mounted of the machine that it was deployed from."""
    found = stack(name)
    for service, settings in services(name):
        for mount in settings.get("volumes", ()):
            if isinstance(mount, str):
                source = mount.partition(":")[0]
                assert source in found["volumes"] or source.startswith("/"), (service, mount)
                assert not source.startswith("/") or service in ("node-exporter", "cadvisor")
        for kind in ("configs", "secrets"):
            assert {it["source"] for it in settings.get(kind, ())} <= found.get(kind, {}).keys()
    used = {
        (kind, it["source"])
        for _, settings in services(name)
        for kind in ("configs", "secrets")
        for it in settings.get(kind, ())
    }
    assert used == {(kind, key) for kind in ("configs", "secrets") for key in found.get(kind, {})}
    mounted = {config["file"] for config in found["configs"].values()}
    configured = {f"./{path}" for path in files_of(name) if path.startswith("config/")}
    assert mounted - {"./keys/chain/genesis.json"} == configured


@pytest.mark.parametrize("name", NAMES)
def test_secrets_come_from_keys_and_go_to_their_own_readers_alone(name: str) -> None:
    readers: dict[str, set[str]] = {}
    for service, settings in services(name):
        for secret in settings.get("secrets", ()):
            readers.setdefault(secret["source"], set()).add(service)
            assert secret["target"].startswith(("/run/signing/", "/run/chainwatch/", "/keys/secrets/"))
            user = {"collector": COLLECTOR_USER, "grafana": 472, "influxdb-setup": 0, "producer": NODE_USER}[service]
            assert (secret["uid"], secret["gid"], secret["mode"]) == (str(user), str(user), 0o400)
    if "producer" in stack(name)["services"]:
        assert readers["signing"] == {"producer"}
    else:
        assert "signing" not in readers
    assert readers["grafana-admin"] == {"grafana"}
    assert readers["influxdb-admin"] == {"influxdb-setup"}
    for secret in stack(name)["secrets"].values():
        assert secret["file"].startswith("./keys/")


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_any_file(name: str) -> None:
    for path, text in files_of(name).items():
        assert re.findall(r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b", text) == [], path
        assert re.findall(r"[0-9a-fA-F]{32,}", text) == [], path


@pytest.mark.parametrize("name", NAMES)
def test_the_producer_is_in_the_chains_network_alone_and_published_nowhere(name: str) -> None:
    options = eos_options_of(name)
    networks = stack(name)["networks"]
    assert networks["chain"]["internal"] is networks["inner"]["internal"] is True
    assert networks["chain"] == {"name": f"{options.service.name}_chain", "driver": "overlay", "internal": True}
    for service, settings in services(name):
        joined = set(settings["networks"])
        if service in ("producer", "snapshots"):
            assert joined == {"chain"}
        if service in NODES:
            assert "ports" not in settings
        elif service not in ("collector", "prometheus", "rotation"):
            assert "chain" not in joined, service
    assert set(stack(name)["services"]["traefik"]["networks"]) == {"inner", "outside"}


def test_what_asks_for_no_password_is_published_only_where_every_address_is_named() -> None:
    """A swarm can't publish at one address of a machine."""

    def published(**publish: object) -> dict[str, list[int]]:
        found = of(publish=publish)["services"]
        for settings in found.values():
            assert all(port["mode"] == "host" for port in settings.get("ports", ()))
        return {
            name: [port["published"] for port in settings["ports"]]
            for name, settings in found.items()
            if "ports" in settings
        }

    assert published() == {"traefik": [8888], "grafana": [3000]}
    assert published(address="0.0.0.0", api=80) == {
        "traefik": [80],
        "prometheus": [9090],
        "alertmanager": [9093],
        "grafana": [3000],
        "collector": [9280],
    }
    assert published(api=0, grafana=0) == {}


def test_the_load_balancer_is_told_of_workers_by_their_addresses_in_its_own_network() -> None:
    """`tasks.worker` alone could give those of the chain's network, which it is not in."""
    files = rendered(Options.model_validate({"service": {"name": "lab"}}), target="swarm")
    rotation = yaml.safe_load(files["config/rotation/chainwatch.yaml"])
    [replicas] = [server["dns"] for server in rotation["chains"][0]["servers"] if "dns" in server]
    assert replicas == "tasks.worker.lab_inner"
    assert f"http://{replicas}:8888" in files["config/rotation/workers.yaml"]
    assert "http://rotation:9274/traefik" in files["config/traefik/traefik.yaml"]


def test_workers_get_out_only_where_there_are_peers_elsewhere() -> None:
    assert of()["services"]["worker"]["networks"] == ["chain", "inner"]
    found = of(eos={"peers": "p2p.example.org:9876"})
    assert found["services"]["worker"]["networks"] == ["chain", "inner", "peers"]
    assert found["networks"]["peers"] == {"name": "eos_peers", "driver": "overlay"}
    assert found["services"]["producer"]["networks"] == ["chain"]


def test_what_docker_would_put_a_variable_in_for_goes_through_as_it_stands() -> None:
    """`$` begins a variable to Docker, and `$$` is one that stands for itself."""
    found = of(producer={"labels": {"price": "5$ and ${more}"}})
    assert found["services"]["producer"]["labels"]["price"] == "5$$ and $${more}"


def test_some_counts_of_0_together() -> None:
    """Each alone, and those that lean on each other: nothing refers to what is not there, or is there for nobody."""
    leaning = ("producer", "snapshots", "worker", "collector", "influxdb", "grafana")
    for pair in [*((section,) for section in SECTIONS), *itertools.combinations(leaning, 2)]:
        found = parsed(rendered(with_counts(**dict.fromkeys(pair, 0)), target="swarm"))
        joined = {network for settings in found["services"].values() for network in settings["networks"]}
        assert joined == found["networks"].keys(), pair
        for kind in ("configs", "secrets"):
            used = {it["source"] for settings in found["services"].values() for it in settings.get(kind, ())}
            assert used == found.get(kind, {}).keys(), pair
        volumes = {
            mount.partition(":")[0]
            for settings in found["services"].values()
            for mount in settings.get("volumes", ())
            if isinstance(mount, str) and not mount.startswith("/")
        }
        assert volumes == found.get("volumes", {}).keys(), pair
        assert volumes.isdisjoint({"secrets", "signing", "genesis", "rotation"}), pair
