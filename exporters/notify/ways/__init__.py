"""The ways to tell somebody."""

from __future__ import annotations

from collector.configuration.alerting import Channel
from exporters.notify.ways.mail import Mail
from exporters.notify.ways.pagerduty import PagerDuty
from exporters.notify.ways.sending import NotSent, Way
from exporters.notify.ways.slack import Slack
from exporters.notify.ways.telegram import Telegram
from exporters.notify.ways.webhook import Webhook

__all__ = ["NotSent", "Way", "way_of"]


def way_of(channel: Channel, address: str = "") -> Way:
    """Return the way that a channel names; `address` is where people find the live page."""
    if channel.webhook is not None:
        return Webhook(channel.webhook, address)
    if channel.slack is not None:
        return Slack(channel.slack)
    if channel.telegram is not None:
        return Telegram(channel.telegram)
    if channel.mail is not None:
        return Mail(channel.mail)
    assert channel.pagerduty is not None, "the configuration checks it"
    return PagerDuty(channel.pagerduty)
