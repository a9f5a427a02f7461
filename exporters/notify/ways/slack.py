"""An incoming webhook of Slack, or of what speaks its language, such as Mattermost."""

from __future__ import annotations

from collector.configuration.alerting import Slack as Settings
from collector.health.assessment import Severity
from exporters.notify.notice import Message, Notice
from exporters.notify.ways.sending import Posting, secrets_in
from exporters.notify.wording import left_out, lines, title

_LONGEST = 2_500
"""Characters of one attachment: Slack shows no more than some 3,000, escapes included."""

_COLOURS = {Severity.CRITICAL: "#c0392b", Severity.WARNING: "#e67e22", Severity.INFO: "#2980b9"}
_OVER = "#27ae60"


class Slack:
    """A channel behind its webhook. Each alert is an attachment, coloured by how bad it is."""

    most = 20  # Slack takes up to 100 attachments, and nobody reads them

    def __init__(self, settings: Settings) -> None:
        assert settings.url is not None, "the configuration checks it"
        self._url = settings.url.get_secret_value()
        self._posting = Posting(secrets_in(self._url))

    async def send(self, message: Message) -> None:
        """Post it. Raises NotSent."""
        text = title(message)
        if rest := left_out(message):
            text += f"\n{rest}"
        await self._posting.post(
            self._url, {"text": escaped(text), "attachments": [_attachment(each) for each in message.notices]}
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._posting.close()


def escaped(text: str) -> str:
    """Return a text that Slack shows as it is: nothing in it mentions or links anything."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _attachment(notice: Notice) -> dict[str, object]:
    head, *rest = lines(notice)
    return {
        "color": _OVER if notice.until is not None else _COLOURS[notice.facts.severity],
        "title": escaped(head),
        "text": escaped("\n".join(rest)[:_LONGEST]),
        "fallback": escaped(head),
        "mrkdwn_in": [],
    }
