"""The cases: options in, every file of the cluster out. A case is a folder with options.yaml or options.json."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from compose.options.ethereum.models import Options
from compose.options.reading import read_options
from compose.rendering import rendered

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


@cache
def options_of(name: str) -> Options:
    """Return the options of the case of this name."""
    [path] = (Path(__file__).parent / "cases" / name).glob("options.*")
    return read_options(path, {})[0]


@cache
def files_of(name: str) -> dict[str, str]:
    """Return the files of the case of this name; the default's image is built, the other ones' come from elsewhere."""
    return rendered(options_of(name), source=".." if name == "default" else None)
