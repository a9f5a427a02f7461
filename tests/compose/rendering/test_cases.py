"""The golden cases: options in, all files of the cluster out. `pytest --update-cases` writes them anew."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from compose.options.eos.models import Options as EosOptions
from compose.options.ethereum.models import Options
from compose.options.keys import is_replaced
from compose.rendering import rendered
from compose.rendering.__main__ import default_files
from compose.rendering.composefile import checksum
from tests.compose.rendering.options import CASES, EOS_CASES, eos_options_of, files_of, options_of

COMPOSE = Path(__file__).parents[3] / "compose"

SCRIPTS = {
    path: (COMPOSE / "rendering" / source).read_text(encoding="utf-8")
    for path, source in {"config/geth/start.sh": "ethereum/start.sh", "firewall.sh": "firewall.sh"}.items()
}
"""The files that are the same for all options: they stand in no case."""

MADE_ELSEWHERE = re.compile(r"config/(prometheus/rules/.*\.yaml|grafana/provisioning/(alerting/.*\.yaml|.*\.json))")
"""Files that other packages make, with tests of their own: dashboards, and rules. They stand in no case."""

CHECKSUM = r"(?<=chainwatch\.role: prometheus\n      chainwatch\.configuration: )[0-9a-f]+"
"""The one that changes with them."""


@pytest.mark.parametrize("case", [*CASES, *EOS_CASES], ids=lambda case: case.name)
def test_case(case: Path, pytestconfig: pytest.Config) -> None:
    folder = case / "expected"
    files = dict(files_of(case.name))
    for path, script in SCRIPTS.items():
        assert files.pop(path, script) == script
    made_elsewhere = {path for path in files if MADE_ELSEWHERE.fullmatch(path)}
    sums = [checksum(iter([files[path]]))[:8] for path in made_elsewhere]
    for path in files.keys() & {"compose.yaml", "stack.yaml"}:
        files[path] = re.sub(rf"{'|'.join(sums) or '-{99}'}|{CHECKSUM}", "checksum", files[path])
    files = {path: text for path, text in files.items() if path not in made_elsewhere}
    if pytestconfig.getoption("--update-cases"):
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    expected = {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert sorted(files) == sorted(expected)
    for path, text in files.items():
        assert text == expected[path], f"{case.name}/{path}; if it should be so: pytest --update-cases"


def test_every_option_says_something_else_than_its_default_in_some_case() -> None:
    """So no option can go unheard without a case that shows it."""
    assert unheard(Options(), [options_of(case.name) for case in CASES]) == []
    assert unheard(EosOptions(), [eos_options_of(case.name) for case in EOS_CASES]) == []


def unheard(default: Options | EosOptions, cases: Sequence[Options | EosOptions]) -> list[str]:
    """Return the options that say in every case what they say by default."""
    return [
        f"{section}.{key}"
        for section in type(default).model_fields
        for key in type(getattr(default, section)).model_fields
        if not is_replaced(type(getattr(default, section)), key)
        and all(getattr(getattr(case, section), key) == getattr(getattr(default, section), key) for case in cases)
    ]


def test_the_same_options_give_the_same_files() -> None:
    assert rendered(Options()) == rendered(Options())


def test_the_repository_holds_the_rendering_of_the_default_options() -> None:
    """Written by `python -m compose.rendering`. What it does not write is somebody else's: the packages, keys/."""
    files = default_files()
    there = {path.relative_to(COMPOSE).as_posix() for path in (COMPOSE / "config").rglob("*") if path.is_file()}
    assert there == {path for path in files if path.startswith("config/")}
    for path, text in files.items():
        assert (COMPOSE / path).read_text(encoding="utf-8") == text, f"{path}: python -m compose.rendering"
