"""Making identities: what is made, what is kept, what is said, and what can't be used."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from compose.identities import Unusable
from compose.identities.ethereum.accounts import encrypted
from compose.identities.ethereum.ensuring import ensure, needs_new_genesis, planned
from compose.identities.ethereum.genesis import signers_of
from compose.identities.ethereum.reading import read
from compose.options.ethereum.models import Options
from tests.compose.identities.checking import check_complete, contents, options, quietly, said

KEY, OTHER_KEY = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "0" * 63 + "1"
ADDRESS, OTHER_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
"""Keys whose addresses are known the world over."""


def sealers(count: int, *keys: str, **more: Any) -> Options:  # noqa: ANN401 - values of options
    """Return options with so many sealers, with these keys."""
    return options(sealer={"count": count, "account_privatekeys": ",".join(keys), **more})


def test_everything_is_made_and_told_in_a_line_each(tmp_path: Path) -> None:
    keys = tmp_path / "cluster" / "keys"
    wanted = options()
    foretold = planned(wanted, keys)
    assert not keys.exists()
    lines = said(wanted, keys)
    assert [line.partition(": 0x")[0].partition(": chain")[0] for line in lines] == [f"made {it}" for it in foretold]
    found = check_complete(wanted, keys)
    assert f"made sealer-1: account: {found.nodes['sealer-1'].address}" in lines


def test_a_second_run_makes_nothing(tmp_path: Path) -> None:
    wanted = options()
    quietly(wanted, tmp_path)
    before = contents(tmp_path)
    assert planned(wanted, tmp_path) == []
    assert said(wanted, tmp_path) == []
    assert contents(tmp_path) == before


def test_nothing_that_is_said_or_shown_is_secret(tmp_path: Path) -> None:
    wanted = sealers(1, KEY, account_secret="pass phrase of mine")
    lines = "\n".join([*planned(wanted, tmp_path), *said(wanted, tmp_path), repr(read(tmp_path))])
    secrets = [it.read_text().strip() for it in (tmp_path / "secrets").iterdir()]
    secrets += [(tmp_path / name / "nodekey").read_text() for name in ("boot-1", "sealer-1", "client-1")]
    secrets += [(tmp_path / name / "password").read_text().strip() for name in ("sealer-1", "client-1")]
    assert not [secret for secret in [*secrets, KEY] if secret in lines]


def test_a_private_key_is_in_no_file(tmp_path: Path) -> None:
    quietly(sealers(1, KEY), tmp_path)
    for path, content in contents(tmp_path).items():
        assert KEY.encode() not in content.lower(), path
        assert bytes.fromhex(KEY) not in content, path


def test_private_keys_are_given_out_in_turn_and_shared_ones_are_one_signer(tmp_path: Path) -> None:
    wanted = sealers(3, KEY, OTHER_KEY)
    found = quietly(wanted, tmp_path)
    assert [found.nodes[f"sealer-{i}"].address for i in (1, 2, 3)] == [ADDRESS, OTHER_ADDRESS, ADDRESS]
    assert found.genesis is not None
    assert signers_of(found.genesis) == [OTHER_ADDRESS, ADDRESS]
    check_complete(wanted, tmp_path)


def test_without_accounts_there_are_none(tmp_path: Path) -> None:
    wanted = options(client={"count": 1, "create_accounts": False})
    found = quietly(wanted, tmp_path)
    assert found.nodes["client-1"].address is None
    assert sorted(it.name for it in (tmp_path / "client-1").iterdir()) == ["config.toml", "id", "nodekey"]
    check_complete(wanted, tmp_path)


def test_sealers_without_accounts_leave_a_chain_without_signers_and_that_is_said(tmp_path: Path) -> None:
    lines = said(options(sealer={"count": 1, "create_accounts": False}), tmp_path)
    assert "chain/genesis.json names no signer: nobody can ever seal a block of this chain" in lines
    assert "sealer-1 has no account: it can't seal" in lines


def test_the_passphrase_of_the_options_is_taken(tmp_path: Path) -> None:
    wanted = sealers(1, KEY, account_secret="pass phrase of mine")
    quietly(wanted, tmp_path)
    assert (tmp_path / "sealer-1" / "password").read_text() == "pass phrase of mine\n"
    check_complete(wanted, tmp_path)


def test_an_account_that_is_there_is_kept(tmp_path: Path) -> None:
    quietly(sealers(1, KEY), tmp_path)
    before = contents(tmp_path)
    lines = said(sealers(1, OTHER_KEY, account_secret="another one"), tmp_path)
    assert lines == [
        f"sealer-1 keeps its account {ADDRESS}: the private key of the options is another one's",
        "sealer-1 keeps the passphrase of its account: the account_secret of the options is another one",
    ]
    assert contents(tmp_path) == before


def test_the_secret_of_the_options_takes_the_place_of_one_that_was_made(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    wanted = options(ethstats={"websocket_secret": "of-my-own-and-quite-a-long-one-too"})
    assert set(said(wanted, tmp_path)) == {
        "made secrets/ethstats",
        "made sealer-1: config.toml",
        "made client-1: config.toml",
    }
    assert quietly(options(), tmp_path).secret("ethstats") == "of-my-own-and-quite-a-long-one-too"
    check_complete(options(), tmp_path)


@pytest.mark.parametrize("character", [" ", ":", "@", "\n", "\t", "\x00", '"', "\\", "ü"])
def test_a_secret_that_geth_can_not_be_given_is_refused(tmp_path: Path, character: str) -> None:
    quietly(options(), tmp_path)
    (tmp_path / "secrets" / "ethstats").write_text(f"ge{character}heim")
    with pytest.raises(Unusable, match="secrets/ethstats: holds what geth can't be given") as raised:
        quietly(options(), tmp_path)
    assert "heim" not in str(raised.value)


@pytest.mark.parametrize("section", ["ethstats", "collector"])
def test_without_a_stats_page_no_node_pushes(tmp_path: Path, section: str) -> None:
    quietly(options(**{section: {"count": 0}}), tmp_path)
    assert "Ethstats" not in (tmp_path / "sealer-1" / "config.toml").read_text()


def test_without_a_boot_node_geth_asks_nobody_elsewhere(tmp_path: Path) -> None:
    quietly(options(boot={"count": 0}), tmp_path)
    p2p = tomllib.loads((tmp_path / "sealer-1" / "config.toml").read_text())["Node"]["P2P"]
    assert p2p["BootstrapNodes"] == p2p["BootstrapNodesV5"] == []


def test_on_a_public_chain_there_is_no_genesis_and_geth_has_bootstrap_nodes_of_its_own(tmp_path: Path) -> None:
    quietly(options(geth={"create_genesis": False}), tmp_path)
    assert not (tmp_path / "chain/genesis.json").exists()
    p2p = tomllib.loads((tmp_path / "sealer-1" / "config.toml").read_text())["Node"]["P2P"]
    assert list(p2p) == ["StaticNodes"]


def test_a_genesis_from_elsewhere_is_kept(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    quietly(options(), elsewhere)
    (tmp_path / "keys").mkdir()
    text = (elsewhere / "chain/genesis.json").read_text()
    (tmp_path / "keys/chain").mkdir(parents=True, exist_ok=True)
    (tmp_path / "keys" / "chain/genesis.json").write_text(text)
    wanted = options(geth={"create_genesis": False, "clique_period": 99})
    assert needs_new_genesis(wanted, tmp_path / "keys") == []
    quietly(wanted, tmp_path / "keys")
    assert (tmp_path / "keys" / "chain/genesis.json").read_text() == text


def test_thirteen_nodes_all_know_each_other_and_of_more_each_knows_twelve(tmp_path: Path) -> None:
    for count in (12, 20):
        quietly(options(sealer={"count": 1}, client={"count": count, "create_accounts": False}), tmp_path)
        dialled: dict[str, int] = {}
        for name in ["sealer-1", *(f"client-{i}" for i in range(1, count + 1))]:
            config = tomllib.loads((tmp_path / name / "config.toml").read_text())
            static = config["Node"]["P2P"]["StaticNodes"]
            assert len(static) == 12
            for each in static:
                dialled[each] = dialled.get(each, 0) + 1
        assert set(dialled.values()) == {12}


def test_an_added_node_gets_keys_and_an_added_sealer_is_to_be_voted_in(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    before = contents(tmp_path)
    wanted = options(sealer={"count": 2}, client={"count": 2})
    assert needs_new_genesis(wanted, tmp_path) == []
    lines = said(wanted, tmp_path)
    address = read(tmp_path).nodes["sealer-2"].address
    votes = [line for line in lines if line.startswith("sealer-2 is no signer by chain/genesis.json")]
    assert len(votes) == 1
    assert f'clique.propose("{address}", true)' in votes[0]
    after = contents(tmp_path)
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {"sealer-1/config.toml", "client-1/config.toml"}


def test_sealers_taken_away_below_the_quorum_need_a_new_genesis(tmp_path: Path) -> None:
    quietly(sealers(3), tmp_path)
    assert needs_new_genesis(sealers(2), tmp_path) == []
    reasons = needs_new_genesis(sealers(1), tmp_path)
    assert reasons == ["sealer.count: 1 of the 3 signers of the genesis would be left, 2 are needed"]
    before = contents(tmp_path)
    quietly(sealers(2), tmp_path)
    assert before.keys() == contents(tmp_path).keys()  # those who come back find their keys


def test_keys_that_are_to_be_imported_count_for_the_quorum(tmp_path: Path) -> None:
    quietly(sealers(1, KEY), tmp_path)
    for it in (tmp_path / "sealer-1" / "keystore").iterdir():
        it.unlink()
    assert needs_new_genesis(sealers(1, KEY), tmp_path) == []
    assert needs_new_genesis(sealers(1), tmp_path) != []


def test_a_genesis_is_kept_and_what_differs_is_said(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    before = contents(tmp_path)
    wanted = options(geth={"clique_period": 5})
    assert needs_new_genesis(wanted, tmp_path) == ["geth.clique_period: 15 -> 5"]
    assert said(wanted, tmp_path) == [
        "chain/genesis.json holds, though the options differ: geth.clique_period: 15 -> 5"
    ]
    assert contents(tmp_path) == before


def test_a_genesis_changed_by_hand_is_kept(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    genesis = json.loads((tmp_path / "chain/genesis.json").read_text())
    genesis["alloc"]["00" * 20] = {"balance": "0x1"}
    (tmp_path / "chain/genesis.json").write_text(json.dumps(genesis))
    assert needs_new_genesis(options(), tmp_path) == []
    assert said(options(), tmp_path) == []
    assert read(tmp_path).genesis == genesis


def test_a_new_genesis_is_made_when_asked_for_and_the_old_one_set_aside(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    old = (tmp_path / "chain/genesis.json").read_text()
    wanted = options(geth={"network_id": 99, "clique_period": 5})
    with pytest.raises(Unusable, match=r"genesis.json: is of chain 18, the options' geth.network_id is 99"):
        quietly(wanted, tmp_path)
    lines = said(wanted, tmp_path, new_genesis=True)
    assert len(lines) == 2
    assert [it.read_text() for it in tmp_path.glob("chain/genesis-*.json")] == [old]
    assert needs_new_genesis(wanted, tmp_path) == []
    check_complete(wanted, tmp_path)
    assert said(wanted, tmp_path, new_genesis=True) == []


def test_another_networks_directory_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    before = contents(tmp_path)
    for geth in ({"network_id": 19}, {"consensus_engine": "ethash", "version": "1.11.6"}):
        with pytest.raises(Unusable, match="the directory is another network's"):
            quietly(options(geth=geth, client={"count": 2}), tmp_path)
    assert contents(tmp_path) == before


def test_a_directory_without_keys_needs_no_new_genesis(tmp_path: Path) -> None:
    assert needs_new_genesis(options(), tmp_path / "nowhere") == []
    found = read(tmp_path / "nowhere")
    assert (found.genesis, dict(found.nodes)) == (None, {})
    with pytest.raises(Unusable, match="secrets/ethstats: is missing"):
        found.secret("ethstats")


def test_a_keystore_of_ones_own_needs_its_passphrase(tmp_path: Path) -> None:
    (tmp_path / "sealer-1" / "keystore").mkdir(parents=True)
    (tmp_path / "sealer-1" / "keystore" / "mine").write_text(encrypted(KEY, "geheim"))
    for wanted, why in (
        (sealers(1), "the options give no account_secret"),
        (sealers(1, account_secret="another"), "account_secret is another one"),
    ):
        with pytest.raises(Unusable, match=f"sealer-1/password: is missing, and {why}") as raised:
            quietly(wanted, tmp_path)
        assert "another\n" not in str(raised.value)
    wanted = sealers(1, account_secret="geheim")
    found = quietly(wanted, tmp_path)
    assert found.nodes["sealer-1"].address == ADDRESS
    assert signers_of(found.genesis or {}) == [ADDRESS]


def test_further_accounts_of_a_node_change_nothing(tmp_path: Path) -> None:
    quietly(sealers(1, KEY), tmp_path)
    for name in ("UTC--2999-01-01T00-00-00.000000000Z--later", ".hidden", "backup~"):
        (tmp_path / "sealer-1" / "keystore" / name).write_text(encrypted(OTHER_KEY, "x") if "UTC" in name else "x")
    assert said(sealers(1, KEY), tmp_path) == []


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("sealer-1/nodekey", b"", "is no node key"),
        ("sealer-1/nodekey", b"00" * 32, "is no node key"),
        ("sealer-1/nodekey", b"\xff" * 64, "is no text"),
        ("sealer-1/nodekey", b"f" * 64, "is no node key"),
        ("sealer-1/keystore/key", b"{}", "is no file of a keystore"),
        ("sealer-1/keystore/key", b"[" * 100_000, "is no file of a keystore"),
        ("sealer-1/keystore/key", b'{"crypto": 1, "address": "0x1"}', "is no file of a keystore"),
        ("chain/genesis.json", b"{", "is no JSON"),
        ("chain/genesis.json", b"\xff\xfe", "is no text"),
        ("secrets/ethstats", b"x" * (17 << 20), "is far too large"),
    ],
)
def test_what_is_spoilt_is_refused_and_named(tmp_path: Path, path: str, content: bytes, message: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(content)
    with pytest.raises(Unusable, match=message) as raised:
        quietly(options(), tmp_path)
    assert str(raised.value).startswith(f"{tmp_path / path}: ")
    assert "\n" not in str(raised.value)
    assert (tmp_path / path).read_bytes() == content


def test_what_follows_from_keys_is_made_anew(tmp_path: Path) -> None:
    wanted = options()
    quietly(wanted, tmp_path)
    before = contents(tmp_path)
    (tmp_path / "sealer-1" / "id").write_text("0" * 128 + "\n")
    (tmp_path / "sealer-1" / "address").unlink()
    (tmp_path / "client-1" / "config.toml").write_text("")
    assert len(planned(wanted, tmp_path)) >= 3
    quietly(wanted, tmp_path)
    assert contents(tmp_path) == before


def test_an_id_that_is_none_is_told(tmp_path: Path) -> None:
    quietly(options(), tmp_path)
    (tmp_path / "client-1" / "id").write_text("nonsense")
    with pytest.raises(Unusable, match="client-1/id: is no node id"):
        read(tmp_path)
    quietly(options(), tmp_path)
    check_complete(options(), tmp_path)


def test_a_folder_that_is_open_to_others_is_shut(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    wanted = options()
    quietly(wanted, tmp_path)
    check_complete(wanted, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    os.chown(keys, 12345, 23456)
    quietly(options(), keys)
    owners = {(it.stat().st_uid, it.stat().st_gid) for it in [keys, *keys.rglob("*")]}
    assert owners == {(12345, 23456)}


def test_a_directory_that_can_not_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unusable, match="cannot be made a folder of one's own: File exists"):
        ensure(options(), tmp_path / "file", print)


def test_every_secret_that_the_options_take_can_be_used_without_them(tmp_path: Path) -> None:
    """The service `setup` reads the options less their secrets."""
    secret = "a!b#c$d%e&f(g)*+,./;<=>?^_{|}~[]-"
    quietly(options(ethstats={"websocket_secret": secret}), tmp_path)
    assert said(options(), tmp_path) == []
    assert check_complete(options(ethstats={}), tmp_path).secret("ethstats") == secret


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
def test_folders_that_docker_made_are_given_to_whose_directory_it_is(tmp_path: Path) -> None:
    """Where a mount's source is missing, Docker makes it: root's own, and for all to read."""
    os.chown(tmp_path, 4321, 4321)
    for name in ("sealer-1", "chain", "secrets"):
        (tmp_path / name).mkdir(mode=0o755)
    quietly(options(), tmp_path)
    check_complete(options(), tmp_path)
    assert {(it.stat().st_uid, it.stat().st_gid) for it in tmp_path.rglob("*")} == {(4321, 4321)}


def test_ethash_has_no_signers(tmp_path: Path) -> None:
    wanted = options(geth={"consensus_engine": "ethash", "version": "1.11.6"})
    assert "made chain/genesis.json: chain 18, ethash" in said(wanted, tmp_path)
