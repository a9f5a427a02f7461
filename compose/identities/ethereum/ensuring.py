"""Make what is missing, and keep what is there: safe to repeat, to break off, and to run twice at once.

Each file is derived of those before it, and written whole: a run that was broken off is finished by the next one. Keys
and secrets are made once. What follows from others (node ids, addresses, configurations) is made anew where it differs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from compose.eth_accounts import opened
from compose.identities.errors import Unusable
from compose.identities.ethereum import accounts, genesis
from compose.identities.ethereum.configs import config_toml
from compose.identities.ethereum.nodekeys import is_nodekey, new_nodekey, node_id
from compose.identities.ethereum.reading import GENESIS, Identities, read, stored_genesis
from compose.identities.passphrases import SECRETS, new_secret
from compose.identities.steps import Say, Step, given_secret_steps, make_all, secret_steps, write
from compose.identities.storing import Store
from compose.options.ethereum.cluster import Node, boot_names, nodes
from compose.options.ethereum.models import Options
from compose.options.telling import secrets_of_channels
from compose.options.values import fits_ethstats

ETHSTATS = "secrets/ethstats"


def ensure(options: Options, directory: Path, say: Say, *, new_genesis: bool = False) -> Identities:
    """Make what is missing of a cluster's identities, telling each thing, and return them all.

    A genesis that is there is kept unless `new_genesis`; it is then set aside under a name of its own, not deleted.
    Raises Unusable; what has been made until then stays.
    """
    store = Store(directory)
    with store.locked():
        make_all(_steps(options, store, new_genesis=new_genesis), say)
        for remark in _remarks(options, store):
            say(remark)
        return read(directory)


def planned(options: Options, directory: Path) -> list[str]:
    """Return what `ensure` would make. Writes nothing. Raises Unusable."""
    return [step.what for step in _steps(options, Store(directory), new_genesis=False)]


def needs_new_genesis(options: Options, directory: Path) -> list[str]:
    """Return in what the genesis there differs from the options' (`geth.clique_period: 15 -> 5`). Raises Unusable.

    Nothing if there is none yet, or if it is none of ours to make.
    """
    store = Store(directory)
    found = stored_genesis(store)
    if found is None or not options.geth.create_genesis:
        return []
    reasons = genesis.differences(found, options)
    few = genesis.too_few_signers(found, [address for node in _sealers(options) if (address := _due(store, node))])
    return [*reasons, few] if few else reasons


def _steps(options: Options, store: Store, *, new_genesis: bool) -> Iterator[Step]:
    """Yield what is missing. Each condition is looked at when its turn comes: earlier steps may have been made."""
    _check(options, store, new_genesis=new_genesis)
    yield from _secret_steps(options, store)
    for name in [*boot_names(options), *(node.name for node in nodes(options))]:
        yield from _nodekey_steps(store, name)
    for node in nodes(options):
        yield from _account_steps(store, node)
    if options.geth.create_genesis:
        yield from _genesis_steps(options, store, new_genesis=new_genesis)
    yield from _config_steps(options, store)


def _check(options: Options, store: Store, *, new_genesis: bool) -> None:
    """Raise Unusable where nothing good could come of going on."""
    found = None if new_genesis else stored_genesis(store)
    if found and (why := genesis.other_chain(found, options)):
        raise Unusable(
            f"{store.directory / GENESIS}: {why}: the directory is another network's; "
            "put the option back, choose another directory, or ask for a new genesis"
        )
    secret = store.line(ETHSTATS)
    if secret and not options.ethstats.websocket_secret and not fits_ethstats(secret):
        raise Unusable(
            f"{store.directory / ETHSTATS}: holds what geth can't be given; write letters, digits, - and _, "
            "or delete it to have another one"
        )


def _secret_steps(options: Options, store: Store) -> Iterator[Step]:
    given = options.ethstats.websocket_secret
    wanted = given.get_secret_value() if given else None
    if (found := store.line(ETHSTATS)) is None or (wanted and found != wanted):
        yield Step(ETHSTATS, partial(write, store, ETHSTATS, wanted or new_secret()))
    yield from secret_steps(store, SECRETS)
    yield from given_secret_steps(store, secrets_of_channels(options))


def _nodekey_steps(store: Store, name: str) -> Iterator[Step]:
    key = store.text(f"{name}/nodekey")
    if key is None:
        yield Step(f"{name}: node key", partial(_make_nodekey, store, name))
        return
    if not is_nodekey(key.strip()):
        raise Unusable(
            f"{store.directory / name / 'nodekey'}: is no node key; restore it, or delete it to have another"
        )
    identity = node_id(key.strip())
    if store.line(f"{name}/id") != identity:
        yield Step(f"{name}: node id", partial(write, store, f"{name}/id", identity))


def _account_steps(store: Store, node: Node) -> Iterator[Step]:
    address = _account(store, node.name)
    if address is None:
        if _given_key(node) or node.settings.create_accounts:
            yield Step(f"{node.name}: account", partial(_make_account, store, node))
        return
    if store.line(f"{node.name}/password") is None:
        yield Step(f"{node.name}: passphrase", partial(_restore_passphrase, store, node))
    if store.line(f"{node.name}/address") != address:
        yield Step(f"{node.name}: address", partial(write, store, f"{node.name}/address", address, told=address))


def _genesis_steps(options: Options, store: Store, *, new_genesis: bool) -> Iterator[Step]:
    old = store.text(GENESIS)
    if old is not None and not new_genesis:
        return
    known = {node.name: address for node in nodes(options) if (address := _account(store, node.name))}
    signers = [known[node.name] for node in _sealers(options) if node.name in known]
    wanted = genesis.text_of(genesis.build(options, signers, list(known.values())))
    signers = signers if options.geth.consensus_engine == "clique" else []
    if old is None:
        yield Step(GENESIS, partial(write, store, GENESIS, wanted, told=_genesis_told(options, signers), end=""))
    elif old != wanted:
        aside = f"chain/genesis-{hashlib.sha256(old.encode()).hexdigest()[:12]}.json"
        yield Step(f"{aside}, the genesis that there was", partial(write, store, aside, old, end=""))
        yield Step(GENESIS, partial(write, store, GENESIS, wanted, told=_genesis_told(options, signers), end=""))


def _config_steps(options: Options, store: Store) -> Iterator[Step]:
    ids: dict[str, str] = {}
    for name in [*boot_names(options), *(node.name for node in nodes(options))]:
        if found := store.line(f"{name}/id"):
            ids[name] = found
    secret = store.line(ETHSTATS)
    given = options.ethstats.websocket_secret
    complete = len(ids) == options.boot.count + len(nodes(options)) and secret
    public = not options.geth.create_genesis and store.text(GENESIS) is None
    for node in nodes(options):
        path = f"{node.name}/config.toml"
        if not complete or secret is None:
            yield Step(f"{node.name}: config.toml", str)  # depends on what is missing: nothing is being made
            continue
        now = given.get_secret_value() if given else secret
        wanted = config_toml(node.name, options, ids, now, public=public)
        if store.text(path) != wanted:
            yield Step(f"{node.name}: config.toml", partial(write, store, path, wanted, end=""))


def _remarks(options: Options, store: Store) -> Iterator[str]:
    """Yield what the operator should know of that which is there."""
    found = stored_genesis(store)
    for node in nodes(options):
        if address := _account(store, node.name):
            yield from _kept(node, address, store)
    if found is None or not options.geth.create_genesis:
        return
    for difference in genesis.differences(found, options):
        yield f"{GENESIS} holds, though the options differ: {difference}"
    if genesis.engine_of(found) != "clique":
        return
    signers = genesis.signers_of(found)
    if not signers:
        yield f"{GENESIS} names no signer: nobody can ever seal a block of this chain"
    for node in _sealers(options):
        address = _account(store, node.name)
        if address and address not in signers:
            yield (
                f"{node.name} is no signer by {GENESIS}: it seals once more than half of the signers have voted for "
                f"it, each with: docker compose exec SIGNER geth attach --exec 'clique.propose(\"{address}\", true)' "
                "/data/geth.ipc"
            )
        if address is None:
            yield f"{node.name} has no account: it can't seal"


def _kept(node: Node, address: str, store: Store) -> Iterator[str]:
    """Yield what of a node's account stays as it is, though the options have it otherwise."""
    given, chosen = _given_key(node), node.settings.account_secret
    if given and accounts.address_of(given) != address:
        yield f"{node.name} keeps its account {address}: the private key of the options is another one's"
    if chosen and store.line(f"{node.name}/password") != chosen.get_secret_value():
        yield f"{node.name} keeps the passphrase of its account: the account_secret of the options is another one"


