"""What all ways to tell somebody have in common: what they are asked, how they fail, and HTTP."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from yarl import URL

from collector.remarks import excerpt
from exporters.connection import Answer, Connection, NoAnswer
from exporters.notify.notice import Message
from exporters.pauses import retry_after

TIMEOUT = 15.0
"""Seconds that a request may take. Those who take it have no hurry, and a second try tells people twice."""

_SECRET = 8
"""Characters from which a part of a URL may be a secret."""

_JSON = {"Content-Type": "application/json"}
_AS_IT_IS = {400, 413, 422}  # what they say of a message that they don't like


class NotSent(Exception):  # noqa: N818 - it is the receiver that erred
    """The message did not get through. `kind` tells failures apart for the log, the message is for the operator.

    The receiver asks to be left alone for `wait` seconds. `refused`: it is this message that it does not take, so that
    others may get through.
    """

    def __init__(self, kind: str, message: str, wait: float = 0.0, *, refused: bool = False) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait
        self.refused = refused


class Way(Protocol):
    """One way to tell somebody. `most` alerts fit into a message."""

    most: int

    async def send(self, message: Message) -> None:
        """Bring a message to the receiver, within half a minute or so. Raises NotSent."""

    async def close(self) -> None:
        """Let go of connections."""


class Posting:
    """Posts JSON to a server. `secrets` are what must not be told, should an answer repeat them."""

    def __init__(self, secrets: Sequence[str] = (), timeout: float = TIMEOUT) -> None:
        self._connection = Connection(timeout)
        self._secrets = [secret.encode() for secret in secrets if secret]

    async def post(self, url: str, document: object, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a document if it says yes. Raises NotSent."""
        try:
            answer = await self._connection.request(
                "POST", URL(url), headers={**_JSON, **(headers or {})}, data=orjson.dumps(document)
            )
        except NoAnswer as failure:
            said = without(self._secrets, str(failure).encode()).decode()
            raise NotSent(failure.kind, said, failure.wait) from None
        if not 200 <= answer.status < 300:  # noqa: PLR2004 - the range that HTTP calls success
            wait = max(retry_after(answer.headers.get("Retry-After")), asked_for(answer.body))
            # Secrets go before it is cut: half of one is too much.
            said = f"HTTP {answer.status}: {excerpt(without(self._secrets, answer.body)) or 'no reason given'}"
            raise NotSent(str(answer.status), said, wait, refused=answer.status in _AS_IT_IS)
        return answer

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


def secrets_in(url: str) -> list[str]:
    """Return what of a URL may be secret: its user and password, its query, and what is long in its path."""
    parts = urlsplit(url)
    words = re.split(r"[:/&=]", f"{parts.netloc.rpartition('@')[0]}/{parts.path}/{parts.query}")
    return [word for word in words if len(word) >= _SECRET]


def without(secrets: Sequence[bytes], text: bytes) -> bytes:
    """Return what somebody answered without these secrets, which he may repeat."""
    for secret in secrets:
        text = text.replace(secret, b"***")
    return text


def asked_for(body: bytes) -> float:
    """Return the seconds to wait that Telegram's answers hold in `parameters.retry_after`, 0 if there are none."""
    document = document_of(body)
    parameters = document.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return retry_after(str(seconds)) if isinstance(seconds, int) else 0.0


def document_of(body: bytes) -> dict[str, Any]:
    """Return an answer's JSON object; an empty one where it is none."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}
