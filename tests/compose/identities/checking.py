"""What holds for every directory that `ensure` has finished."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from compose.identities.ethereum.ensuring import ensure
from compose.identities.ethereum.genesis import signers_of
from compose.identities.ethereum.nodekeys import node_id
from compose.identities.ethereum.reading import Identities, read
from compose.identities.passphrases import SECRETS
from compose.options.ethereum.cluster import boot_names, nodes
from compose.options.ethereum.models import Options
from compose.transfers.wallets import open_wallet


def options(**sections: dict[str, Any]) -> Options:
    """Return options: a sealer and a client, unless told otherwise."""
    small: dict[str, dict[str, Any]] = {"sealer": {"count": 1}, "client": {"count": 1}}
    return Options.model_validate({**small, **sections})


def quietly(wanted: Options, directory: Path, *, new_genesis: bool = False) -> Identities:
    """Make what is missing and say nothing."""
    return ensure(wanted, directory, lambda _: None, new_genesis=new_genesis)


def said(wanted: Options, directory: Path, *, new_genesis: bool = False) -> list[str]:
    """Make what is missing and return what is said."""
    lines: list[str] = []
    ensure(wanted, directory, lines.append, new_genesis=new_genesis)
    return lines


def contents(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory."""
    return {str(it.relative_to(directory)): it.read_bytes() for it in directory.rglob("*") if it.is_file()}


def check_complete(wanted: Options, directory: Path) -> Identities:
    """Check that everything is there, fits together, and is its owner's alone."""
    found = read(directory)
    for path in [directory, *directory.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        assert path.name != ".part"
    for name in ("ethstats", *SECRETS):
        assert len(found.secret(name)) >= 32
    planned = nodes(wanted)
    for name in [*boot_names(wanted), *(node.name for node in planned)]:
        assert node_id((directory / name / "nodekey").read_text()) == found.nodes[name].node_id
    sealers = set()
    for node in planned:
        folder, identity = directory / node.name, found.nodes[node.name]
        keystores = list((folder / "keystore").glob("*"))
        assert len(keystores) == (1 if node.settings.have_accounts else 0)
        if keystores:
            assert open_wallet(keystores[0], folder / "password").address == identity.address
            sealers.update([identity.address] if node.role == "sealer" else [])
        config = tomllib.loads((folder / "config.toml").read_text())
        named = [each.rpartition("@") for each in config["Node"]["P2P"]["StaticNodes"]]
        assert {(enode, host.split(":")[0]) for enode, _, host in named} <= {
            (f"enode://{other.node_id}", name) for name, other in found.nodes.items() if name != node.name
        }
        assert config["Ethstats"]["URL"] == f"{node.name}:{found.secret('ethstats')}@ws://ethstats:3000"
    if wanted.geth.create_genesis:
        assert found.genesis is not None
        assert set(signers_of(found.genesis)) == sealers
        funded = {f"0x{address}" for address in found.genesis["alloc"]}
        assert {str(it.address).lower() for it in found.nodes.values() if it.address} <= funded
        assert json.loads((directory / "chain/genesis.json").read_text()) == found.genesis
    return found
