"""The dashboards that are kept, and the command that writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dashboards
from chainwatch.command import DONE, FAILED, WRONG, main
from dashboards.writing import texts

KEPT = Path(dashboards.__file__).parent / "json"


def test_what_is_kept_is_what_the_boards_make() -> None:
    """`python -m dashboards` brings them up to date."""
    assert {path.name: path.read_text(encoding="utf-8") for path in KEPT.iterdir()} == {**texts()}


def test_another_process_makes_the_same_bytes() -> None:
    made = "import sys; from dashboards.writing import texts; sys.stdout.write(''.join(texts().values()))"
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join(sys.path), "PYTHONIOENCODING": "utf-8"}
    other = subprocess.run([sys.executable, "-c", made], check=True, capture_output=True, env=environment)
    assert other.stdout.decode() == "".join(texts().values())


def test_they_are_sorted_json_that_ends_in_a_newline() -> None:
    for name, text in texts().items():
        made = json.loads(text)
        assert text == json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n", name
        assert name == f"{made['uid']}.json"


def test_the_command_writes_all_and_tells_what_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "grafana" / "dashboards"
    assert main(["dashboards", "--output", str(into)]) == DONE
    assert {path.name for path in into.iterdir()} == {*texts()}
    assert {line.rsplit(": ", 1)[1] for line in capsys.readouterr().out.splitlines()} == {"new"}

    (into / "chainwatch-fleet.json").write_text("{}", encoding="utf-8")
    (into / "of-our-own.json").write_text("{}", encoding="utf-8")
    assert main(["dashboards", "--output", str(into)]) == DONE
    told = dict(line.rsplit(": ", 1) for line in capsys.readouterr().out.splitlines())
    assert told.pop(str(into / "chainwatch-fleet.json")) == "changed"
    assert {*told.values()} == {"unchanged"}
    assert (into / "chainwatch-fleet.json").read_text(encoding="utf-8") == texts()["chainwatch-fleet.json"]
    assert (into / "of-our-own.json").read_text(encoding="utf-8") == "{}"


def test_a_place_where_nothing_can_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    argv = [sys.executable, "-m", "chainwatch", "dashboards", "--output", str(tmp_path / "file" / "in")]
    tried = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=KEPT.parent.parent)
    assert (tried.returncode, tried.stdout) == (FAILED, "")
    assert tried.stderr == f"chainwatch: {tmp_path / 'file' / 'in'}: Not a directory\n"


def test_grafana_never_reads_half_of_a_file(tmp_path: Path) -> None:
    """A dashboard is replaced as a whole: who has the old one open reads it to its end."""
    assert main(["dashboards", "--output", str(tmp_path)]) == DONE
    path = tmp_path / "chainwatch-fleet.json"
    path.write_text("{}", encoding="utf-8")
    with path.open(encoding="utf-8") as reading:
        assert main(["dashboards", "--output", str(tmp_path)]) == DONE
        assert reading.read() == "{}"
    assert path.stat().st_size > 2
    assert {file.name for file in tmp_path.iterdir()} == {*texts()}


def test_the_command_colours_panels_by_the_thresholds_of_a_configuration(tmp_path: Path) -> None:
    chain = "{name: lab, kind: ethereum, servers: [http://127.0.0.1:8545], health: {behind_blocks: 9}}"
    config = tmp_path / "chainwatch.yaml"
    config.write_text(f"chains: [{chain}]\n", encoding="utf-8")
    assert main(["dashboards", "--config", str(config), "--output", str(tmp_path / "into")]) == DONE
    panels = json.loads((tmp_path / "into" / "chainwatch-node.json").read_text(encoding="utf-8"))["panels"]
    (lag,) = (panel for panel in panels if panel["title"] == "Lag")
    assert lag["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 9

    config.write_text("chains: [{}]\n", encoding="utf-8")
    assert main(["dashboards", "--config", str(config), "--output", str(tmp_path / "not")]) == WRONG
    assert not (tmp_path / "not").exists()
