"""The golden cases: one folder for each kind of mistake, found by themselves.

A folder holds `config.yaml`, the mistakes that are expected of it in `expected.txt`, one a line, and where it needs
them the files that the configuration names and `environment`, with lines NAME=value.
"""

from __future__ import annotations

from pathlib import Path

from collector.configuration import WrongConfiguration, read_configuration

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
KINDS = {"ethereum", "nodeos"}


def told(case: Path) -> str:
    """Return what is told of a case's configuration; the working directory must be the case's folder."""
    environment = case / "environment"
    lines = environment.read_text().splitlines() if environment.exists() else []
    try:
        read_configuration("config.yaml", dict(line.split("=", 1) for line in lines), KINDS)
    except WrongConfiguration as wrong:
        return f"{wrong}\n"
    return ""
