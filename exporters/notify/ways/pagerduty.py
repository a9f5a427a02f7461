"""A service of PagerDuty, by its Events API v2: an incident for each alert, which is resolved when that is over."""

from __future__ import annotations

from collector.configuration.alerting import PagerDuty as Settings
from exporters.notify.notice import Message, Notice, Status
from exporters.notify.ways.sending import Posting
from exporters.notify.wording import moment

_LONGEST_SUMMARY = 1_024
"""Characters that PagerDuty allows."""


class PagerDuty:
    """A service. The key of an incident is the alert's fingerprint: what is told twice is one incident still."""

    most = 1

    def __init__(self, settings: Settings) -> None:
        assert settings.key is not None, "the configuration checks it"
        self._key = settings.key.get_secret_value()
        self._url = f"{settings.api}/v2/enqueue"
        self._posting = Posting([self._key])

    async def send(self, message: Message) -> None:
        """Post one event for each alert, two for one that has passed. Raises NotSent."""
        for notice in message.notices:
            if notice.status is not Status.RESOLVED:
                await self._posting.post(self._url, self._event("trigger", notice))
            if notice.until is not None:
                await self._posting.post(self._url, self._event("resolve", notice))

    async def close(self) -> None:
        """Close the connection."""
        await self._posting.close()

    def _event(self, action: str, notice: Notice) -> dict[str, object]:
        identity, facts = notice.identity, notice.facts
        event: dict[str, object] = {
            "routing_key": self._key,
            "event_action": action,
            "dedup_key": f"chainwatch-{identity.fingerprint}",
        }
        if action == "trigger":
            payload = {
                "summary": (facts.text or facts.summary)[:_LONGEST_SUMMARY],
                "source": identity.subject or identity.chain or "chainwatch",
                "severity": facts.severity.value,
                "timestamp": moment(notice.since),
                "component": identity.subject,
                "group": identity.chain,
                "class": identity.alert,
            }
            event["payload"] = {name: value for name, value in payload.items() if value}
            if facts.runbook:
                event["links"] = [{"href": facts.runbook, "text": "Runbook"}]
        return event
