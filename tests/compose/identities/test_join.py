"""The bundle for a node that somebody else adds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from compose.identities.ethereum.join import CONFIG, GENESIS, README, SECRET, STATIC_NODES, join_bundle
from compose.identities.ethereum.reading import Identities, read
from compose.options.ethereum.models import Options
from tests.compose.identities.checking import options, quietly


def bundle(tmp_path: Path, wanted: Options) -> tuple[Identities, dict[str, str], dict[str, Any]]:
    """Return identities, the bundle's files, and its configuration."""
    identities = quietly(wanted, tmp_path)
    files = join_bundle(wanted, identities)
    return identities, files, tomllib.loads(files[CONFIG])


def test_without_an_address_nodes_are_reached_on_this_machine_only_and_that_is_said(tmp_path: Path) -> None:
    identities, files, config = bundle(tmp_path, options())
    assert "can be reached from this machine only" in files[README]
    assert "`geth.advertise`" in files[README]
    assert config["Node"]["P2P"]["BootstrapNodes"] == [f"enode://{identities.nodes['boot-1'].node_id}@boot-1:30301"]
    assert config["Node"]["P2P"]["StaticNodes"] == [
        f"enode://{identities.nodes[name].node_id}@{name}:30303" for name in ("sealer-1", "client-1")
    ]


@pytest.mark.parametrize(("address", "host"), [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "[2001:db8::7]")])
def test_with_an_address_nodes_are_reached_at_its_ports(tmp_path: Path, address: str, host: str) -> None:
    wanted = options(geth={"advertise": address}, publish={"p2p": 40_000, "boot_p2p": 40_100})
    identities, files, config = bundle(tmp_path, wanted)
    assert "this machine only" not in files[README]
    assert address in files[README]
    assert config["Node"]["P2P"]["BootstrapNodes"] == [f"enode://{identities.nodes['boot-1'].node_id}@{host}:40100"]
    static = [
        f"enode://{identities.nodes['sealer-1'].node_id}@{host}:40000",
        f"enode://{identities.nodes['client-1'].node_id}@{host}:40001",
    ]
    assert config["Node"]["P2P"]["StaticNodes"] == static
    assert json.loads(files[STATIC_NODES]) == static


def test_a_boot_node_that_is_not_published_is_not_named(tmp_path: Path) -> None:
    _, _, config = bundle(tmp_path, options(geth={"advertise": "192.0.2.7"}, publish={"boot_p2p": 0}))
    assert config["Node"]["P2P"]["BootstrapNodes"] == []


def test_the_genesis_is_the_clusters(tmp_path: Path) -> None:
    identities, files, _ = bundle(tmp_path, options())
    assert json.loads(files[GENESIS]) == identities.genesis


def test_the_secret_is_in_the_files_that_are_named_secret_alone(tmp_path: Path) -> None:
    identities, files, config = bundle(tmp_path, options())
    secret = identities.secret("ethstats")
    assert {name for name, text in files.items() if secret in text} == SECRET
    assert config["Ethstats"]["URL"] == f"added-1:{secret}@ws://ethstats:3000"


@pytest.mark.parametrize(
    ("sections", "url"),
    [
        ({"publish": {"address": "0.0.0.0"}}, "ws://192.0.2.7:8502"),
        ({"publish": {"address": "192.0.2.8", "ethstats": 99}}, "ws://192.0.2.8:99"),
        ({"publish": {"address": "2001:db8::7"}}, "ws://[2001:db8::7]:8502"),
        ({"publish": {"address": "127.0.0.1"}}, None),
        ({"publish": {"address": "192.0.2.8", "ethstats": 0}}, None),
        ({"publish": {"address": "192.0.2.8"}, "traefik": {"count": 0}}, None),
        ({"ethstats": {"count": 0}}, None),
        ({"collector": {"count": 0}}, None),
    ],
)
def test_the_stats_page_is_named_where_it_can_be_reached(
    tmp_path: Path, sections: dict[str, Any], url: str | None
) -> None:
    identities, files, config = bundle(tmp_path, options(geth={"advertise": "192.0.2.7"}, **sections))
    if url is None:
        assert "Ethstats" not in config
        assert identities.secret("ethstats") not in "".join(files.values())
    else:
        assert config["Ethstats"]["URL"].partition("@")[2] == url
        assert url in files[README]


def test_a_public_chain_has_no_genesis_to_begin_with(tmp_path: Path) -> None:
    _, files, config = bundle(tmp_path, options(geth={"create_genesis": False}))
    assert GENESIS not in files
    assert "init" not in files[README]
    assert "BootstrapNodes" not in config["Node"]["P2P"]


def test_before_there_are_keys_the_bundle_names_nobody(tmp_path: Path) -> None:
    files = join_bundle(options(), read(tmp_path / "nowhere"))
    assert json.loads(files[STATIC_NODES]) == []


def test_lines_of_the_document_are_not_too_long(tmp_path: Path) -> None:
    for wanted in (
        options(),
        options(geth={"version": "1.8.27"}),
        options(geth={"advertise": "192.0.2.7"}),
        options(geth={"advertise": "2001:db8:1234:5678:9abc:def0:1234:5678"}, publish={"address": "::"}),
        options(ethstats={"count": 0}),
    ):
        files = join_bundle(wanted, quietly(wanted, tmp_path))
        assert max(map(len, files[README].splitlines())) <= 110
        assert files[README].endswith("\n")
