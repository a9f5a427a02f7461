"""Nodes as the load sees them: JSON-RPC with answers of bounded size and time, and a rest for those that fail."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp
import orjson
from yarl import URL

from collector.remarks import Remarks, excerpt

TIMEOUT = 5.0
LARGEST_ANSWER = 4 * 1024 * 1024

_FIRST_REST, _LONGEST_REST = 1.0, 30.0
"""Seconds for which a node that failed is not asked; each further failure doubles them."""

_log = logging.getLogger("chainwatch.transfers")


class NoAnswer(Exception):  # noqa: N818 - it is the node that erred
    """Nothing came that says anything of the request: it may have arrived, or not."""


class Refused(Exception):  # noqa: N818 - the node has answered
    """The node's own no. The message is its text, fit for the log."""


class Call(NamedTuple):
    """A method and its parameters."""

    method: str
    params: Sequence[object] = ()


class Node:
    """One node. What fails is told once, and again when it works."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = URL(url)
        self._session = session
        shown = self._url.with_user(None)
        self._remarks = Remarks(_log, str(shown))
        self._rest = 0.0
        self._resting_until = 0.0

    @property
    def resting(self) -> bool:
        """Whether it failed so lately that it is left alone."""
        return time.monotonic() < self._resting_until

    async def ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the result of a call. Raises NoAnswer and Refused."""
        return _result(await self._answer({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))

    async def ask_all(self, calls: Sequence[Call]) -> list[Any]:
        """Return the results of some calls, sent at once. Raises NoAnswer and Refused, the first if there are more."""
        numbered = [
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": call.params}
            for number, call in enumerate(calls)
        ]
        answers = await self._answer(numbered)
        if not isinstance(answers, list):
            _result(answers)
            answers = []
        found = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        if not all(number in found for number in range(len(calls))):
            raise self._failed("bad_answer", "its answer is not one to what was asked")
        return [_result(found[number]) for number in range(len(calls))]

    async def _answer(self, asked: object) -> Any:  # noqa: ANN401 - JSON is anything
        body = bytearray()
        try:
            async with (
                asyncio.timeout(TIMEOUT),
                self._session.post(self._url, json=asked, allow_redirects=False) as response,
            ):
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        raise self._failed("too_large", "its answer is larger than any node has reason to send")
                status = response.status
        except TimeoutError:
            raise self._failed("timeout", f"no answer within {TIMEOUT:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = getattr(error, "os_error", None) or type(error).__name__
            raise self._failed("unreachable", f"no answer: {excerpt(str(reason))}") from None
        try:
            document = orjson.loads(body)
        except ValueError:
            raise self._failed("bad_answer", f"no JSON-RPC, but HTTP {status}: {excerpt(bytes(body))}") from None
        if not isinstance(document, dict | list):
            raise self._failed("bad_answer", f"no JSON-RPC, but HTTP {status} and other JSON")
        self._rest = 0.0
        self._remarks.recovered("answers again")
        return document

    def _failed(self, kind: str, message: str) -> NoAnswer:
        self._rest = min(max(_FIRST_REST, 2 * self._rest), _LONGEST_REST)
        self._resting_until = time.monotonic() + self._rest
        self._remarks.failed(kind, message)
        return NoAnswer(message)


def _result(answer: object) -> Any:  # noqa: ANN401 - JSON is anything
    """Return the result in an answer. Raises Refused."""
    if isinstance(answer, dict) and "result" in answer and not answer.get("error"):
        return answer["result"]
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    raise Refused(excerpt(str(message or "an error without a message")))
