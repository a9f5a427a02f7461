"""What a deployed cluster does about alerts: rules, dashboards, who tells whom, and what of it is an operator's own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.chosen import by_default
from alerts.rulefile import rules
from collector.configuration import WrongConfiguration, read_configuration
from compose.deploying import deploy
from compose.options.ethereum.models import Options
from compose.options.reading import read_options
from compose.options.telling import teller
from compose.rendering import rendered
from tests.real.servers import require

RULES = "config/prometheus/rules/chainwatch.yaml"
OWN = "config/prometheus/rules/own.yaml"
DASHBOARDS = "config/grafana/provisioning/dashboards"
GRAFANA_RULES = "config/grafana/provisioning/alerting/chainwatch.yaml"
ALERTMANAGER = "config/alertmanager/alertmanager.yaml"
COLLECTOR = "config/collector/chainwatch.yaml"

CHANNELS = """
alerts:
  channels:
    - {name: team, webhook: {url: "https://hooks.example/hunter2", token_file: token}}
    - {severity: critical, slack: {url_file: slack}}
"""
SECRETS = {"alerts-team-url": "https://hooks.example/hunter2", "alerts-team-token": "hunter2-token"}


def options_of(folder: Path, text: str) -> Any:  # noqa: ANN401 - of either kind of network
    """Return the options of a file, beside which the secrets lie that it names."""
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text("hunter2-token\n")
    (folder / "slack").write_text("https://hooks.slack.example/hunter2\n")
    (folder / "lab.yaml").write_text(text)
    return read_options(folder / "lab.yaml", {})[0]


def mistakes_of(folder: Path, text: str) -> list[str]:
    """Return what is wrong with options."""
    with pytest.raises(WrongConfiguration) as raised:
        options_of(folder, text)
    return [line.partition(": ")[2] for line in str(raised.value).splitlines()]


def without(*sections: str) -> str:
    """Return options without these services."""
    return "".join(f"{section}: {{count: 0}}\n" for section in sections)


def dashboards(text: str, folder: Path) -> set[str]:
    """Return the dashboards that a cluster has."""
    found = rendered(options_of(folder, text))
    return {
        path.removeprefix(f"{DASHBOARDS}/").removesuffix(".json")
        for path, text in found.items()
        if path.endswith(".json") and json.loads(text)["uid"] in path
    }


def test_the_rules_are_those_of_everybody_with_links_to_the_page() -> None:
    assert rendered(Options())[RULES] == rules(by_default(), "http://127.0.0.1:9280")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("publish: {address: 192.0.2.7, page: 9999}", "http://192.0.2.7:9999/runbooks/"),
        ('publish: {address: "::1"}', "http://[::1]:9280/runbooks/"),
        ("publish: {address: 0.0.0.0}", "http://localhost:9280/runbooks/"),
        ("alerts: {address: https://monitor.example}", "https://monitor.example/runbooks/"),
    ],
)
def test_links_lead_to_where_the_page_is_published(text: str, address: str, tmp_path: Path) -> None:
    assert address in rendered(options_of(tmp_path, text))[RULES]


def test_thresholds_of_the_options_are_the_collectors_and_the_rules(tmp_path: Path) -> None:
    text = "health: {restarts: 7, behind_blocks: 9}\nalerts: {stale: 7m, rules: {NodeDown: {off: true}}}\n"
    made = rendered(options_of(tmp_path, text))
    assert yaml.safe_load(made[COLLECTOR])["chains"][0]["health"] == {"behind_blocks": 9, "restarts": 7}
    assert ">= 7" in made[RULES]
    assert "> 420" in made[RULES]
    assert "alert: NodeDown" not in made[RULES]


def test_and_its_dashboards(tmp_path: Path) -> None:
    made = rendered(options_of(tmp_path, "health: {restarts: 7}\n"))
    panels = json.loads(made[f"{DASHBOARDS}/chainwatch-node.json"])["panels"]
    (restarts,) = (panel for panel in panels if panel["title"] == "Restarts")
    assert restarts["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 7


@pytest.mark.parametrize("kind", ["", "eos: {}\n"])
def test_of_a_chain_that_nobody_is_to_watch_no_collector_is_missed(kind: str, tmp_path: Path) -> None:
    made = rendered(options_of(tmp_path, kind + without("collector")))
    names = {rule.get("alert") for group in yaml.safe_load(made[RULES])["groups"] for rule in group["rules"]}
    assert "CollectorDown" not in names
    assert {"Watchdog", "NodeosCrashing"} <= names, "what does not come of the collector is told all the same"


@pytest.mark.real
@pytest.mark.parametrize("text", ["{}", "health: {restarts: 7}\n", "eos: {}\n"])
def test_prometheus_takes_the_rules(text: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(rendered(options_of(tmp_path, text))[RULES])
    argv = [require("promtool"), "check", "rules", str(tmp_path / "rules.yaml")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_are_those_of_the_chain_and_of_the_databases_that_there_are(tmp_path: Path) -> None:
    everywhere = dashboards("{}", tmp_path)
    assert {"chainwatch-fleet", "chainwatch-node", "chainwatch-pipeline"} <= everywhere
    assert "chainwatch-nodeos" not in everywhere
    assert "chainwatch-ethereum" not in dashboards("eos: {}", tmp_path)
    assert not [name for name in everywhere if name.endswith("-flux")]
    assert not [name for name in dashboards(without("influxdb"), tmp_path) if name.endswith("-influxql")]
    assert not [name for name in dashboards(without("prometheus"), tmp_path) if not name.endswith("-influxql")]
    assert dashboards(without("grafana"), tmp_path) == set()


def test_grafana_has_rules_of_its_own_where_there_is_no_prometheus(tmp_path: Path) -> None:
    assert GRAFANA_RULES not in rendered(options_of(tmp_path, "{}"))
    assert GRAFANA_RULES not in rendered(options_of(tmp_path, without("prometheus", "influxdb")))
    made = yaml.safe_load(rendered(options_of(tmp_path, without("prometheus")))[GRAFANA_RULES])
    titles = {rule["title"] for group in made["groups"] for rule in group["rules"]}
    assert GRAFANA_RULES not in rendered(options_of(tmp_path, without("prometheus", "collector")))
    assert {"ChainHalted", "NodeDown", "CollectorDown"} <= titles


def test_alertmanager_tells_and_is_handed_what_is_secret(tmp_path: Path) -> None:
    options = options_of(tmp_path, CHANNELS)
    made = rendered(options)
    assert teller(options) == "alertmanager"
    assert "url_file: /run/chainwatch/alerts-team-url" in made[ALERTMANAGER]
    assert "api_url_file: /run/chainwatch/alerts-slack-2-url" in made[ALERTMANAGER]
    assert "notify" not in made[COLLECTOR]
    services = yaml.safe_load(made["compose.yaml"])["services"]
    assert "--give=secrets/alerts-team-token:65534:/run/chainwatch/alerts-team-token" in services["setup"]["command"]
    assert "secrets:/run/chainwatch:ro" in services["alertmanager"]["volumes"]
    assert "setup" in services["alertmanager"]["depends_on"]


@pytest.mark.parametrize("left_out", ["prometheus", "alertmanager"])
@pytest.mark.parametrize("kind", ["", "eos: {}\n"], ids=["ethereum", "eos"])
def test_without_alertmanager_the_collector_tells(left_out: str, kind: str, tmp_path: Path) -> None:
    options = options_of(tmp_path, kind + without(left_out) + "publish: {page: 0}\n" + CHANNELS)
    made = rendered(options)
    assert teller(options) == "collector"
    services = yaml.safe_load(made["compose.yaml"])["services"]
    assert "--give=secrets/alerts-team-url:10001:/run/chainwatch/alerts-team-url" in services["setup"]["command"]
    assert "outside" in services["collector"]["networks"]
    assert "alerts-" not in made.get(ALERTMANAGER, "")
    for name, secret in {
        **SECRETS,
        "alerts-slack-2-url": "https://hooks.slack.example/hunter2",
        "ethstats": "s",
        "influxdb-collector": "s",
        "clients.yaml": made.get("config/traefik/dynamic/clients.yaml", ""),
    }.items():
        (tmp_path / name).write_text(secret)
    text = made[COLLECTOR].replace("/run/chainwatch", str(tmp_path)).replace("/etc/traefik", str(tmp_path))
    (tmp_path / "chainwatch.yaml").write_text(text)
    read = read_configuration(tmp_path / "chainwatch.yaml", {})
    assert read.outputs.notify is not None
    assert [channel.name for channel in read.alerts.channels] == ["team", "slack-2"]
    assert read.alerts.channels[0].webhook is not None
    assert read.alerts.channels[0].webhook.url == SECRETS["alerts-team-url"]


def test_a_swarm_hands_them_over_as_secrets(tmp_path: Path) -> None:
    options = options_of(tmp_path, "eos: {}\n" + CHANNELS)
    stack = yaml.safe_load(rendered(options, target="swarm")["stack.yaml"])
    handed = {secret["target"]: secret["uid"] for secret in stack["services"]["alertmanager"]["secrets"]}
    assert handed["/run/chainwatch/alerts-team-url"] == "65534"
    assert stack["secrets"]["alerts-team-url"]["file"] == "./keys/secrets/alerts-team-url"


@pytest.mark.parametrize("kind", ["", "eos: {}\n"], ids=["ethereum", "eos"])
def test_secrets_lie_in_keys_and_nowhere_else(kind: str, tmp_path: Path) -> None:
    """The options that are left have their paths, so that a run without a file of options knows them, too."""
    options = options_of(tmp_path / "given", kind + CHANNELS)
    output = tmp_path / "lab"
    deploy(options, output, _silent)
    for name, secret in SECRETS.items():
        file = output / "keys" / "secrets" / name
        assert file.read_text() == f"{secret}\n"
        assert file.stat().st_mode & 0o777 == 0o600
    elsewhere = [path for path in output.rglob("*") if path.is_file() and "keys/secrets" not in str(path)]
    assert not [path for path in elsewhere if b"hunter2" in path.read_bytes()]

    left = read_options(output / "options.yaml", {})[0]
    assert rendered(left) == rendered(options)
    said: list[str] = []
    deploy(left, output, said.append)
    assert not [line for line in said if ": changed" in line or line.startswith("made")]

    (tmp_path / "given" / "token").write_text("another\n")
    deploy(read_options(tmp_path / "given" / "lab.yaml", {})[0], output, _silent)
    assert (output / "keys/secrets/alerts-team-token").read_text() == "another\n"


def test_what_is_an_operators_own_stays(tmp_path: Path) -> None:
    """Rules beside chainwatch's own, and thresholds in the options."""
    output = tmp_path / "lab"
    deploy(options_of(tmp_path / "given", "{}"), output, _silent)
    own = "groups: [{name: own, rules: [{alert: Mine, expr: vector(1)}]}]\n"
    (output / OWN).write_text(own)
    deploy(options_of(tmp_path / "given", "health: {restarts: 7}\n"), output, _silent)
    assert (output / OWN).read_text() == own
    assert ">= 7" in (output / RULES).read_text()
    deploy(options_of(tmp_path / "given", without("prometheus")), output, _silent)
    assert (output / OWN).read_text() == own
    assert not (output / RULES).exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (without("alertmanager", "collector") + CHANNELS, "are told by nobody"),
        ("alerts: {watchdog: https://w.example/x}\n" + without("alertmanager"), "is called by Alertmanager"),
        ("alerts: {channels: [{slack: {}}]}", "write url_file, or url"),
        ("alerts: {channels: [{name: a b, pagerduty: {key: k}}]}", "is no name for a channel here"),
        ("alerts: {channels: [{name: a, pagerduty: {key: k}}, {name: a, pagerduty: {key: k}}]}", "another channel's"),
        ("alerts: {channels: [{chains: [other], pagerduty: {key: k}}]}", "name another chain than ethereum"),
        ("alerts: {channels: [{telegram: {chat: '@lab', token: t}}]}", "by number alone"),
        ("alerts: {rules: {NodeDwon: {off: true}}}", "did you mean NodeDown?"),
        (
            "alerts: {channels: [{mail: {to: [a@x.example], from: b@x.example, server: 'm:25', username: u}}]}",
            "without a password",
        ),
    ],
)
def test_what_reaches_nobody_is_a_mistake(text: str, told: str, tmp_path: Path) -> None:
    [mistake] = mistakes_of(tmp_path, text)
    assert told in mistake
    assert mistake.startswith("alerts")


def _silent(_: str) -> None:
    """Say nothing."""
