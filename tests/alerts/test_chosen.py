"""Which alerts a configuration wants: thresholds by chain, what single alerts have otherwise, where runbooks are."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from alerts.alert import Compared
from alerts.chosen import by_default, of_chain, runbooks_at, scoped
from alerts.rulefile import rules
from alerts.table import NAMES
from collector.configuration import Configuration, WrongConfiguration, read_configuration
from tests.alerts.promtool import promtool

CHAINS = """
chains:
  - {name: main, kind: nodeos, servers: ["http://localhost:1"]}
  - {name: lab.1, kind: nodeos, servers: ["http://localhost:2"], health: {state_database_share: 0.7}}
  - {name: lab-2, kind: nodeos, servers: ["http://localhost:3"], health: {state_database_share: 0.7}}
  - {name: 'a "{{b" \\ c', kind: ethereum, servers: ["http://localhost:4"], health: {syncing: 2h, behind_blocks: 9}}
"""


def configuration(tmp_path: Path, text: str) -> Configuration:
    """Return what a file says."""
    file = tmp_path / "chainwatch.yaml"
    file.write_text(text)
    return read_configuration(file, alerts=NAMES)


def expressions(text: str, name: str) -> list[str]:
    """Return the expressions of all rules of a name."""
    groups = yaml.safe_load(text)["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"] if rule.get("alert") == name]


def test_without_anything_said_the_rules_are_the_defaults(tmp_path: Path) -> None:
    plain = configuration(tmp_path, 'chains: [{name: lab, kind: nodeos, servers: ["http://localhost:1"]}]')
    assert scoped(plain) == by_default()


def test_chains_that_differ_have_rules_of_their_own(tmp_path: Path) -> None:
    """The others, and chains of other collectors, keep the rule with the defaults."""
    text = rules(scoped(configuration(tmp_path, CHAINS)))
    share = "chain_node:chain_state_database_used:ratio"
    assert expressions(text, "StateDatabaseFilling") == [
        share + r'{chain!~"lab\\.1|lab\\-2"} > 0.9',
        share + '{chain="lab.1"} > 0.7',
        share + '{chain="lab-2"} > 0.7',
    ]
    assert expressions(text, "NodeSyncing") == [
        r'max by (chain, node) (chain_syncing{chain!~"a\\ \"\\{\\{b\"\\ \\\\\\ c"}) == 1',
        r'max by (chain, node) (chain_syncing{chain="a \"{{b\" \\ c"}) == 1',
    ]


def test_what_health_judges_is_not_judged_by_chain(tmp_path: Path) -> None:
    """A chain whose nodes may lag by nine blocks needs no rule of its own: health has it found, or not."""
    assert len(expressions(rules(scoped(configuration(tmp_path, CHAINS))), "NodeBehind")) == 1


@pytest.mark.real
def test_promtool_accepts_rules_by_chain(tmp_path: Path) -> None:
    file = tmp_path / "chainwatch.rules.yaml"
    file.write_text(rules(scoped(configuration(tmp_path, CHAINS))))
    assert "SUCCESS" in promtool("check", "rules", str(file))


@pytest.mark.real
def test_a_chain_is_judged_by_its_own_threshold(tmp_path: Path) -> None:
    (tmp_path / "chainwatch.rules.yaml").write_text(rules(scoped(configuration(tmp_path, CHAINS))))
    names = ("main", "lab.1", "lab-2", "elsewhere")
    series = [
        {"series": f'chain_state_database_{field}_bytes{{chain="{name}", node="n"}}', "values": f"{value}x20"}
        for name in names
        for field, value in (("used", 80), ("size", 100))
    ]
    fired = [
        {
            "exp_labels": {"severity": "critical", "chain": name, "node": "n", "subject": "n"},
            "exp_annotations": {
                "summary": "The state database of a nodeos is nearly full.",
                "description": f"80% of the state database of n of {name} are used: nodeos stops when it is full, and "
                "other nodes of the chain fill alike.",
                "runbook_url": "http://localhost:9273/runbooks/StateDatabaseFilling",
            },
        }
        for name in ("lab-2", "lab.1")
    ]
    check = {"eval_time": "4m", "alertname": "StateDatabaseFilling", "exp_alerts": fired}
    test = {
        "rule_files": ["chainwatch.rules.yaml"],
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", "input_series": series, "alert_rule_test": [check]}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(test))
    promtool("test", "rules", str(tmp_path / "test.yaml"))


def test_single_alerts_are_otherwise(tmp_path: Path) -> None:
    text = (
        CHAINS + "alerts: {rules: {NodeDown: {severity: critical, for: 5m}, MixedVersions: {off: true}, NodeSlow: }}\n"
    )
    told = {alert.name: alert for alert in of_chain(configuration(tmp_path, text), "main")}
    assert (told["NodeDown"].severity, told["NodeDown"].lasts) == ("critical", 300.0)
    assert "MixedVersions" not in told
    before = {alert.name: alert for alert in of_chain(configuration(tmp_path, CHAINS), "main")}
    assert told.keys() == before.keys() - {"MixedVersions"}
    assert [name for name in told if told[name] != before[name]] == ["NodeDown"]


def test_thresholds_of_the_pipeline_are_those_of_the_section(tmp_path: Path) -> None:
    text = CHAINS + "alerts: {buffer_share: 0.5, stale: 1h, missed_share: 0.25, failing: 10m}\n"
    written = rules(scoped(configuration(tmp_path, text)))
    assert expressions(written, "OutputBufferFilling") == ["output:chainwatch_buffer_used:ratio > 0.5"]
    assert expressions(written, "GathersMissed") == ["chain_node:chainwatch_gathers_missed:ratio10m > 0.25"]
    assert " > 3600\n" in expressions(written, "GathersStale")[0]
    assert "for: 8m" in written  # of OutputFailing: the last two minutes are its window


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ("agent: {interval: 100s}", 300),
        ("agent: {interval: 10m}", 1800),
        ("agent: {interval: 10m}\nalerts: {stale: 2h}", 7200),
        ("agent: {interval: 10m}\nalerts: {stale: 11m}", 1800),
    ],
)
def test_a_chain_that_is_seldom_gathered_is_not_stale_between_two_gathers(
    tmp_path: Path, more: str, seconds: int
) -> None:
    told = {alert.name: alert for alert in of_chain(configuration(tmp_path, CHAINS + more + "\n"), "main")}
    condition = told["GathersStale"].condition
    assert isinstance(condition, Compared)
    assert condition.limit == seconds


def test_of_servers_with_intervals_of_their_own_the_shortest_counts(tmp_path: Path) -> None:
    """One of them is gathered all the while, unless something is wrong."""
    seldom, often = '{url: "http://localhost:1", interval: 10m}', '{url: "http://localhost:2", interval: 4m}'
    for servers, seconds in ((seldom, 1800), (f"{seldom}, {often}", 720)):
        chains = [f"{{name: {name}, kind: nodeos, servers: [{of}]}}" for name, of in (("lab", servers), ("m", often))]
        text = f"chains: [{', '.join(chains)}]"
        written = rules(scoped(configuration(tmp_path, text)))
        [others, lab, _] = expressions(written, "GathersStale")
        assert ("lab" in others, f" > {seconds}\n" in lab) == (True, True)


def test_an_alert_that_there_is_not_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(WrongConfiguration) as wrong:
        configuration(tmp_path, CHAINS + "alerts:\n  rules:\n    NodeDwon:\n      off: true\n")
    [mistake] = wrong.value.mistakes
    assert str(mistake).endswith(":9: alerts.rules.NodeDwon: is unknown; did you mean NodeDown?")


@pytest.mark.parametrize(
    ("more", "address"),
    [
        ("", "http://localhost:9273"),
        ('outputs: {prometheus: {listen: ":9999"}}', "http://localhost:9999"),
        ('outputs: {page: {listen: "192.0.2.1:80"}}', "http://192.0.2.1:80"),
        ('outputs: {page: {listen: "[2001:db8::1]:80"}}', "http://[2001:db8::1]:80"),
        ("alerts: {address: https://monitor.example/chains/}", "https://monitor.example/chains"),
    ],
)
def test_runbooks_are_where_the_page_is(tmp_path: Path, more: str, address: str) -> None:
    chosen = configuration(tmp_path, CHAINS + more + "\n")
    assert f"runbook_url: {address}/runbooks/NodeDown\n" in rules(scoped(chosen), runbooks_at(chosen))
