"""`chainwatch alerts`: what it writes, what it leaves alone, and what it says."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from chainwatch.command import main
from tests.alerts.promtool import promtool

CONFIGURATION = """
chains:
  - {name: lab, kind: nodeos, servers: ["http://localhost:1"], health: {state_database_share: 0.6}}
alerts:
  rules: {NodeDown: {severity: critical}}
  channels:
    - slack: {url: "https://hooks.example/very-secret"}
"""

OWN = """
groups:
  - name: own
    rules:
      - alert: PoolOfMine
        expr: chain_network_pool_transactions > 100
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a configuration."""
    file = tmp_path / "chainwatch.yaml"
    file.write_text(CONFIGURATION)
    return file


def written(config: Path, directory: Path) -> int:
    """Run the command and return its exit code."""
    return main(["alerts", "--config", str(config), "--output", str(directory)])


@pytest.mark.real
def test_thresholds_and_an_added_alert_survive_that_the_rules_are_made_again(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "rules"
    assert written(config, out) == 0
    (out / "own.rules.yaml").write_text(OWN)
    config.write_text(CONFIGURATION.replace("severity: critical", "severity: info"))
    assert written(config, out) == 0
    assert (out / "own.rules.yaml").read_text() == OWN
    text = (out / "chainwatch.rules.yaml").read_text()
    assert "> 0.6" in text
    severities = {
        rule.get("alert"): rule.get("labels", {}).get("severity")
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    }
    assert severities["NodeDown"] == "info"
    said = promtool("check", "rules", str(out / "chainwatch.rules.yaml"), str(out / "own.rules.yaml"))
    assert said.count("SUCCESS") == 2


def test_it_says_what_became_of_each_file(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "rules"
    written(config, out)
    assert f"{out}/chainwatch.rules.yaml: new\n" in capsys.readouterr().out
    written(config, out)
    said = capsys.readouterr().out
    assert said.count(": unchanged\n") == said.count("\n")
    config.write_text(CONFIGURATION.replace("0.6", "0.7"))
    written(config, out)
    said = capsys.readouterr().out
    assert f"{out}/chainwatch.rules.yaml: changed\n" in said
    assert f"{out}/alertmanager.yaml: unchanged\n" in said


@pytest.mark.parametrize("name", ["chainwatch.rules.yaml", "alertmanager.yaml"])
def test_a_file_of_somebody_else_is_left_and_nothing_is_written(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    out = tmp_path / "rules"
    out.mkdir()
    (out / name).write_text("groups: []  # mine\n")
    assert written(config, out) == 1
    assert [path.name for path in out.iterdir()] == [name]
    assert (out / name).read_text() == "groups: []  # mine\n"
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{out}/{name}: is not made by chainwatch")


def test_secrets_are_for_the_owner_alone_and_rules_for_everybody(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rules"
    written(config, out)
    assert "very-secret" in (out / "alertmanager.yaml").read_text()
    assert stat.S_IMODE((out / "alertmanager.yaml").stat().st_mode) == 0o600
    assert stat.S_IMODE((out / "chainwatch.rules.yaml").stat().st_mode) == 0o644
    assert "very-secret" not in "".join(capsys.readouterr())


def test_a_run_that_was_cut_short_leaves_nothing_in_the_way(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "rules"
    out.mkdir()
    (out / ".chainwatch.rules.yaml.new").write_text("half a")
    assert written(config, out) == 0
    assert sorted(path.name for path in out.iterdir()) == ["alertmanager.yaml", "chainwatch.rules.yaml"]


def test_a_directory_that_cannot_be_is_told(config: Path) -> None:
    run = [sys.executable, "-m", "chainwatch", "alerts", "--config", str(config), "--output", str(config / "rules")]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == f"chainwatch: {config}/rules: Not a directory\n"


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        ("", "prometheus"),
        ("influxdb: {url: 'http://localhost:8086', database: chains}", "InfluxQL"),
        ("influxdb: {url: 'http://localhost:8086', org: o, bucket: b, token: t}", "flux"),
    ],
)
def test_rules_for_grafana_ask_the_database_that_readings_go_to(
    config: Path, tmp_path: Path, outputs: str, kind: str
) -> None:
    config.write_text(CONFIGURATION + f"outputs: {{prometheus: , {outputs}}}\n")
    out = tmp_path / "out"
    assert main(["alerts", "--config", str(config), "--output", str(out), "--grafana", "uid-of-it"]) == 0
    assert sorted(path.name for path in (out / "grafana").iterdir()) == [
        "contact-points.yaml",
        "policies.yaml",
        "rules.yaml",
    ]
    made = yaml.safe_load((out / "grafana" / "rules.yaml").read_text())
    rule = next(
        rule for group in made["groups"] for rule in group["rules"] if rule["title"].startswith("StateDatabase")
    )
    asked = rule["data"][0]
    assert asked["datasourceUid"] == "uid-of-it"
    text = str(asked["model"])
    assert ("max by" in text, "SELECT" in text, "from(bucket" in text) == (
        kind == "prometheus",
        kind == "InfluxQL",
        kind == "flux",
    )
    assert stat.S_IMODE((out / "grafana" / "contact-points.yaml").stat().st_mode) == 0o600


@pytest.mark.parametrize(("interval", "looked_back"), [("10s", 300), ("10m", 1800)])
def test_grafana_looks_back_over_more_than_two_gathers(
    config: Path, tmp_path: Path, interval: str, looked_back: int
) -> None:
    text = CONFIGURATION + "outputs: {influxdb: {url: 'http://localhost:8086', database: chains}}\n"
    config.write_text(f"agent: {{interval: {interval}}}\n{text}")
    assert main(["alerts", "--config", str(config), "--output", str(tmp_path), "--grafana", "uid"]) == 0
    made = yaml.safe_load((tmp_path / "grafana" / "rules.yaml").read_text())
    asked = [rule["data"][0] for group in made["groups"] for rule in group["rules"]]
    assert {query["relativeTimeRange"]["from"] for query in asked} == {looked_back}
    assert all("time" in query["model"]["query"] for query in asked)


def test_mistakes_of_the_configuration_are_told_and_nothing_is_written(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIGURATION.replace("NodeDown", "NodeDwon"))
    assert written(config, tmp_path / "rules") == 2
    assert "alerts.rules.NodeDwon: is unknown; did you mean NodeDown?" in capsys.readouterr().err
    assert not (tmp_path / "rules").exists()
