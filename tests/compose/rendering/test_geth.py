"""geth's flags are those of its version, and say what the options do."""

from __future__ import annotations

import re

import pytest

from compose.options.ethereum.cluster import nodes
from compose.options.ethereum.models import Options
from compose.options.values import GETH_VERSIONS
from compose.rendering.ethereum import geth
from tests.compose.rendering.options import options_of

NEW_FLAGS = {"http", "http.addr", "http.port", "http.api", "http.vhosts", "ws.addr", "ws.port", "ws.api"} | {
    "metrics.addr",
    "metrics.port",
    "allow-insecure-unlock",
}
OLD_FLAGS = {"rpc", "rpcaddr", "rpcport", "rpcapi", "rpcvhosts", "wsaddr", "wsport", "wsapi", "wsorigins"} | {
    "pprof",
    "pprofaddr",
    "pprofport",
}


def command(options: Options, name: str) -> list[str]:
    """Return the flags of a node."""
    [node] = [node for node in nodes(options) if node.name == name]
    return geth.command(options, node)


def names(flags: list[str]) -> set[str]:
    """Return the flags less their values."""
    return {flag.removeprefix("--").partition("=")[0] for flag in flags}


@pytest.mark.parametrize("version", GETH_VERSIONS)
def test_each_version_has_the_names_that_it_knows(version: str) -> None:
    found = names(command(Options.model_validate({"geth": {"version": version}}), "sealer-1"))
    expected, other = (OLD_FLAGS, NEW_FLAGS) if version == "1.8.27" else (NEW_FLAGS, OLD_FLAGS)
    assert expected <= found
    assert not found & other


def test_metrics_of_1_8_are_switched_on_by_the_bare_flag() -> None:
    """`--metrics=true` would leave them off there."""
    assert "--metrics" in command(options_of("geth-1.8.27"), "client-1")


def test_no_secret_is_a_flag() -> None:
    for name in ("sealer-1", "client-1"):
        assert not names(command(options_of("everything"), name)) & {"ethstats", "nodekeyhex", "bootnodes"}


def test_a_node_without_modules_answers_nobody() -> None:
    found = names(command(options_of("without-rpc"), "sealer-1"))
    assert not [flag for flag in found if re.match("http|ws|rpc", flag)]
    assert "allow-insecure-unlock" not in found


def test_what_the_options_say_no_other_flag_says() -> None:
    flags = command(options_of("everything"), "sealer-1")
    assert [flag for flag in flags if flag.startswith("--cache")] == ["--cache=512"]
    assert flags[-3:] == ["--gcmode=archive", "--cache=512", "--identity=of the lab"]


@pytest.mark.parametrize("module", ["admin", "debug", "personal"])
def test_a_client_behind_the_load_balancer_gives_no_node_away(module: str) -> None:
    options = Options.model_validate({"client": {"rpcapi": f"eth,{module}"}})
    with pytest.raises(AssertionError):
        command(options, "client-1")


def test_only_sealers_with_an_account_on_a_chain_of_their_own_seal() -> None:
    assert "--mine" in command(options_of("default"), "sealer-1")
    assert "--mine" not in command(options_of("default"), "client-1")
    assert "--mine" not in command(Options.model_validate({"geth": {"create_genesis": False}}), "sealer-1")
    assert "--mine" not in command(Options.model_validate({"sealer": {"create_accounts": False}}), "sealer-1")


def test_caches_leave_room_in_what_the_container_may_use() -> None:
    small = Options.model_validate({"client": {"mem": 32}})
    assert "--cache=16" in command(small, "client-1")
    assert "--cache=256" in command(small, "sealer-1")


def test_peers_have_room_for_all_nodes() -> None:
    many = Options.model_validate({"sealer": {"count": 100}, "client": {"count": 20}})
    assert "--maxpeers=120" in command(many, "sealer-100")