def _sealers(options: Options) -> list[Node]:
    return [node for node in nodes(options) if node.role == "sealer"]


def _given_key(node: Node) -> str | None:
    """Return the private key that the options give a node; they are given out in turn."""
    keys = node.settings.account_privatekeys
    return keys[(node.index - 1) % len(keys)].get_secret_value() if keys else None


def _due(store: Store, node: Node) -> str | None:
    """Return the address that a node has, or is going to have where the options say so."""
    given = _given_key(node)
    return _account(store, node.name) or (accounts.address_of(given) if given else None)


def _account(store: Store, name: str) -> str | None:
    """Return the address of a node's account by its keystore: the first, if more were added. Raises Unusable."""
    folder = f"{name}/keystore"
    for file in store.names(folder):
        address = accounts.address_in(store.text(f"{folder}/{file}") or "")
        if address is None:
            raise Unusable(f"{store.directory / folder / file}: is no file of a keystore; restore it, or take it away")
        return address
    return None


def _make_nodekey(store: Store, name: str) -> str:
    key = new_nodekey()
    store.write(f"{name}/nodekey", key)
    return write(store, f"{name}/id", node_id(key))


def _make_account(store: Store, node: Node) -> str:
    """Write passphrase, keystore and address, in this order: a keystore never stands there without its passphrase."""
    passphrase = store.line(f"{node.name}/password")
    if passphrase is None:
        chosen = node.settings.account_secret
        passphrase = chosen.get_secret_value() if chosen else new_secret()
        write(store, f"{node.name}/password", passphrase)
    given = _given_key(node)
    key = given or accounts.new_private_key()
    address = accounts.address_of(key)
    store.write(f"{node.name}/keystore/{accounts.file_name(address)}", accounts.encrypted(key, passphrase))
    return write(store, f"{node.name}/address", address, told=f"{address}, imported" if given else address)


def _restore_passphrase(store: Store, node: Node) -> str:
    """Write the passphrase of a keystore that came without: the options' one, if it is that."""
    folder = f"{node.name}/keystore"
    keystore = store.text(f"{folder}/{store.names(folder)[0]}") or ""
    chosen = node.settings.account_secret
    if chosen is None or opened(keystore, chosen.get_secret_value()) is None:
        where = store.directory / node.name / "password"
        why = "and account_secret is another one" if chosen else "and the options give no account_secret"
        raise Unusable(f"{where}: is missing, {why}: write the passphrase of {store.directory / folder} there")
    return write(store, f"{node.name}/password", chosen.get_secret_value())


def _genesis_told(options: Options, signers: list[str]) -> str:
    who = f", signers {', '.join(sorted(set(signers), key=str.lower))}" if signers else ""
    return f"chain {options.geth.network_id}, {options.geth.consensus_engine}{who}"
