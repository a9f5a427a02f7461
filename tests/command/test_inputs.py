"""What the command is given: wrong input is told at once, in full, and ends it with 2."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from chainwatch.command import main
from collector.about import VERSION
from collector.catalogue import BY_NAME, CATALOGUE
from tests.command.processes import ARGV, chainwatch

RIGHT = """\
chains:
  - {name: lab, kind: ethereum, servers: ["http://127.0.0.1:8545", "http://127.0.0.1:8546"]}
  - {name: main, kind: nodeos, servers: ["http://127.0.0.1:8888"]}
outputs: {prometheus: {}}
"""
WRONG = """\
agent: {intervall: 10s}
chains:
  - name: lab
    kind: etherium
    servers: [http://127.0.0.1:8545]
outputs:
  prometheus: {listen: nowhere}
"""
NO_OUTPUTS = RIGHT.replace("outputs: {prometheus: {}}\n", "")
COMMANDS = ("run", "once", "check", "demo", "metrics", "deploy", "endpoints", "schema")


def configuration(tmp_path: Path, text: str) -> Path:
    """Write a configuration."""
    path = tmp_path / "chainwatch.yaml"
    path.write_text(text)
    return path


def test_a_right_configuration_is_one_line(tmp_path: Path) -> None:
    path = configuration(tmp_path, RIGHT)
    code, stdout, stderr, _ = chainwatch("check", "--config", path)
    assert (code, stderr) == (0, "")
    assert stdout.startswith(f"{path}: no mistakes; ")
    assert stdout.count("\n") == 1


@pytest.mark.parametrize("command", ["check", "run", "once"])
def test_every_mistake_is_told_with_its_line(tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = configuration(tmp_path, WRONG)
    assert main([command, "--config", str(path)]) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert [line.rpartition(": ")[0] for line in stderr.splitlines()] == [
        f"{path}:1: agent.intervall",
        f"{path}:4: chains[0].kind",
        f"{path}:7: outputs.prometheus.listen",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, stdout, stderr, _ = chainwatch("check", "--config", tmp_path / "none.yaml")
    assert (code, stdout) == (2, "")
    assert stderr == f"{tmp_path / 'none.yaml'}: cannot be read: No such file or directory\n"


def test_mistakes_in_files_of_servers_are_told_as_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configuration(tmp_path, RIGHT.replace('"http://127.0.0.1:8888"', "file: nodes/*.yaml"))
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    (nodes / "a.yaml").write_text("- http://127.0.0.1:1\n- {url: http://127.0.0.1:2, rolle: x}\n")
    assert main(["check", "--config", str(path)]) == 2
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.startswith(f"{nodes / 'a.yaml'}:2: [1].rolle: is unknown")
    (nodes / "a.yaml").write_text("- http://127.0.0.1:1\n")
    assert main(["check", "--config", str(path)]) == 0


def test_what_is_hardly_meant_is_told_and_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = configuration(tmp_path, "agent: {interval: 1s, timeout: 2s}\n" + RIGHT)
    assert main(["check", "--config", str(path)]) == 0
    stdout, stderr = capsys.readouterr()
    assert stderr.startswith(f"{path}:1: agent.timeout: makes the timeout, 2s, longer than the interval, 1s")
    assert (stdout.count("\n"), stderr.count("\n")) == (1, 1)


@pytest.mark.parametrize("outputs", ["", "outputs: {}\n", "outputs: {influxdb: []}\n"])
def test_without_outputs_there_is_nothing_to_run_for(
    tmp_path: Path, outputs: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = configuration(tmp_path, NO_OUTPUTS + outputs)
    assert main(["run", "--config", str(path)]) == 2
    assert capsys.readouterr() == ("", f"{path}: outputs: names none; say where the readings go\n")
    assert main(["check", "--config", str(path)]) == 0
    assert "no outputs" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("start",),
        ("check",),
        ("check", "--config"),
        ("run", "--config", "x.yaml", "--colour"),
        ("metrics", "all"),
        ("demo", "--duration", "soon"),
        ("demo", "--duration", "nan"),
        ("demo", "--duration", "-1"),
        ("demo", "--listen", "nowhere"),
        ("deploy", "options.yaml"),
        ("deploy", "--output", "lab", "--target", "nomad"),
        ("endpoints",),
    ],
)
def test_unknown_words_are_wrong(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert stderr.startswith("usage: chainwatch")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(re.search(rf"^    {command}\s", said, re.MULTILINE) for command in COMMANDS), said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    assert f"usage: chainwatch {command}" in capsys.readouterr().out


def test_the_version() -> None:
    assert chainwatch("--version")[:3] == (0, f"chainwatch {VERSION}\n", "")


def test_metrics_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert listed == [metric.name for metric in CATALOGUE]
    assert len(set(listed)) == len(listed)


def test_metrics_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [metric.name for metric in CATALOGUE]
    for row in rows:
        metric = BY_NAME[row["name"]]
        assert row["kind"] == metric.kind.value
        assert row["labels"] == list(metric.labels)
        assert (row["unit"], row["help"], row["origin"]) == (metric.unit, metric.help, metric.origin)


def test_the_schema_is_the_documented_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    documented = Path(__file__).parents[2] / "docs" / "configuration.schema.json"
    assert json.loads(capsys.readouterr().out) == json.loads(documented.read_text())


def test_a_reader_that_has_seen_enough() -> None:
    process = subprocess.Popen([*ARGV, "metrics"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_a_full_disk_is_told() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*ARGV, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "chainwatch: No space left on device\n")
