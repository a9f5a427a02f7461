"""Which alerts a configuration wants: with its thresholds, chain by chain, and what it says of single ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from alerts.alert import Alert, Limits
from alerts.table import alerts
from collector.configuration import Address, Agent, Chain, Configuration, Prometheus, schedule
from collector.configuration.alerting import Alerts, Rule
from collector.health.thresholds import Thresholds
from collector.thresholds import PipelineThresholds

_ANYWHERE = ("", "0.0.0.0", "::", "127.0.0.1", "::1")  # noqa: S104 - nothing listens here


STALE_INTERVALS = 3.0
"""A chain of which fewer gathers than these are missing is not stale, however seldom it is gathered."""


class Scoped(NamedTuple):
    """An alert, and what it is for: the one of `chains`, or all chains `but` these."""

    alert: Alert
    chains: tuple[str, ...] = ()
    but: bool = True


def by_default() -> tuple[Scoped, ...]:
    """Return every alert with the default thresholds, for all chains."""
    return tuple(Scoped(alert) for alert in alerts(Limits()))


def scoped(configuration: Configuration) -> tuple[Scoped, ...]:
    """Return the alerts that a configuration wants, in the order of the table.

    One that is the same for all chains is there once. Otherwise it is there for each chain that is not like the
    defaults, and once for all others, of which this configuration may know nothing.
    """
    chains = {chain.name: of_chain(configuration, chain.name) for chain in configuration.chains}
    found: list[Scoped] = []
    for place, alert in enumerate(of_chain(configuration)):
        different = {name: theirs[place] for name, theirs in chains.items() if theirs[place] != alert}
        found.append(Scoped(alert, tuple(different)))
        found += [Scoped(other, (name,), but=False) for name, other in different.items()]
    return tuple(found)


def of_chain(configuration: Configuration, name: str = "") -> tuple[Alert, ...]:
    """Return the alerts with the thresholds of one chain: the defaults, if the configuration does not have it."""
    chain = next((chain for chain in configuration.chains if chain.name == name), None)
    return _with_rules(alerts(_limits(configuration.agent, configuration.alerts, chain)), configuration.alerts.rules)


def limits(configuration: Configuration) -> tuple[Limits, ...]:
    """Return the thresholds of each chain of a configuration."""
    return tuple(_limits(configuration.agent, configuration.alerts, chain) for chain in configuration.chains)


def runbooks_at(configuration: Configuration) -> str:
    """Return the address of the page that has the runbooks: as it is told, else where this machine serves it."""
    if configuration.alerts.address:
        return configuration.alerts.address
    outputs = configuration.outputs
    served = [page.listen for page in (outputs.prometheus, *outputs.page) if page]
    listen = served[0] if served else Prometheus().listen
    host = "localhost" if listen.host in _ANYWHERE else listen.host
    return f"http://{Address(host, listen.port)}"


def intervals(agent: Agent, chain: Chain) -> list[float]:
    """Return how often the servers of a chain are gathered."""
    return [schedule(agent, chain, server)[0] for server in chain.servers] or [schedule(agent, chain)[0]]


def _limits(agent: Agent, section: Alerts, chain: Chain | None) -> Limits:
    often = min(intervals(agent, chain)) if chain else agent.interval
    return Limits(
        Thresholds(**dict(chain.health)) if chain else Thresholds(),
        PipelineThresholds(
            buffer_share=section.buffer_share,
            stale_seconds=max(section.stale, STALE_INTERVALS * often),
            missed_share=section.missed_share,
            failing_seconds=section.failing,
        ),
    )


def _with_rules(known: tuple[Alert, ...], rules: Mapping[str, Rule]) -> tuple[Alert, ...]:
    return tuple(_with_rule(alert, rules.get(alert.name, Rule())) for alert in known if not _off(alert, rules))


def _off(alert: Alert, rules: Mapping[str, Rule]) -> bool:
    return alert.name in rules and rules[alert.name].off


def _with_rule(alert: Alert, rule: Rule) -> Alert:
    return replace(
        alert,
        severity=alert.severity if rule.severity is None else rule.severity,
        lasts=alert.lasts if rule.lasts is None else rule.lasts,
    )
