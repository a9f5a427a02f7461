"""The cases: options in, every file of the cluster out. A case is a folder with options.yaml or options.json.

Those of EOSIO or Antelope networks are called eos-…, and have a file `target` where they are for a swarm.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from compose.options.eos.models import Options as EosOptions
from compose.options.ethereum.models import Options
from compose.options.reading import read_options
from compose.rendering import rendered

_ALL = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
CASES = [path for path in _ALL if not path.name.startswith("eos-")]
EOS_CASES = [path for path in _ALL if path.name.startswith("eos-")]

_BUILT = ("default", "eos-default")
"""Cases whose images are built; the other ones' come from elsewhere."""


@cache
def options_of(name: str) -> Options:
    """Return the options of the case of an Ethereum network of this name."""
    options = any_options_of(name)
    assert isinstance(options, Options)
    return options


@cache
def eos_options_of(name: str) -> EosOptions:
    """Return the options of the case of an EOSIO or Antelope network of this name."""
    options = any_options_of(name)
    assert isinstance(options, EosOptions)
    return options


@cache
def target_of(name: str) -> str:
    """Return what the case of this name is rendered for."""
    file = Path(__file__).parent / "cases" / name / "target"
    return file.read_text().strip() if file.exists() else "compose"


@cache
def files_of(name: str) -> dict[str, str]:
    """Return the files of the case of this name."""
    return rendered(any_options_of(name), source=".." if name in _BUILT else None, target=target_of(name))


def any_options_of(name: str) -> Options | EosOptions:
    """Return the options of the case of this name, whichever kind of network it is of."""
    [path] = (Path(__file__).parent / "cases" / name).glob("options.*")
    return read_options(path, {}, target_of(name))[0]
