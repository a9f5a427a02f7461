"""The golden cases: one folder for each kind of mistake or remark, found by themselves.

A folder holds `options.yaml` or `options.json`; `expected.txt` with the mistakes, or else the remarks, one a line;
`written.yaml` with the options as they are written down, where the file is taken; and where the file needs it
`environment`, with lines NAME=value, and `target`, where it is deployed for a swarm.
`pytest tests/compose/options --update-cases` writes the expectations anew.
"""

from __future__ import annotations

from pathlib import Path

from collector.configuration import WrongConfiguration
from compose.options.reading import read_options
from compose.options.writing import as_yaml

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())


def outcome(case: Path) -> tuple[str, str | None]:
    """Return what is told of a case's file, and the options as written, None if the file is wrong.

    The working directory must be the case's folder.
    """
    environment = case / "environment"
    lines = environment.read_text().splitlines() if environment.exists() else []
    (file,) = case.glob("options.*")
    try:
        options, remarks = read_options(file.name, dict(line.split("=", 1) for line in lines), target(case))
    except WrongConfiguration as wrong:
        return f"{wrong}\n", None
    return "".join(f"{remark}\n" for remark in remarks), as_yaml(options)


def target(case: Path) -> str:
    """Return what a case's options are deployed for."""
    file = case / "target"
    return file.read_text().strip() if file.exists() else "compose"
