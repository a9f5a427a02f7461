"""The config.ini of each role."""

from __future__ import annotations

from pathlib import Path

import pytest

from compose.options.eos.models import Options
from compose.rendering.eos.nodeos import configuration
from tests.compose.rendering.options import EOS_CASES, eos_options_of

ROLES = ("producer", "snapshots", "worker")


def lines(text: str) -> dict[str, list[str]]:
    """Return the values of a config.ini by name, read as nodeos does."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, equals, value = line.partition(" = ")
            assert equals, line
            found.setdefault(name, []).append(value)
    return found


def of(role: str, **sections: object) -> dict[str, list[str]]:
    """Return the lines of a role, with options that differ from the defaults."""
    return lines(configuration(Options.model_validate(sections), role))


@pytest.mark.parametrize("role", ROLES)
def test_every_node_listens_where_the_others_look_for_it(role: str) -> None:
    found = of(role)
    assert found["http-server-address"] == ["0.0.0.0:8888"]
    assert found["p2p-listen-endpoint"] == ["0.0.0.0:9876"]
    assert found["http-validate-host"] == ["false"]


def test_the_producer_alone_produces_and_listens_to_nobody_it_did_not_deploy() -> None:
    assert of("producer")["producer-name"] == ["eosio"]
    assert of("producer", producer={"name": "alice"})["producer-name"] == ["alice"]
    assert "p2p-peer-address" not in of("producer")
    for role in ("snapshots", "worker"):
        assert "producer-name" not in of(role)
        assert "eosio::producer_plugin" not in of(role)["plugin"]
        assert "enable-stale-production" not in of(role)


def test_only_on_a_chain_of_ones_own_are_blocks_made_of_an_old_head() -> None:
    """On another network a producer that has been away would make a fork."""
    assert of("producer")["enable-stale-production"] == ["true"]
    joined = Options.model_validate({"eos": {"create_genesis": False, "peers": "p2p.example.org:9876"}})
    assert "enable-stale-production" not in lines(configuration(joined, "producer"))


def test_snapshots_can_be_asked_for_where_they_are_taken_and_nowhere_in_the_reach_of_users() -> None:
    assert "eosio::producer_api_plugin" in of("snapshots")["plugin"]
    assert "eosio::producer_api_plugin" not in of("worker")["plugin"]


@pytest.mark.parametrize(
    ("version", "plugin", "own_page"),
    [
        ("leap-3.2.5", False, False),
        ("leap-4.0.6", True, True),
        ("leap-5.0.3", True, False),
        ("spring-1.0.4", True, False),
        ("spring-1.2.2", True, False),
    ],
)
def test_figures_for_prometheus_are_offered_as_the_release_has_them(version: str, plugin: bool, own_page: bool) -> None:
    """It ends with 254 over a plugin or a name that it doesn't know."""
    for role in ROLES:
        found = of(role, eos={"version": version})
        assert ("eosio::prometheus_plugin" in found["plugin"]) == plugin
        assert found.get("prometheus-exporter-address") == (["0.0.0.0:9101"] if own_page else None)


def test_nodes_have_for_peers_those_that_there_are() -> None:
    assert of("worker")["p2p-peer-address"] == ["producer:9876", "snapshots:9876"]
    assert of("snapshots")["p2p-peer-address"] == ["producer:9876"]
    assert of("worker", producer={"count": 0})["p2p-peer-address"] == ["snapshots:9876"]
    assert "p2p-peer-address" not in of("snapshots", producer={"count": 0})


def test_lines_of_the_options_take_the_place_of_those_before_and_plugins_add_up() -> None:
    found = of(
        "worker",
        eos={"config": {"max-clients": 50, "plugin": "eosio::trace_api_plugin", "http-threads": 3}},
        worker={"config": {"max-clients": 60, "plugin": ["eosio::chain_api_plugin", "eosio::state_history_plugin"]}},
    )
    assert found["max-clients"] == ["60"]
    assert found["http-threads"] == ["3"]
    assert found["plugin"][-2:] == ["eosio::trace_api_plugin", "eosio::state_history_plugin"]
    assert found["plugin"].count("eosio::chain_api_plugin") == 1


@pytest.mark.parametrize("case", EOS_CASES, ids=lambda case: case.name)
def test_no_secret_is_in_it(case: Path) -> None:
    """The key that blocks are signed with comes as a file of its own."""
    options = eos_options_of(case.name)
    for role in ROLES:
        found = configuration(options, role)
        assert "5KQwrPbwdL6" not in found
        assert "signature-provider" not in found
