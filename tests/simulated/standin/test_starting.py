"""What nodeos takes and what it refuses, by its exit codes: 0, 2, 254 and 255."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.servers import free_port
from tests.simulated.standin.nodes import KEY, NODEOS, Node, until


@pytest.mark.parametrize(
    "arguments", [["--frobnicate"], ["--snapshot"], ["--p2p-listen-endpoint", "nowhere"], ["more"]]
)
def test_a_bad_option_is_254(node: Node, arguments: list[str]) -> None:
    assert node.ends(*arguments, genesis=False) == 254
    assert "error" in node.said()
    assert not list(node.data.iterdir())


@pytest.mark.parametrize(
    "line",
    [
        "frobnicate = 1",
        "snapshot = /x",  # for the command line alone
        "enable-stale-production",
        "http-server-address = 127.0.0.1:1",  # a second time
        "http-validate-host = perhaps",
        "p2p-max-nodes-per-host = many",
        "plugin = eosio::frobnicate_plugin",
        "resource-monitor-space-threshold = 100",
    ],
)
def test_a_bad_line_of_the_configuration_is_254(node: Node, line: str) -> None:
    node.configure(line)
    assert node.ends() == 254


def test_comments_and_repeated_keys_are_understood(node: Node) -> None:
    node.configure("# a comment", "", "p2p-peer-address = a:1 # one", "p2p-peer-address=b:2", "http-alias = x:1")
    node.start("--p2p-peer-address", "c:3").up()
    _, found = node.ask("/v1/net/connections")
    assert sorted(one["peer"] for one in found) == ["a:1", "b:2", "c:3"]


def test_the_command_line_goes_before_the_file(node: Node) -> None:
    other = free_port()
    node.start("--http-server-address", f"127.0.0.1:{other}")
    node.port = other
    node.up()


def test_a_configuration_that_is_named_and_not_there_is_255(node: Node) -> None:
    assert node.ends("--config", "absent.ini") == 255
    assert "Config file" in node.said()


def test_without_a_configuration_it_runs_on_its_defaults(node: Node) -> None:
    (node.config / "config.ini").unlink()
    node.start("--http-server-address", f"127.0.0.1:{node.port}", "--p2p-listen-endpoint", f"127.0.0.1:{node.p2p}")
    until(lambda: "Blockchain started" in node.said())
    assert node.stop() == 0


@pytest.mark.parametrize("option", ["--version", "--full-version", "--help"])
def test_what_only_informs_is_0(node: Node, option: str) -> None:
    assert node.ends(option) == 0
    assert node.said()


def test_a_genesis_that_is_not_there_or_broken_is_254(node: Node) -> None:
    node.genesis.write_text("{")
    assert node.ends() == 254
    node.genesis.unlink()
    assert node.ends() == 254


def test_without_genesis_and_state_it_begins_the_default_chain_of_2018(node: Node) -> None:
    node.start(genesis=False).up()
    info = node.info()
    assert info["head_block_num"] == 1
    assert info["head_block_time"] == "2018-06-01T12:00:00.000"


def test_a_genesis_of_another_chain_is_254(node: Node) -> None:
    node.grow(3)
    node.genesis.write_text('{"initial_timestamp": "2020-01-01T00:00:00.000"}')
    assert node.ends() == 254
    assert node.ends(genesis=False, STANDIN_CRASH="exit:7") == 7  # reached only with the options in order
    node.start(genesis=False).up()


@pytest.mark.parametrize("taken", ["port", "p2p"])
def test_an_address_in_use_is_0_and_leaves_the_database_clean(node: Node, taken: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", getattr(node, taken)))
        other.listen()
        assert node.ends() == 0
    assert "Address already in use" in node.said()
    assert not node.dirty()
    node.start().up()


def test_a_disk_that_is_too_full_is_0(node: Node) -> None:
    node.configure("resource-monitor-space-absolute-gb = 1000000")
    assert node.ends() == 0
    assert "Gracefully shutting down, exceeded file system configured threshold." in node.said()
    assert "nodeos successfully exiting" in node.said()
    assert not node.dirty()


def test_a_full_disk_can_be_told_not_to_matter(node: Node) -> None:
    node.configure(
        "resource-monitor-space-absolute-gb = 1000000", "resource-monitor-not-shutdown-on-threshold-exceeded = true"
    )
    node.start().up()
    assert "exceeded threshold" in node.said()


def test_a_block_that_cannot_be_written_is_0(node: Node) -> None:
    """A limit on the size of files plays the full disk: the log of blocks is the only one that comes near it."""
    node.grow(1000)
    node.configure("producer-name = eosio", "enable-stale-production = true")
    size = (node.data / "blocks" / "blocks.log").stat().st_size
    limit = ["prlimit", f"--fsize={size + 100}", str(NODEOS)]
    assert node.start(command=limit).wait() == 0
    assert "the disk is full" in node.said()
    node.start().up()
    assert node.head() >= 1001


@pytest.mark.slow
def test_a_disk_that_fills_up_leaves_the_database_clean(node: Node) -> None:
    """On a small disk of its own, filled to the last page when the log of blocks is about to need one more."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs mount namespaces")
    log = node.data / "blocks" / "blocks.log"
    count = 100
    node.grow(count)
    while log.stat().st_size % 4096 < 3900:
        count += 1
        node.grow(count)
    node.configure(
        "producer-name = eosio",
        "enable-stale-production = true",
        "resource-monitor-not-shutdown-on-threshold-exceeded = true",
    )
    script = """
        cp -r --sparse=always "$DATA" "$DATA.kept"
        mount -t tmpfs -o size=4m none "$DATA"
        cp -r --sparse=always "$DATA.kept"/. "$DATA"
        dd if=/dev/zero of="$DATA/filler" bs=4096 2>/dev/null
        "$@"; echo "first: $?"
        rm "$DATA/filler"
        "$@" & sleep 2; kill $!; wait $!; echo "second: $?"
    """
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(NODEOS)]
    assert node.start(command=command, DATA=str(node.data)).wait() == 0
    assert "the disk is full" in node.said()
    assert "first: 0" in node.said()
    assert "second: 0" in node.said()


