"""What holds for every compose file of an EOSIO or Antelope network, whatever the options are."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from compose.nodeos.settings import read as read_environment
from compose.options.eos.models import Options
from compose.rendering import rendered
from compose.rendering.eos.handing_out import NODE_USER
from tests.compose.rendering.composing import BESIDE, PUBLISHING, compose_file, services
from tests.compose.rendering.options import EOS_CASES, eos_options_of, files_of, target_of

NAMES = [case.name for case in EOS_CASES if target_of(case.name) == "compose"]
NODE = re.compile(r"producer|snapshots|worker-\d+")
SECTIONS = ["producer", "worker", "snapshots", *BESIDE]


def with_counts(**counts: int) -> Options:
    """Return the default options with other counts, and no more than one worker."""
    few = {"worker": 1, **counts}
    return Options.model_validate({section: {"count": count} for section, count in few.items()})


def services_of(options: Options) -> dict[str, Any]:
    """Return the services that options make."""
    found: dict[str, Any] = yaml.safe_load(rendered(options)["compose.yaml"])["services"]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_nodes_can_write_to_their_volumes_alone_and_have_time_to_close_their_databases(name: str) -> None:
    for service, settings in services(name):
        if NODE.fullmatch(service):
            assert settings["read_only"] is True
            assert settings["tmpfs"] == ["/tmp"]
            assert settings["stop_grace_period"] == "5m"
            assert {"cap_add", "user", "privileged"}.isdisjoint(settings), "it is the image's own user"
            assert [mount for mount in settings["volumes"] if not mount.endswith(":ro")] == [f"{service}:/data"]


@pytest.mark.parametrize("name", NAMES)
def test_the_entrypoint_understands_what_it_is_told(name: str) -> None:
    options = eos_options_of(name)
    slots = []
    for service, settings in services(name):
        if not NODE.fullmatch(service):
            continue
        told = read_environment(settings["environment"])
        assert told.node == service
        assert told.role == service.partition("-")[0]
        assert told.stop_within == 280
        assert told.genesis.parent.as_posix() == "/run/genesis"
        assert bool(told.secret_config) == (service == "producer")
        assert told.snapshots_from == (
            "http://snapshots:8889" if service != "snapshots" and options.snapshots.count else ""
        )
        if service == "snapshots":
            assert (told.snapshot_every, told.snapshot_keep) == (options.snapshots.every, options.snapshots.keep)
        if told.role == "worker":
            slots.append(told.slot)
            assert told.workers == options.worker.count == len(told.siblings)
            assert told.outside_peers == options.eos.peers
        else:
            assert told.outside_peers == ()
    assert slots == list(range(1, options.worker.count + 1))


@pytest.mark.parametrize("name", NAMES)
def test_the_producer_is_in_the_chains_network_alone_and_published_nowhere(name: str) -> None:
    networks = compose_file(name)["networks"]
    assert networks["chain"] == {"internal": True}
    assert networks.get("inner", {"internal": True}) == {"internal": True}
    for service, settings in services(name):
        joined = set(settings.get("networks", []))
        if service in ("producer", "snapshots"):
            assert joined == {"chain"}
            assert "ports" not in settings
        elif NODE.fullmatch(service):
            assert joined - {"peers"} == {"chain", "inner"}
            assert ("peers" in joined) == bool(eos_options_of(name).eos.peers)
            assert "ports" not in settings
        elif service not in ("collector", "rotation", "prometheus"):
            assert "chain" not in joined, service


@pytest.mark.parametrize("name", NAMES)
def test_what_is_published_is_published_at_the_address_that_was_given(name: str) -> None:
    for service, settings in services(name):
        for port in settings.get("ports", []):
            assert service in PUBLISHING
            assert port.startswith(("127.0.0.1:", "[::1]:")), service


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_in_any_file(name: str) -> None:
    for path, text in files_of(name).items():
        assert "5KQwrPbwdL6" not in text, path
        assert re.findall(r"\b5[HJK][1-9A-HJ-NP-Za-km-z]{49}\b", text) == [], path
        assert re.findall(r"[0-9a-fA-F]{32,}", text) == [], path


@pytest.mark.parametrize("name", NAMES)
def test_the_key_goes_to_the_producer_alone(name: str) -> None:
    """Not even in a volume that another service of the same user has."""
    for service, settings in services(name):
        mounts = [mount.partition(":")[0] for mount in settings.get("volumes", [])]
        assert ("signing" in mounts) == (service in ("producer", "setup") and "producer" in dict(services(name)))
        assert ("./keys" in mounts) == (service == "setup")


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_service_reads_setup_has_handed_out_to_it(name: str) -> None:
    there = dict(services(name))
    given = [word for word in there["setup"]["command"] if word.startswith("--give=")]
    targets = {word.rpartition(":")[2] for word in given}
    read = {
        value
        for _, settings in services(name)
        for value in settings.get("environment", {}).values()
        if value.startswith(("/run/genesis/", "/run/signing/", "/run/chainwatch/"))
    }
    read |= set(
        re.findall(
            r"/run/chainwatch/[a-z0-9-]+", "".join(text for path, text in files_of(name).items() if "config/" in path)
        )
    )
    assert targets == read
    for word in given:
        if "/run/genesis/" in word or "/run/signing/" in word:
            assert f":{NODE_USER}:" in word


def test_they_start_in_order() -> None:
    waits = {service: set(settings.get("depends_on", {})) for service, settings in services("eos-default")}
    assert waits["setup"] == set()
    assert waits["producer"] == waits["collector"] == {"setup"}
    assert waits["snapshots"] == {"setup", "producer"}
    assert waits["worker-8"] == {"setup", "snapshots"}
    assert waits["traefik"] == {"rotation", *(f"worker-{slot}" for slot in range(1, 9))}


@pytest.mark.parametrize("name", NAMES)
def test_every_container_bears_the_labels_of_what_it_is(name: str) -> None:
    for service, settings in services(name):
        labels = settings["labels"]
        assert labels["chainwatch.chain"] == eos_options_of(name).service.name
        assert labels["chainwatch.role"] == ("worker" if service.startswith("worker-") else service)
        assert labels.get("chainwatch.node") == (service if NODE.fullmatch(service) else None)


def test_the_node_image_is_built_of_the_checkout_for_the_release_unless_it_is_named() -> None:
    built = yaml.safe_load(rendered(Options(), source="../..")["compose.yaml"])["services"]["producer"]["build"]
    assert built == {"context": "../../compose/nodeos", "args": {"DISTRIBUTION": "spring", "VERSION": "1.2.2"}}
    named = Options.model_validate({"images": {"nodeos": "ours/nodeos:7"}})
    assert "build" not in yaml.safe_load(rendered(named, source="../..")["compose.yaml"])["services"]["producer"]
    assert "build" not in services_of(Options())["producer"]


def test_a_node_is_started_anew_when_its_configuration_changes_and_no_other_is() -> None:
    def checksums(**sections: object) -> dict[str, str | None]:
        found = services_of(Options.model_validate(sections))
        return {name: settings["labels"].get("chainwatch.configuration") for name, settings in found.items()}

    before = checksums()
    after = checksums(snapshots={"config": {"http-threads": 3}})
    assert {name for name in before if before[name] != after[name]} == {"snapshots"}
    after = checksums(worker={"config": {"http-threads": 3}})
    assert {name for name in before if before[name] != after[name]} == {f"worker-{slot}" for slot in range(1, 9)}
    assert all(before[name] for name in ("producer", "collector", "traefik", "prometheus", "grafana", "alertmanager"))


def test_the_firewall_script_is_there_for_machines_that_have_to_close_ports_themselves() -> None:
    for name in NAMES:
        assert files_of(name)["firewall.sh"].startswith("#!/bin/sh\n")
