"""A chat of Telegram, by a bot."""

from __future__ import annotations

from collector.configuration.alerting import Telegram as Settings
from exporters.notify.notice import Message
from exporters.notify.ways.sending import NotSent, Posting, document_of
from exporters.notify.wording import left_out, lines

LONGEST = 4_096
"""UTF-16 units of a message, which Telegram counts in."""

_EACH = 380
"""Units of one alert of several."""


class Telegram:
    """A chat. Messages are plain text: nothing in an alert is taken for markup."""

    most = 10

    def __init__(self, settings: Settings) -> None:
        assert settings.token is not None, "the configuration checks it"
        self._chat = settings.chat
        token = settings.token.get_secret_value()
        self._url = f"{settings.api}/bot{token}/sendMessage"
        self._posting = Posting([token])

    async def send(self, message: Message) -> None:
        """Post it. Raises NotSent."""
        document = {"chat_id": self._chat, "text": text_of(message), "link_preview_options": {"is_disabled": True}}
        answer = await self._posting.post(self._url, document)
        if document_of(answer.body).get("ok") is not True:
            raise NotSent("not telegram", "the answer is not Telegram's")

    async def close(self) -> None:
        """Close the connection."""
        await self._posting.close()


def text_of(message: Message) -> str:
    """Return the message, of 4,096 units at most; of several alerts, each is cut rather than any left out."""
    alone = len(message.notices) == 1
    parts = [cut("\n".join(lines(notice)), LONGEST - 100 if alone else _EACH) for notice in message.notices]
    if rest := left_out(message):
        parts.append(rest)
    return "\n\n".join(parts)


def cut(text: str, most: int) -> str:
    """Return a text of so many UTF-16 units at most, with an ellipsis where it was cut."""
    encoded = text.encode("utf-16-le", "replace")
    if len(encoded) <= 2 * most:
        return text
    return encoded[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "…"
