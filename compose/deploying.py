"""Makes the directory of a cluster from its options: everything is checked and rendered before anything is written.

Run again, it changes what differs, and keeps keys, secrets and the genesis.
"""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from collector.configuration import Mistake, WrongConfiguration
from compose.identities import Identities, Unusable, join_bundle, needs_new_genesis, planned, read
from compose.identities import ensure as ensure_identities
from compose.identities.ethereum.join import SECRET
from compose.options.ethereum.models import Options
from compose.options.reading import read_options
from compose.options.values import line_of
from compose.options.writing import as_yaml
from compose.rendering import rendered
from compose.tree import Change, Kind, Refused, Tree

__all__ = ["Refused", "Unusable", "deploy", "differences", "options_for"]

OPTIONS, KEYS, JOIN, COMPOSE = "options.yaml", "keys", "join", "compose.yaml"

_CHECKOUT = Path(__file__).parents[1]
"""Where the image's Dockerfile is, if this is a checkout and not an installed package."""

_SECRET = frozenset(f"{JOIN}/{name}" for name in SECRET)

Say = Callable[[str], None]


def options_for(path: Path | None, output: Path) -> tuple[Options, list[Mistake]]:
    """Return the options of a file; without one those that the directory was made of, or at first the defaults.

    With them come lines on what should be known of them. Raises WrongConfiguration.
    """
    if path is not None:
        return read_options(path)
    left = output / OPTIONS
    return read_options(left, {}) if left.is_file() else (Options(), [])


def deploy(options: Options, output: Path, say: Say, *, new_genesis: bool = False, force: bool = False) -> None:
    """Make the directory, or bring it up to date. What it does is said, a line for each thing.

    Raises:
        Refused: with the reasons. Nothing has been written then, or the rest could not; the next run does that.
        compose.identities.Unusable: keys that are there can't be used, or none can be made.

    """
    files = _files(options, output)
    _checked(options, output, files, new_genesis=new_genesis, force=force)
    tree = _tree(output, force=force)
    tree.make()
    with tree.locked():
        begins_anew = _checked(options, output, files, new_genesis=new_genesis, force=force)
        tree = _tree(output, force=force)  # until the lock, another run may have been at work
        before, secret_before = _options_of(output), _stats_secret(output)
        tree.announce(files)
        made = ensure_identities(options, output / KEYS, say, new_genesis=begins_anew)
        files |= _join(options, made)
        tree.announce(files)
        changes = tree.changes(files)
        tree.write(files, changes)
    for change in changes:
        say(str(change))
    if unchanged := len(files) - sum(change.kind in (Kind.NEW, Kind.CHANGED) for change in changes):
        say(f"unchanged: {unchanged} files")
    if secret_before not in (None, _stats_secret(output)):
        say("The stats page's secret is a new one: what runs goes on with the old one until it is started anew, with")
        say(f"    {_compose(output)} up -d --force-recreate")
    for line in _where_to_go_on(options, before, output, begins_anew=begins_anew):
        say(line)


def differences(options: Options, output: Path, *, new_genesis: bool = False, force: bool = False) -> Iterator[str]:
    """Yield what `deploy` would change, as a unified diff with comments before it. Nothing is written.

    Raises Refused where `deploy` would.
    """
    files = _files(options, output)
    if _checked(options, output, files, new_genesis=new_genesis, force=force):
        yield f"# {KEYS}/chain/genesis.json: a new one would be made, and the old one set aside"
    else:
        yield from (f"# {KEYS}: would be made: {line}" for line in planned(options, output / KEYS))
    for change in _tree(output, force=force).changes(files | _join(options, read(output / KEYS))):
        yield f"# {change}"
        if change.kind is not Kind.LEFT and change.path not in _SECRET:
            yield from _diff(change)


def _join(options: Options, made: Identities) -> dict[str, str]:
    return {f"{JOIN}/{path}": text for path, text in join_bundle(options, made).items()}


def _tree(output: Path, *, force: bool) -> Tree:
    return Tree(output, secret=_SECRET, force=force)


def _files(options: Options, output: Path) -> dict[str, str]:
    """Return all files but those that the nodes' identities are needed for. compose.yaml is written last of them."""
    files = rendered(options, source=_source(options, output)) | {OPTIONS: as_yaml(options)}
    return {path: files[path] for path in sorted(files, key=lambda path: (path == COMPOSE, path))}


def _source(options: Options, output: Path) -> str | None:
    """Return where Compose builds chainwatch's image, seen from the directory; None if the image is to be found."""
    if "chainwatch" in options.images.model_fields_set or not (_CHECKOUT / "Dockerfile").is_file():
        return None
    return os.path.relpath(_CHECKOUT, output)  # both without a look at links, as Compose does it


def _checked(options: Options, output: Path, files: dict[str, str], *, new_genesis: bool, force: bool) -> bool:
    """Return whether a new genesis takes the old one's place. Raises Refused where nothing may be written."""
    _tree(output, force=force).changes(files)
    reasons = needs_new_genesis(options, output / KEYS)
    if reasons and not new_genesis:
        advice = "leave it as it was, or begin the chain anew with --new-genesis"
        raise Refused(*(f"{output}: {reason}: is part of the genesis; {advice}" for reason in reasons))
    return bool(reasons)


def _options_of(output: Path) -> Options | None:
    """Return the options of the run before, None if there are none that can be read."""
    try:
        return read_options(output / OPTIONS, {})[0]
    except WrongConfiguration:
        return None


def _stats_secret(output: Path) -> str | None:
    """Return the secret by which nodes log in at the stats page, None if there is none yet."""
    try:
        return read(output / KEYS).secret("ethstats")
    except Unusable:
        return None


def _compose(output: Path) -> str:
    return f"docker compose -f {shlex.quote(str(output / COMPOSE))}"


def _diff(change: Change) -> Iterator[str]:
    before = "/dev/null" if change.kind is Kind.NEW else change.path
    after = "/dev/null" if change.kind is Kind.REMOVED else change.path
    lines = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), before, after, lineterm="")
    yield from lines


def _where_to_go_on(options: Options, before: Options | None, output: Path, *, begins_anew: bool) -> Iterator[str]:
    compose = _compose(output)
    if before is not None and before.service.name != options.service.name:
        yield (
            f"The project is called {options.service.name} now; what runs as {before.service.name} goes on, "
            f"with its own volumes. End it with: docker compose -p {before.service.name} down"
        )
    if before is not None and not begins_anew and line_of(options.geth.version) < line_of(before.geth.version):
        yield (
            f"geth goes back from {before.geth.version} to {options.geth.version}, which can't read every chain that "
            "the newer one has written: where a node ends over that, go forward again, or remove its volume."
        )
    if begins_anew:
        yield "The genesis is a new one: the old chain's data must go before the nodes start again."
        yield f"    {compose} down --volumes"
    if "chainwatch" in options.images.model_fields_set or not (_CHECKOUT / "Dockerfile").is_file():
        yield f"Compose looks for the image {options.images.mirror}{options.images.chainwatch}."
    yield "Start it, or take over what has changed:"
    yield f"    {compose} up -d --remove-orphans"
    yield f"Passwords and secrets: {output / KEYS / 'secrets'}"
    if options.grafana.count and options.publish.grafana:
        yield f"Grafana's is for the user admin: {output / KEYS / 'secrets' / 'grafana-admin'}"
