"""A deployed directory's endpoints, whichever kind of network it holds."""

from __future__ import annotations

from pathlib import Path

from collector.configuration.mistakes import nearest
from compose.deploying import target_of
from compose.endpoints import eos, ethereum
from compose.endpoints.forms import Endpoint
from compose.options.kinds import EosOptions
from compose.options.reading import read_options
from compose.options.targets import COMPOSE
from compose.tree import Refused

_BEFORE, _AFTER = "geth-", "-port"
"""What stands around the names in the DC/OS package: geth-client-http-port."""


def endpoints(directory: Path) -> dict[str, Endpoint]:
    """Return all endpoints of a deployed directory by name. What is not there has empty lists.

    Raises:
        Refused: it is none.
        collector.configuration.WrongConfiguration: its options.yaml can't be read.
        compose.identities.Unusable: its keys can't.

    """
    if not (directory / "options.yaml").is_file():
        raise Refused(f"{directory}: has no options.yaml; name a directory that `chainwatch deploy` made")
    target = target_of(directory) or COMPOSE
    options, _ = read_options(directory / "options.yaml", {}, target)
    if isinstance(options, EosOptions):
        return eos.endpoints(options, target)
    return ethereum.endpoints(options, directory / "keys")


def endpoint(directory: Path, name: str) -> Endpoint:
    """Return one endpoint; the DC/OS package's names are known as well. Raises as `endpoints` does."""
    known = endpoints(directory)
    plain = name.removeprefix(_BEFORE).removesuffix(_AFTER)
    if plain not in known:
        raise Refused(f"{name}: is no endpoint; {nearest(plain, known)}")
    return known[plain]
