"""The collector's own notifier: made from a configuration, and tried by `chainwatch notify test`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from alerts.channels import named
from alerts.chosen import of_chain, runbooks_at
from collector.configuration import Configuration
from collector.configuration.alerting import Channel
from collector.health.assessment import Severity
from collector.health.health import Health
from exporters.notify import Settings
from exporters.notify.lives import LOOKS
from exporters.notify.notice import Facts, Identity, Message, Notice, Status
from exporters.notify.ways import NotSent, way_of

_TEXT = "This is a test of the way to you, by `chainwatch notify test`: nothing is wrong, and there is nothing to do."


class UnknownChannel(Exception):  # noqa: N818 - named for what is told
    """No channel is called so."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no channel is called {name}; there are: {', '.join(known) or 'none'}")


def notify_settings(configuration: Configuration) -> Settings | None:
    """Return the notifier's settings; None where it isn't wanted."""
    notify = configuration.outputs.notify
    if notify is None:
        return None
    sharded = configuration.agent.shard is not None
    return Settings(
        channels=dict(named(configuration.alerts)),
        alerts={
            "": tuple(alert for alert in of_chain(configuration) if not alert.of_chain),
            **{
                chain.name: tuple(alert for alert in of_chain(configuration, chain.name) if alert.of_chain)
                for chain in configuration.chains
            },
        },
        directory=configuration.agent.state_dir,
        looks={chain.name: LOOKS + chain.health.down_gathers for chain in configuration.chains},
        gathered=frozenset() if sharded else frozenset(chain.name for chain in configuration.chains if chain.servers),
        runbooks=_runbooks(configuration),
        every=notify.every,
        repeat=notify.repeat,
        heartbeat=notify.heartbeat or "",
        heartbeat_interval=notify.heartbeat_interval,
    )


def _runbooks(configuration: Configuration) -> str:
    """Return the address of the page that has the runbooks; "" where there is none."""
    outputs = configuration.outputs
    served = configuration.alerts.address or outputs.prometheus or outputs.page
    return runbooks_at(configuration) if served else ""


def explain_by(health: Health) -> Callable[[str], Mapping[tuple[str, str], str]]:
    """Return what tells a chain's findings in health's own sentences, by signal and subject."""

    def explain(chain: str) -> Mapping[tuple[str, str], str]:
        found = [finding for each in health.assess() if each.chain == chain for finding in each.findings]
        return {(finding.signal, finding.subject): finding.text for finding in found}

    return explain


async def try_channels(configuration: Configuration, only: str | None, tell: Callable[[str], None]) -> bool:
    """Send a test message over each channel, or one alone; `tell` how it went. Returns whether all went well.

    Raises UnknownChannel.
    """
    channels = dict(named(configuration.alerts))
    if only is not None:
        if only not in channels:
            raise UnknownChannel(only, list(channels))
        channels = {only: channels[only]}
    if not channels:
        tell("alerts.channels names none: nobody would be told of anything")
        return False
    address = _runbooks(configuration)
    results = await asyncio.gather(*(_try(name, channel, address) for name, channel in channels.items()))
    for name, failure in zip(channels, results, strict=True):
        tell(f"{name}: {failure or 'sent'}")
    return not any(results)


async def _try(name: str, channel: Channel, address: str) -> str:
    """Send a test message; return what went wrong, "" if nothing did."""
    now = time.time()
    facts = Facts(Severity.INFO, "A test of chainwatch's notifications.", _TEXT)
    # It has passed: what opens incidents closes this one at once.
    notice = Notice(Identity("NotificationTest", "", name), facts, Status.PASSED, now, now)
    way = way_of(channel, address)
    try:
        await way.send(Message(name, "", (notice,)))
    except NotSent as failure:
        return str(failure)
    finally:
        await way.close()
    return ""
