"""Makes the directory of a cluster from its options: everything is checked and rendered before anything is written.

Run again, it changes what differs, and keeps keys, secrets and the genesis.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.configuration import Mistake, WrongConfiguration
from compose.going_on import FILE, Deployed, where_to_go_on
from compose.identities import Unusable, join_files, needs_new_genesis, planned, secret_of_nodes
from compose.identities import ensure as ensure_identities
from compose.identities.ethereum.join import SECRET
from compose.options.kinds import EosOptions, EthereumOptions, Options
from compose.options.reading import read_options
from compose.options.targets import COMPOSE, NOT_FOR_SWARM, SWARM, TARGETS
from compose.options.writing import as_yaml
from compose.rendering import rendered
from compose.tree import Change, Kind, Refused, Tree

__all__ = ["TARGETS", "Refused", "Unusable", "deploy", "differences", "options_for", "target_of"]

OPTIONS, KEYS, JOIN = "options.yaml", "keys", "join"

_CHECKOUT = Path(__file__).parents[1]
"""Where the image's Dockerfile is, if this is a checkout and not an installed package."""

_KINDS: dict[type[Options], str] = {EthereumOptions: "an Ethereum", EosOptions: "an EOSIO or Antelope"}

_SECRET = frozenset(f"{JOIN}/{name}" for name in SECRET)

Say = Callable[[str], None]


def target_of(output: Path) -> str | None:
    """Return what a directory was made for, None if it is none of ours. Raises Refused."""
    written = Tree(output, force=True).written
    # Where a run from one to the other ended half way, both are there: Compose's file comes first and goes last.
    return next((target for target in TARGETS if FILE[target] in written), None)


def options_for(path: Path | None, output: Path, target: str = COMPOSE) -> tuple[Options, list[Mistake]]:
    """Return the options of a file; without one those that the directory was made of, or at first the defaults.

    With them come lines on what should be known of them. Raises WrongConfiguration.
    """
    if path is not None:
        return read_options(path, target=target)
    left = output / OPTIONS
    if left.is_file():
        return read_options(left, {}, target)
    if target == SWARM:
        raise WrongConfiguration([Mistake("the default", 0, "", NOT_FOR_SWARM)])
    return EthereumOptions(), []


def deploy(
    options: Options,
    output: Path,
    say: Say,
    *,
    target: str = COMPOSE,
    new_genesis: bool = False,
    force: bool = False,
) -> None:
    """Make the directory, or bring it up to date. What it does is said, a line for each thing.

    Raises:
        Refused: with the reasons. Nothing has been written then, or the rest could not; the next run does that.
        compose.identities.Unusable: keys that are there can't be used, or none can be made.

    """
    files = _files(options, output, target)
    _checked(options, output, files, new_genesis=new_genesis, force=force)
    tree = _tree(output, force=force)
    tree.make()
    with tree.locked():
        begins_anew = _checked(options, output, files, new_genesis=new_genesis, force=force)
        tree = _tree(output, force=force)  # until the lock, another run may have been at work
        before, target_before, secret = _options_of(output), target_of(output), secret_of_nodes(options, output / KEYS)
        tree.announce(files)
        ensure_identities(options, output / KEYS, say, new_genesis=begins_anew)
        files |= _join(options, output)
        tree.announce(files)
        changes = tree.changes(files)
        tree.write(files, changes)
    for change in changes:
        say(str(change))
    if unchanged := len(files) - sum(change.kind in (Kind.NEW, Kind.CHANGED) for change in changes):
        say(f"unchanged: {unchanged} files")
    new_secret = secret not in (None, secret_of_nodes(options, output / KEYS))
    made = Deployed(options, target, output, _checkout(), before, target_before, begins_anew, new_secret)
    for line in where_to_go_on(made):
        say(line)


def differences(
    options: Options, output: Path, *, target: str = COMPOSE, new_genesis: bool = False, force: bool = False
) -> Iterator[str]:
    """Yield what `deploy` would change, as a unified diff with comments before it. Nothing is written.

    Raises Refused where `deploy` would.
    """
    files = _files(options, output, target)
    if _checked(options, output, files, new_genesis=new_genesis, force=force):
        yield f"# {KEYS}/chain/genesis.json: a new one would be made, and the old one set aside"
    else:
        yield from (f"# {KEYS}: would be made: {line}" for line in planned(options, output / KEYS))
    for change in _tree(output, force=force).changes(files | _join(options, output)):
        yield f"# {change}"
        if change.kind is not Kind.LEFT and change.path not in _SECRET:
            yield from _diff(change)


def _join(options: Options, output: Path) -> dict[str, str]:
    return {f"{JOIN}/{path}": text for path, text in join_files(options, output / KEYS).items()}


def _tree(output: Path, *, force: bool) -> Tree:
    return Tree(output, secret=_SECRET, force=force)


def _files(options: Options, output: Path, target: str) -> dict[str, str]:
    """Return all files but those that the identities are needed for. What describes the whole is written last."""
    files = rendered(options, source=_source(options, output), target=target) | {OPTIONS: as_yaml(options)}
    return {path: files[path] for path in sorted(files, key=lambda path: (path == FILE[target], path))}


def _source(options: Options, output: Path) -> str | None:
    """Return where Compose builds images from, seen from the directory; None if they are to be found."""
    checkout = _checkout()
    if "chainwatch" in options.images.model_fields_set or checkout is None:
        return None
    return os.path.relpath(checkout, output)  # both without a look at links, as Compose does it


def _checkout() -> Path | None:
    """Return where the images can be built from, None where chainwatch was installed without that."""
    return _CHECKOUT if (_CHECKOUT / "Dockerfile").is_file() else None


def _checked(options: Options, output: Path, files: dict[str, str], *, new_genesis: bool, force: bool) -> bool:
    """Return whether a new genesis takes the old one's place. Raises Refused where nothing may be written."""
    _tree(output, force=force).changes(files)
    before = _options_of(output)
    if before is not None and type(before) is not type(options):
        was, wanted = (_KINDS[type(each)] for each in (before, options))
        raise Refused(f"{output}: holds {was} network, and the options are of {wanted} one; name another directory")
    reasons = needs_new_genesis(options, output / KEYS)
    if reasons and not new_genesis:
        advice = "leave it as it was, or begin the chain anew with --new-genesis"
        raise Refused(*(f"{output}: {reason}: is part of the genesis; {advice}" for reason in reasons))
    return bool(reasons)


def _options_of(output: Path) -> Options | None:
    """Return the options of the run before, None if there are none that can be read."""
    try:
        return read_options(output / OPTIONS, {}, target_of(output) or COMPOSE)[0]
    except WrongConfiguration:
        return None


def _diff(change: Change) -> Iterator[str]:
    before = "/dev/null" if change.kind is Kind.NEW else change.path
    after = "/dev/null" if change.kind is Kind.REMOVED else change.path
    lines = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), before, after, lineterm="")
    yield from lines
