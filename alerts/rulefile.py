"""The alerts as a file of rules for Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import yaml

from alerts.alert import Alert, Compared, Group, Signalled
from alerts.chosen import Scoped
from alerts.promql import condition_in_promql
from alerts.recording import RECORDED
from alerts.texts import prometheus_description, prometheus_subject
from dashboards.queries.promql import Scope, duration, promql, quoted

COMMITTED = Path(__file__).parent / "prometheus" / "chainwatch.yaml"
"""The rules with the default thresholds, for who has no use of `chainwatch alerts`."""

DEFAULT_ADDRESS = "http://localhost:9273"
"""Where people find the runbooks if nobody says otherwise: at the default port of the page, on their own machine."""

_NEVER = 2**30
"""Columns after which a line is broken: a break in the midst of an expression makes it no easier to read."""

_HEADER = """\
# Made by chainwatch: what is changed here is lost when it is made again. Thresholds are set in chainwatch's
# configuration, and rules of your own stand best in a file of their own beside this one.
"""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def rules(chosen: Iterable[Scoped], address: str = DEFAULT_ADDRESS) -> str:
    """Return the file; runbooks are at `address`."""
    chosen = tuple(chosen)
    groups: list[dict[str, Any]] = []
    for group in get_args(Group):
        alerting = [each for each in chosen if each.alert.group == group]
        if alerting:
            made = [*_recording(alerting), *(_alerting(each, address) for each in alerting)]
            groups.append({"name": f"chainwatch-{group}", "rules": made})
    return _HEADER + yaml.dump({"groups": groups}, Dumper=_Dumper, sort_keys=False, width=_NEVER, allow_unicode=True)


def severity(alert: Alert) -> str:
    """Return the label `severity`."""
    return alert.severity.value if alert.severity else "none"


def labels(alert: Alert) -> dict[str, str]:
    """Return the labels that an alert has beside those that its condition keeps; templates of Prometheus."""
    told = {"severity": severity(alert)}
    if isinstance(alert.condition, Signalled):
        told["signal"] = alert.condition.signal
    if alert.of and alert.of != ("subject",):
        told["subject"] = prometheus_subject(alert)
    return told


def runbook_url(alert: Alert, address: str) -> str:
    """Return where the alert's runbook is."""
    return f"{address.rstrip('/')}/runbooks/{alert.name}"


def _recording(alerting: Iterable[Scoped]) -> list[dict[str, Any]]:
    """Return the rules that record what these alerts compare. In their group they are evaluated just before them."""
    compared = [each.alert.condition.expression for each in alerting if isinstance(each.alert.condition, Compared)]
    return [
        {"record": name, "expr": promql(expression, Scope())}
        for name, expression in RECORDED.items()
        if expression in compared
    ]


def _alerting(each: Scoped, address: str) -> dict[str, Any]:
    alert = each.alert
    asked = condition_in_promql(alert.condition, _scope(each), recorded=True)
    rule: dict[str, Any] = {"alert": alert.name, "expr": asked}
    if alert.lasts:
        rule["for"] = duration(alert.lasts)
    if alert.keeps:
        rule["keep_firing_for"] = duration(alert.keeps)
    rule["labels"] = labels(alert)
    if not each.but:  # the label is there anyway; said, it tells the rules of one name apart, which promtool wants
        rule["labels"]["chain"] = _no_template(each.chains[0])
    rule["annotations"] = {
        "summary": alert.summary,
        "description": prometheus_description(alert),
        "runbook_url": runbook_url(alert, address),
    }
    return rule


def _no_template(text: str) -> str:
    """Return a text as a template of Prometheus that says no more than the text."""
    return f"{{{{ {quoted(text)} }}}}" if "{{" in text else text


def _scope(each: Scoped) -> Scope:
    """Return the matchers for the chains that an alert is for."""
    if not each.chains:
        return Scope()
    if not each.but:
        return Scope({"chain": f"={quoted(each.chains[0])}"})
    return Scope({"chain": f"!~{quoted('|'.join(map(re.escape, each.chains)))}"})