def test_a_database_smaller_than_what_is_to_stay_free_is_0(node: Node) -> None:
    node.configure("chain-state-db-size-mb = 100")
    assert node.ends() == 0
    assert "unsafe level of usage" in node.said()


@pytest.mark.parametrize(("how", "code"), [("segv", -11), ("abort", -6), ("exit:3", 3)])
def test_a_crash_is_played_before_anything_is_touched(node: Node, how: str, code: int) -> None:
    assert node.ends(STANDIN_CRASH=how) == code
    assert not list(node.data.iterdir())
    (node.data / "STANDIN_CRASH").write_text(how + "\n")
    assert node.ends() == code
    assert node.ends() == code
    (node.data / "STANDIN_CRASH").unlink()
    node.start().up()


def test_a_fault_that_is_misspelt_is_told(node: Node) -> None:
    assert node.ends(STANDIN_CRASH="sometimes") == 254
    assert node.ends(STANDIN_SYNC_RATE="fast") == 254


def test_the_key_of_the_genesis_is_needed_to_produce(make: Callable[..., Node]) -> None:
    other = "EOS5Jxn51YwuZqDCNCgbzxYdWehDXkfwNKfcT4q3vRXpNNdrDXGAf"
    node = make(genesis={"initial_timestamp": "2026-01-01T00:00:00.000", "initial_key": other})
    node.configure("producer-name = eosio", "enable-stale-production = true")
    node.start().up()
    assert "don't have the private key" in node.said()
    assert node.stands_still()
    node.stop()
    secret = "5KsecretsecretsecretSecretsecret"
    node.configure(
        "producer-name = eosio",
        "enable-stale-production = true",
        f"signature-provider = {KEY}=KEY:{secret}",
        f"signature-provider = {other}=KEY:{secret}",
        f"signature-provider = nonsense={secret}",
    )
    node.start().up()
    node.reaches(3)
    assert "Malformed signature provider" in node.said()
    assert secret not in node.said()


def test_it_runs_as_a_module_of_the_package(node: Node) -> None:
    node.start(command=[sys.executable, "-m", "compose.simulated.standin"]).up()
    assert node.stop() == 0


def test_the_script_takes_the_python_that_is_named(node: Node) -> None:
    assert node.ends(STANDIN_PYTHON="/absent/python3") == 127


def runs(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_it_needs_nothing_but_python(node: Node, version: str) -> None:
    """Without site-packages, in each version that is installed, at home or by pyenv."""
    candidates = [*(Path.home() / ".pyenv/versions").glob(f"{version}.*/bin/python3"), f"python{version}"]
    python = next((str(one) for one in candidates if runs(str(one))), None)
    if python is None:
        pytest.skip(f"there is no Python {version}")
    node.produces().start(STANDIN_PYTHON=python, PYTHONNOUSERSITE="1", PYTHONWARNINGS="error").up()
    node.reaches(2)
    assert node.ask("/v1/producer/create_snapshot")[0] == 201
    assert node.stop() == 0
    assert "Error" not in node.said()
