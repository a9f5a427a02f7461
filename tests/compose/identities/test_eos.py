"""What an EOSIO or Antelope network begins with: a key that signs its blocks, and a genesis that names it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compose.eos_keys import is_private_key, new_private_key, public_key_of
from compose.identities import Unusable, join_files
from compose.identities.eos.ensuring import ensure, needs_new_genesis, planned
from compose.identities.eos.genesis import CONFIGURATION, build, text_of
from compose.identities.passphrases import SECRETS
from compose.options.eos.models import Options
from compose.simulated.standin import genesis as standin
from tests.compose.identities.checking import contents
from tests.compose.identities.test_faults import Killed, after

MADE = [f"secrets/{name}" for name in SECRETS] + [
    "producer/signing-key",
    "producer/public-key",
    "producer/signing.ini",
    "chain/genesis.json",
]
KEY = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
PUBLIC = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
ELSEWHERE = text_of(
    build(public_key_of("5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf"), datetime(2018, 6, 8, tzinfo=UTC))
)


def options(**sections: dict[str, Any]) -> Options:
    """Return options of a network of its own."""
    return Options.model_validate(sections)


def joining(tmp_path: Path, genesis: str = ELSEWHERE, **producer: object) -> Options:
    """Return options that join a network elsewhere, whose genesis lies beside the directory."""
    (tmp_path / "elsewhere.json").write_text(genesis)
    eos = {"create_genesis": False, "genesis": str(tmp_path / "elsewhere.json"), "peers": ["a.example:9876"]}
    return options(eos=eos, producer={"count": 0, **producer})


def said(wanted: Options, keys: Path, *, new_genesis: bool = False) -> list[str]:
    """Make what is missing and return what is said."""
    lines: list[str] = []
    ensure(wanted, keys, lines.append, new_genesis=new_genesis)
    return lines


def check_complete(keys: Path) -> dict[str, Any]:
    """Check that everything is there, fits together, and is its owner's alone. Returns the genesis."""
    for path in [keys, *keys.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        assert path.name != ".part"
    for name in SECRETS:
        assert len((keys / "secrets" / name).read_text().strip()) >= 32
    key = (keys / "producer/signing-key").read_text().strip()
    assert is_private_key(key)
    public = public_key_of(key)
    assert (keys / "producer/public-key").read_text() == f"{public}\n"
    assert (keys / "producer/signing.ini").read_text() == f"signature-provider = {public}=KEY:{key}\n"
    found: dict[str, Any] = json.loads((keys / "chain/genesis.json").read_text())
    assert found["initial_key"] == public
    return found


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Return the path of a directory to make."""
    return tmp_path / "keys"


def test_everything_is_made_and_told_once(keys: Path) -> None:
    assert planned(options(), keys) == MADE
    assert not keys.exists()
    lines = said(options(), keys)
    found = check_complete(keys)
    assert [line.split(":")[0] for line in lines] == [f"made {what}" for what in MADE]
    assert not any(secret in line for line in lines for secret in secrets(keys))
    before = contents(keys)
    assert said(options(), keys) == planned(options(), keys) == []
    assert contents(keys) == before
    assert needs_new_genesis(options(), keys) == []
    assert found["initial_configuration"] == CONFIGURATION


def secrets(keys: Path) -> list[str]:
    """Return all that nobody is to see."""
    return [path.read_text().strip() for path in (keys / "secrets").iterdir()] + [
        (keys / "producer/signing-key").read_text().strip()
    ]


def test_the_chain_begins_now_and_for_ever(keys: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    said(options(), keys)
    text = check_complete(keys)["initial_timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000", text)
    assert before <= datetime.fromisoformat(text).replace(tzinfo=UTC) <= before + timedelta(seconds=30)


def test_times_are_those_of_utc() -> None:
    there = datetime.fromisoformat("2026-01-02T03:04:05.678+02:00")
    assert build(PUBLIC, there)["initial_timestamp"] == "2026-01-02T01:04:05.000"


def test_a_node_takes_the_genesis(keys: Path) -> None:
    said(options(), keys)
    found = standin.read(keys / "chain/genesis.json")
    assert re.fullmatch(r"[0-9a-f]{64}", found.chain_id)
    assert {name: default for name, (_, default) in standin.LIMITS.items()} == CONFIGURATION


def test_a_key_of_ones_own_is_taken(keys: Path) -> None:
    lines = said(options(producer={"signature_key": KEY}), keys)
    assert f"made producer/signing-key: {PUBLIC}, imported" in lines
    assert check_complete(keys)["initial_key"] == PUBLIC
    assert said(options(), keys) == []  # as `setup` does, whose options have no secrets
    assert check_complete(keys)["initial_key"] == PUBLIC


def test_another_key_needs_another_genesis(keys: Path) -> None:
    said(options(), keys)
    before = contents(keys)
    began = check_complete(keys)["initial_key"]
    wanted = options(producer={"signature_key": KEY})
    assert needs_new_genesis(wanted, keys) == [f"producer.signature_key: {began} -> {PUBLIC}"]
    assert said(wanted, keys) == [
        f"chain/genesis.json holds, though the options differ: producer.signature_key: {began} -> {PUBLIC}"
    ]
    assert contents(keys) == before
    said(wanted, keys, new_genesis=True)
    now = contents(keys)
    assert check_complete(keys)["initial_key"] == PUBLIC
    assert before["chain/genesis.json"] in [
        now[path] for path in now if re.match("chain/genesis-[0-9a-f]{12}.json", path)
    ]
    assert before["producer/signing-key"] in [now[path] for path in now if path.startswith("producer/signing-key-")]
    assert said(wanted, keys, new_genesis=True) == []
    assert contents(keys) == now


def test_a_lost_key_is_not_made_anew_behind_ones_back(keys: Path) -> None:
    said(options(), keys)
    began = check_complete(keys)["initial_key"]
    (keys / "producer/signing-key").unlink()
    (reason,) = needs_new_genesis(options(), keys)
    assert reason == f"producer.signature_key: {began} -> a new one, since producer/signing-key is missing"
    with pytest.raises(Unusable, match=f"producer/signing-key: is missing, and {began} is the key by which the chain"):
        said(options(), keys)
    assert not (keys / "producer/signing-key").exists()
    said(options(), keys, new_genesis=True)
    assert check_complete(keys)["initial_key"] != began


def test_a_lost_key_that_the_options_have_is_put_back(keys: Path) -> None:
    wanted = options(producer={"signature_key": KEY})
    said(wanted, keys)
    before = contents(keys)
    (keys / "producer/signing-key").unlink()
    assert said(wanted, keys) == [f"made producer/signing-key: {PUBLIC}, imported"]
    assert contents(keys) == before


def test_what_follows_from_the_key_is_made_anew(keys: Path) -> None:
    said(options(), keys)
    before = contents(keys)
    (keys / "producer/signing.ini").write_text("signature-provider = x=KEY:y\n")
    (keys / "producer/public-key").unlink()
    assert said(options(), keys) == ["made producer/public-key", "made producer/signing.ini"]
    assert contents(keys) == before


def test_without_a_producer_a_chain_of_ones_own_has_a_key_all_the_same(keys: Path) -> None:
    said(options(producer={"count": 0}), keys)
    check_complete(keys)


def test_a_network_that_is_joined_brings_its_genesis(tmp_path: Path, keys: Path) -> None:
    wanted = joining(tmp_path)
    lines = said(wanted, keys)
    assert (keys / "chain/genesis.json").read_text() == ELSEWHERE
    assert not (keys / "producer").exists()
    assert lines[-1].startswith("made chain/genesis.json: begins 2018-06-08T00:00:00.000 with EOS")
    assert said(wanted, keys) == []
    again = joining(tmp_path, json.dumps(json.loads(ELSEWHERE)))  # the same in other words
    assert needs_new_genesis(again, keys) == said(again, keys) == []
    assert (keys / "chain/genesis.json").read_text() == ELSEWHERE


def test_another_network_is_another_genesis(tmp_path: Path, keys: Path) -> None:
    said(joining(tmp_path), keys)
    other = joining(tmp_path, ELSEWHERE.replace("2018", "2019"))
    assert needs_new_genesis(other, keys) == [f"eos.genesis: is another one than {keys}/chain/genesis.json"]
    said(other, keys)
    assert (keys / "chain/genesis.json").read_text() == ELSEWHERE
    said(other, keys, new_genesis=True)
    assert "2019" in (keys / "chain/genesis.json").read_text()
    assert ELSEWHERE in [path.read_text() for path in keys.glob("chain/genesis-*.json")]
    assert needs_new_genesis(options(), keys)[0].startswith("producer.signature_key: EOS")


def test_a_producer_on_a_network_that_is_joined_may_change_its_key(tmp_path: Path, keys: Path) -> None:
    wanted = joining(tmp_path, count=1, name="alice")
    (line,) = [line for line in said(wanted, keys) if "signing-key" in line]
    assert line.endswith(", which signs nothing until the network knows it as a key of alice")
    old = (keys / "producer/signing-key").read_text()
    said(joining(tmp_path, count=1, name="alice", signature_key=KEY), keys)
    assert (keys / "producer/signing.ini").read_text() == f"signature-provider = {PUBLIC}=KEY:{KEY}\n"
    assert [path.read_text() for path in keys.glob("producer/signing-key-*")] == [old]
    assert said(wanted, keys) == []


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("producer/signing-key", b"5Kgarbage", "is no private key; restore it"),
        ("producer/signing-key", b"\xff", "is no text"),
        ("chain/genesis.json", b"{", "is no JSON"),
        ("chain/genesis.json", b"[]", "is no genesis"),
        ("chain/genesis.json", b"[" * 100_000, "is no JSON"),
        ("chain/genesis.json", b'{"config": {"chainId": 18}}', "is no genesis of nodeos: initial_timestamp is missing"),
        ("chain/genesis.json", b'{"initial_timestamp": "2018-06-08T08:08:08.888"}', "initial_key is missing"),
        (
            "chain/genesis.json",
            b'{"initial_timestamp": "2018-06-08T08:08:08.888", "initial_key": "' + PUBLIC.encode() + b'", '
            b'"initial_configuration": 1}',
            "initial_configuration is none",
        ),
    ],
)
def test_what_is_spoilt_is_refused_named_and_left(keys: Path, path: str, content: bytes, message: str) -> None:
    (keys / path).parent.mkdir(parents=True)
    (keys / path).write_bytes(content)
    with pytest.raises(Unusable, match=message) as raised:
        said(options(), keys)
    assert str(raised.value).startswith(f"{keys / path}: ")
    assert "garbage" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert (keys / path).read_bytes() == content


@pytest.mark.parametrize("anew", [False, True])
def test_whenever_it_is_killed_the_next_run_finishes(tmp_path: Path, *, anew: bool) -> None:
    wanted = options(producer={"signature_key": KEY} if anew else {})
    for count in range(20):
        keys = tmp_path / str(count)
        if anew:
            said(options(producer={"signature_key": new_private_key()}), keys)
            old = contents(keys)
        over = False
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Path, "replace", after(count, Path.replace, Killed()))
            try:
                said(wanted, keys, new_genesis=anew)
                over = True
            except Killed:
                pass
        made = contents(keys)
        said(wanted, keys, new_genesis=anew)
        check_complete(keys)
        if anew:
            assert {old["chain/genesis.json"], old["producer/signing-key"]} <= set(contents(keys).values())
        else:
            kept = {path: text for path, text in made.items() if not path.endswith(".part")}
            assert kept.items() <= contents(keys).items()
        if over:
            assert count > 5
            return
    pytest.fail("it never came to an end")


def test_two_at_once_make_everything_once(tmp_path: Path, keys: Path) -> None:
    (tmp_path / "options.yaml").write_text("eos:\n")
    argv = [sys.executable, "-m", "compose.identities", "--options", str(tmp_path / "options.yaml")]
    argv += ["--directory", str(keys), f"--give=producer/signing.ini:{os.geteuid()}:{tmp_path}/given/signing.ini"]
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    lines = [line for out, _ in told for line in out.splitlines() if line.startswith("made ")]
    assert len(lines) == len(set(lines)) == len(MADE)
    check_complete(keys)
    given = tmp_path / "given/signing.ini"
    assert given.read_text() == (keys / "producer/signing.ini").read_text()
    assert given.stat().st_mode & 0o777 == 0o400


def test_nobody_outside_is_helped_to_join(keys: Path) -> None:
    assert join_files(options(), keys) == {}
