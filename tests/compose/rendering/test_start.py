"""The start script: under busybox, which has less than other shells, and with a real geth."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from compose.identities.ethereum.ensuring import ensure
from compose.options.ethereum.cluster import nodes
from compose.options.ethereum.models import Options
from compose.rendering.ethereum import geth
from tests.real.geth import geth as real_geth
from tests.real.servers import fetch, free_port, require, wait_for

SCRIPT = Path(geth.__file__).with_name("start.sh")
PROGRAMS = ["cat", "cp", "grep", "mkdir", "mktemp", "mv", "printf", "rm", "sed", "sh", "sha256sum", "sort"]
"""What of busybox stands in PATH: nothing else is there."""

ID = "a1" * 64
CONFIG = f"""\
[Node.P2P]
BootstrapNodes = [
  "enode://{ID}@boot-1:30301",
]
StaticNodes = ["enode://{ID}@sealer-2:30303", "enode://{ID}@sealer-3:30303", "enode://{ID}@client-1.lab:30304"]

[Ethstats]
URL = "sealer-1:hunter2@ws://ethstats:3000"
"""
GETH = """\
#!/bin/sh
case "$*" in
*" init "*) echo "init $*" >>"$DATA/calls"; exit "${INIT:-0}" ;;
*) for word in "$@"; do echo "$word"; done >"$DATA/flags" ;;
esac
"""


@dataclass
class Place:
    """What the script finds: its folders, and the programs in PATH."""

    root: Path
    shell: str

    def __post_init__(self) -> None:
        for name in ("bin", "data", "scratch", "keys/keystore"):
            (self.root / name).mkdir(parents=True)
        for program in PROGRAMS:
            (self.root / "bin" / program).symlink_to(self.shell)
        self.program("geth", GETH)
        self.hosts("")
        (self.root / "genesis.json").write_text("{}")
        (self.root / "keys/nodekey").write_text("hunter2-nodekey")
        (self.root / "keys/config.toml").write_text(CONFIG)
        (self.root / "keys/address").write_text("0xAbC\n")
        (self.root / "keys/keystore/UTC--key").write_text("sealed")

    def program(self, name: str, text: str) -> None:
        """Put a program into PATH."""
        place = self.root / "bin" / name
        place.write_text(text)
        place.chmod(0o755)

    def hosts(self, lines: str) -> None:
        """Say which names have addresses: lines as getent prints them."""
        (self.root / "hosts").write_text(lines)
        self.program("getent", f'#!/bin/sh\ngrep " $2\\$" {shlex.quote(str(self.root / "hosts"))}\n')

    @property
    def argv(self) -> list[str]:
        """The script in busybox's shell."""
        return [self.shell, "sh", str(SCRIPT)]

    def env(self, **more: str) -> dict[str, str]:
        """Return the script's whole environment."""
        paths = {"KEYS": "keys", "GENESIS": "genesis.json", "DATA": "data", "SCRATCH": "scratch", "PATH": "bin"}
        return {**{name: str(self.root / path) for name, path in paths.items()}, **more}

    def start(self, *flags: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end."""
        return subprocess.run(
            [*self.argv, *flags], env=self.env(**more), capture_output=True, text=True, timeout=20, check=False
        )

    @property
    def flags(self) -> list[str]:
        """What geth was started with."""
        return (self.root / "data/flags").read_text().splitlines()

    @property
    def inits(self) -> list[str]:
        """The chains that were begun: the arguments of each `geth init`."""
        calls = self.root / "data/calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def config(self) -> str:
        """The configuration of geth as it was written."""
        return (self.root / "scratch/config.toml").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, require("busybox"))


@pytest.mark.real
def test_shellcheck_finds_nothing() -> None:
    done = subprocess.run([require("shellcheck"), str(SCRIPT)], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    assert done.returncode == 0


@pytest.mark.real
def test_the_chain_begins_once(place: Place) -> None:
    for _ in range(2):
        assert place.start("--datadir=/data").returncode == 0
    assert len(place.inits) == 1
    assert place.inits[0].endswith(f"init {place.root}/genesis.json")
    assert place.flags == ["--datadir=/data"]


@pytest.mark.real
def test_a_beginning_that_failed_is_tried_again(place: Place) -> None:
    done = place.start(INIT="3")
    assert done.returncode == 1
    assert "could not begin a chain" in done.stderr
    assert place.start().returncode == 0
    assert len(place.inits) == 2


@pytest.mark.real
def test_another_genesis_is_refused(place: Place) -> None:
    assert place.start().returncode == 0
    (place.root / "genesis.json").write_text('{"config": {}}')
    (place.root / "data/flags").unlink()
    done = place.start()
    assert done.returncode == 1
    assert "began with another genesis" in done.stderr
    assert not (place.root / "data/flags").exists()


@pytest.mark.real
def test_without_a_genesis_there_is_no_beginning(place: Place) -> None:
    """On a public network geth knows the first block by itself."""
    (place.root / "genesis.json").unlink()
    assert place.start().returncode == 0
    assert place.inits == []


@pytest.mark.real
def test_the_beginning_hears_how_the_database_is_kept(place: Place) -> None:
    place.start("--mine", "--state.scheme=path", "--identity=of the lab", "--db.engine=leveldb")
    assert f"--datadir {place.root}/data --state.scheme=path --db.engine=leveldb init" in place.inits[0]
    assert place.flags == ["--mine", "--state.scheme=path", "--identity=of the lab", "--db.engine=leveldb"]


@pytest.mark.real
def test_names_become_addresses(place: Place) -> None:
    place.hosts("172.18.0.2 boot-1\n172.18.0.3      sealer-2\nfd00::4 client-1.lab\n")
    assert place.start().returncode == 0
    assert f'"enode://{ID}@172.18.0.2:30301"' in place.config
    assert f'StaticNodes = ["enode://{ID}@172.18.0.3:30303",  "enode://{ID}@[fd00::4]:30304"]' in place.config
    assert 'URL = "sealer-1:hunter2@ws://ethstats:3000"' in place.config


@pytest.mark.real
def test_who_has_no_address_is_left_out(place: Place) -> None:
    """The lists stay: without them geth would take the nodes of the public network."""
    assert place.start().returncode == 0
    assert "enode" not in place.config
    assert "BootstrapNodes = [\n]" in place.config
    assert "StaticNodes = [" in place.config


@pytest.mark.real
def test_the_address_of_the_account_is_put_in(place: Place) -> None:
    place.start("--unlock=ADDRESS", "--identity=a b", "--miner.etherbase=ADDRESS")
    assert place.flags == ["--unlock=0xAbC", "--identity=a b", "--miner.etherbase=0xAbC"]


@pytest.mark.real
def test_without_an_account_it_says_so(place: Place) -> None:
    (place.root / "keys/address").unlink()
    assert "no account" in place.start("--unlock=ADDRESS").stderr


@pytest.mark.real
@pytest.mark.parametrize("missing", ["nodekey", "config.toml"])
def test_without_keys_it_says_so(place: Place, missing: str) -> None:
    (place.root / "keys" / missing).unlink()
    done = place.start()
    assert done.returncode == 1
    assert "start the service setup" in done.stderr
    assert place.inits == []


@pytest.mark.real
def test_nobody_else_can_read_what_it_writes_and_it_says_no_secret(place: Place) -> None:
    done = place.start()
    assert "hunter2" not in done.stdout + done.stderr + "".join(place.flags)
    for path in ("scratch/config.toml", "data/keystore/UTC--key", "data/genesis.sha256"):
        assert (place.root / path).stat().st_mode & 0o077 == 0, path
    assert [path.name for path in (place.root / "scratch").iterdir()] == ["config.toml"]


@contextmanager
def running(place: Place, flags: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the script until the end of the block, and longer than that by no means."""
    with (place.root / "log").open("ab") as log:
        process = subprocess.Popen([*place.argv, *flags], env=place.env(), stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.real
def test_a_sealer_seals_stops_when_it_is_told_to_and_goes_on(tmp_path: Path) -> None:
    """The flags of the compose file, but for addresses and ports; the keys of the service setup."""
    options = Options.model_validate(
        {
            "geth": {"clique_period": 1},
            "sealer": {"count": 1, "args": f"--authrpc.port={free_port()}", "rpcapi": "eth,net"},
            "client": {"count": 0},
        }
    )
    place = Place(tmp_path / "place", require("busybox"))
    (place.root / "bin/geth").unlink()
    (place.root / "bin/geth").symlink_to(real_geth())
    keys = tmp_path / "cluster"
    ensure(options, keys, lambda _: None)
    shutil.rmtree(place.root / "keys")
    shutil.move(keys / "sealer-1", place.root / "keys")
    shutil.move(keys / "chain/genesis.json", place.root / "genesis.json")
    port = free_port()
    moved = {"0.0.0.0": "127.0.0.1", "=/keys/": f"={place.root}/keys/", "=/data": f"={place.root}/data"}
    moved |= {"=/tmp/": f"={place.root}/scratch/", "=8545": f"={port}", "=8546": f"={free_port()}"}
    moved |= {"=6060": f"={free_port()}", "--maxpeers=50": "--maxpeers=0"}  # the last: no p2p at all
    flags: list[str] = []
    for flag in geth.command(options, nodes(options)[0]):
        found = next((old for old in moved if old in flag), "")
        flags.append(flag.replace(found, moved.get(found, "")) if found else flag)

    def height() -> int:
        request = b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'
        answer = fetch(f"http://127.0.0.1:{port}", request, {"Content-Type": "application/json"}).json()
        return int(answer["result"], 16)

    def reaches(number: int) -> bool:
        try:
            return height() >= number
        except OSError:
            return False

    secrets = [(place.root / "keys" / name).read_text().strip() for name in ("nodekey", "password")]
    reached = 1
    for _ in range(2):
        with running(place, flags) as process:
            wait_for(lambda reached=reached: reaches(reached + 1), "the sealer seals")  # type: ignore[misc]
            reached = height()
            told = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
            assert told.startswith("geth\0"), "geth has the shell's place"
            assert not any(secret in told for secret in secrets)
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(20) == 0
    log = (place.root / "log").read_text()
    assert log.count("Successfully wrote genesis state") == 2, "once for each of its databases"
    assert log.count("Blockchain stopped") == 2
    assert not any(secret in log for secret in secrets)
