"""JSON to a URL, in the form of Alertmanager's webhooks (version 4): receivers made for those take it as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from collector.configuration.alerting import Webhook as Settings
from exporters.notify.notice import Message, Notice, Status
from exporters.notify.ways.sending import Posting, secrets_in
from exporters.notify.wording import moment

_NEVER = "0001-01-01T00:00:00Z"
"""What Alertmanager writes for the end of an alert that has none."""


class Webhook:
    """A URL. What has passed before it could be told comes as two documents: one that fires, one that is over."""

    most = 100

    def __init__(self, settings: Settings, address: str = "") -> None:
        assert settings.url is not None, "the configuration checks it"
        self._url = settings.url
        self._address = address
        token = settings.token.get_secret_value() if settings.token else ""
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._posting = Posting([token, *secrets_in(self._url)])

    async def send(self, message: Message) -> None:
        """Post it. Raises NotSent."""
        begun = [notice for notice in message.notices if notice.status is not Status.RESOLVED]
        over = [notice for notice in message.notices if notice.until is not None]
        passed = any(notice.status is Status.PASSED for notice in message.notices)
        if passed:
            await self._post(message, [_alert(notice, over=False) for notice in begun])
            await self._post(message, [_alert(notice, over=True) for notice in over])
        else:
            alerts = [_alert(notice, over=notice.until is not None) for notice in message.notices]
            await self._post(message, alerts)

    async def close(self) -> None:
        """Close the connection."""
        await self._posting.close()

    async def _post(self, message: Message, alerts: Sequence[Mapping[str, object]]) -> None:
        document = {
            "version": "4",
            "groupKey": f'{{}}:{{chain="{message.chain}"}}',
            "truncatedAlerts": message.left_out,
            "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
            "receiver": message.channel,
            "groupLabels": {"chain": message.chain} if message.chain else {},
            "commonLabels": _common(alert["labels"] for alert in alerts),
            "commonAnnotations": _common(alert["annotations"] for alert in alerts),
            "externalURL": self._address,
            "alerts": alerts,
        }
        await self._posting.post(self._url, document, self._headers)


def _alert(notice: Notice, *, over: bool) -> dict[str, object]:
    identity, facts = notice.identity, notice.facts
    labels = {
        "alertname": identity.alert,
        "chain": identity.chain,
        "subject": identity.subject,
        "severity": facts.severity.value,
    }
    annotations = {"summary": facts.summary, "description": facts.text, "runbook_url": facts.runbook}
    return {
        "status": "resolved" if over else "firing",
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": moment(notice.since),
        "endsAt": moment(notice.until) if over and notice.until is not None else _NEVER,
        "generatorURL": facts.runbook,
        "fingerprint": identity.fingerprint,
    }


def _common(sections: Iterable[object]) -> dict[str, object]:
    """Return what all of these mappings say alike."""
    common: dict[str, object] | None = None
    for section in sections:
        assert isinstance(section, dict)
        known = section if common is None else common
        common = {key: value for key, value in known.items() if section.get(key) == value}
    return common or {}
