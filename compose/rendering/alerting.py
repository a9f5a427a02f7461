"""The rules by which alerts fire, with the thresholds and the links of the options."""

from __future__ import annotations

from alerts.alert import Limits
from alerts.chosen import Scoped, limits, scoped
from alerts.rulefile import rules as rule_file
from collector.configuration import Agent, Chain, Configuration
from compose.options.kinds import Options
from compose.rendering.collecting import PAGE_PORT

PATH = "config/prometheus/rules/chainwatch.yaml"


_OF_COLLECTOR = "CollectorDown"
"""The alert that fires where there is no collector."""


def rules(options: Options, *, watched: bool) -> str:
    """Return Prometheus' rules; where no collector is wanted (`watched`), none is missed."""
    chosen = [each for each in wanted(options) if watched or each.alert.name != _OF_COLLECTOR]
    return rule_file(chosen, address(options))


def wanted(options: Options) -> tuple[Scoped, ...]:
    """Return the alerts that the options want."""
    return scoped(_configuration(options))


def thresholds(options: Options) -> Limits:
    """Return the thresholds that they fire at."""
    (found,) = limits(_configuration(options))
    return found


def _configuration(options: Options) -> Configuration:
    """Return as much of the collector's configuration as counts here: interval, thresholds, what is said of alerts."""
    chain = Chain.model_construct(name=options.service.name, kind="", health=options.health)
    agent = Agent.model_construct(interval=options.collector.interval)
    return Configuration.model_construct(agent=agent, chains=(chain,), alerts=options.alerts)


def address(options: Options) -> str:
    """Return where people find runbooks: at the page of the collector, as `publish` shows it."""
    publish = options.publish
    if options.alerts.address:
        return options.alerts.address
    host = "localhost" if publish.address in ("", "0.0.0.0", "::") else publish.address  # noqa: S104 - not bound to
    return f"http://{f'[{host}]' if ':' in host else host}:{publish.page or PAGE_PORT}"
