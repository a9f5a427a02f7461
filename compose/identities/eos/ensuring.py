"""Make what is missing, and keep what is there: safe to repeat, to break off, and to run twice at once.

    chain/genesis.json      how the chain begins; those that were set aside beside it
    producer/signing-key    private key (WIF) that blocks are signed with; those that were set aside beside it
    producer/public-key     the public key of that
    producer/signing.ini    the line of config.ini with both
    secrets/NAME            one secret each

The key comes before the genesis, which is made of it and the time of its making, and of neither ever again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from compose.eos_keys import is_private_key, new_private_key, public_key_of
from compose.identities.eos.genesis import Genesis, build, read_genesis, text_of
from compose.identities.errors import Unusable
from compose.identities.passphrases import SECRETS
from compose.identities.steps import Say, Step, given_secret_steps, make_all, secret_steps, write
from compose.identities.storing import Store
from compose.options.eos.models import Options
from compose.options.telling import secrets_of_channels

GENESIS = "chain/genesis.json"
SIGNING_KEY = "producer/signing-key"
PUBLIC_KEY = "producer/public-key"
SIGNING_LINE = "producer/signing.ini"

_SHOWN = 12
"""Characters of a key or a checksum that tell it from others in a file's name."""


def ensure(options: Options, directory: Path, say: Say, *, new_genesis: bool = False) -> None:
    """Make what is missing, telling each thing.

    A genesis and a key that are there are kept unless `new_genesis`, and set aside then, not deleted.
    Raises Unusable; what has been made until then stays.
    """
    store = Store(directory)
    with store.locked():
        make_all(_steps(options, store, new_genesis=new_genesis), say)
        for remark in _remarks(options, store):
            say(remark)


def planned(options: Options, directory: Path) -> list[str]:
    """Return what `ensure` would make. Writes nothing. Raises Unusable."""
    return [step.what for step in _steps(options, Store(directory), new_genesis=False)]


def needs_new_genesis(options: Options, directory: Path) -> list[str]:
    """Return why the genesis there can't be that of the options' chain, nothing if it can, or if there is none yet.

    Raises Unusable.
    """
    store = Store(directory)
    found = _stored_genesis(store)
    if found is None:
        return []
    joined = options.eos.genesis
    if joined is not None:
        same = found == read_genesis(joined, "eos.genesis")
        return [] if same else [f"eos.genesis: is another one than {store.directory / GENESIS}"]
    key = _given(options) or _stored_key(store)
    wanted = public_key_of(key) if key else f"a new one, since {SIGNING_KEY} is missing"
    began = found["initial_key"]
    return [] if wanted == began else [f"producer.signature_key: {began} -> {wanted}"]


def _steps(options: Options, store: Store, *, new_genesis: bool) -> Iterator[Step]:
    """Yield what is missing. Each condition is looked at when its turn comes: earlier steps may have been made."""
    anew = new_genesis and bool(needs_new_genesis(options, store.directory))
    _stored_genesis(store)  # that of another kind of network is told before anything is made
    yield from secret_steps(store, SECRETS)
    yield from given_secret_steps(store, secrets_of_channels(options))
    if options.producer.count or options.eos.create_genesis:
        yield from _key_steps(options, store, anew=anew)
    if options.eos.genesis is not None:
        yield from _genesis_steps(store, options.eos.genesis, anew=anew)
    elif store.text(GENESIS) is None or anew:
        yield from _genesis_steps(store, _own_genesis(store), anew=anew)


def _key_steps(options: Options, store: Store, *, anew: bool) -> Iterator[Step]:
    given, key = _given(options), _stored_key(store)
    own, began = options.eos.create_genesis, _stored_genesis(store)
    if key is None and own and began and not anew and (not given or public_key_of(given) != began["initial_key"]):
        raise Unusable(
            f"{store.directory / SIGNING_KEY}: is missing, and {began['initial_key']} is the key by which the chain "
            "began: restore it, or ask for a new genesis"
        )
    if key is None or (given and given != key and (anew or not own)):
        if key is not None:
            aside = f"{SIGNING_KEY}-{public_key_of(key)[3 : 3 + _SHOWN]}"
            yield Step(f"{aside}, the key that there was", partial(write, store, aside, key))
        key = given or new_private_key()
        yield Step(SIGNING_KEY, partial(write, store, SIGNING_KEY, key, told=_told(options, key, imported=bool(given))))
    public = public_key_of(key)
    for path, line in ((PUBLIC_KEY, public), (SIGNING_LINE, f"signature-provider = {public}=KEY:{key}")):
        if store.line(path) != line:
            yield Step(path, partial(write, store, path, line))


def _told(options: Options, key: str, *, imported: bool) -> str:
    public = public_key_of(key)
    if imported:
        return f"{public}, imported"
    if options.eos.create_genesis:
        return public
    return f"{public}, which signs nothing until the network knows it as a key of {options.producer.name}"


def _own_genesis(store: Store) -> str:
    """Return the genesis of a chain of one's own that begins now."""
    key = _stored_key(store)
    # Without a key, this is a look at what would be made, and the key is part of that, too.
    return text_of(build(public_key_of(key), datetime.now(UTC))) if key else ""


def _genesis_steps(store: Store, wanted: str, *, anew: bool) -> Iterator[Step]:
    old = store.text(GENESIS)
    if old is not None and not anew:
        return
    if old is not None:
        aside = f"chain/genesis-{hashlib.sha256(old.encode()).hexdigest()[:_SHOWN]}.json"
        yield Step(f"{aside}, the genesis that there was", partial(write, store, aside, old, end=""))
    yield Step(GENESIS, partial(_write_genesis, store, wanted))


def _write_genesis(store: Store, text: str) -> str:
    found = read_genesis(text, str(store.directory / GENESIS))
    return write(store, GENESIS, text, told=f"begins {found['initial_timestamp']} with {found['initial_key']}", end="")


def _remarks(options: Options, store: Store) -> Iterator[str]:
    """Yield what stays as it is, though the options have it otherwise."""
    for reason in needs_new_genesis(options, store.directory):
        yield f"{GENESIS} holds, though the options differ: {reason}"


def _given(options: Options) -> str | None:
    key = options.producer.signature_key
    return key.get_secret_value() if key else None


def _stored_key(store: Store) -> str | None:
    """Return the private key that is there, None if there is none. Raises Unusable."""
    key = store.line(SIGNING_KEY)
    if key is not None and not is_private_key(key):
        raise Unusable(f"{store.directory / SIGNING_KEY}: is no private key; restore it, or delete it to have another")
    return key


def _stored_genesis(store: Store) -> Genesis | None:
    """Return the genesis that is there, None if there is none. Raises Unusable."""
    text = store.text(GENESIS)
    return None if text is None else read_genesis(text, str(store.directory / GENESIS))
