"""The state of all chains as a collector's page gives it: /api/state, decoded to what health says of each chain."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from collector.client import Client
from collector.failures import BadAnswer, Failure, TooLate
from collector.health.assessment import Assessment
from collector.remarks import excerpt

VERSION = 1
"""Of the document."""

PATH = "/api/state"

_WITHIN = 5.0  # seconds; an answer is there in a fraction of one
_ADVICE = {
    "http": "is this the address of chainwatch's page?",
    "unauthorized": "put them into the URL: http://user:password@host",
}


class State(msgspec.Struct, frozen=True):
    """The document. `at` is when it was made, in seconds since the epoch, `chainwatch` the collector's version."""

    version: int
    at: float
    chainwatch: str
    chains: Sequence[Assessment]


class _Version(msgspec.Struct):
    version: int


class Collector:
    """The page of a collector at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = Client(url, advice=_ADVICE)

    async def state(self) -> State:
        """Ask for the state. Raises Failure, whose message tells the URL's host to nobody who doesn't know it."""
        try:
            async with asyncio.timeout(_WITHIN):
                body = await self._client.get(self._url + PATH)
        except TimeoutError:
            raise TooLate(f"no answer within {_WITHIN:g} s, {self._client.doing}") from None
        return decoded(body)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


def decoded(body: bytes) -> State:
    """Return the document. Raises BadAnswer for anything else."""
    try:
        version = msgspec.json.decode(body, type=_Version).version
        if version != VERSION:
            raise BadAnswer("bad_answer", f"the collector tells its state in version {version:g}, not in {VERSION}")
        return msgspec.json.decode(body, type=State)
    except msgspec.ValidationError as error:
        raise BadAnswer("bad_answer", f"this is not the state of a collector: {excerpt(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAnswer("not_json", f"the answer is not JSON: {excerpt(str(error))}") from None


def in_words(failure: Failure) -> str:
    """Say in one line why there is no state."""
    if failure.kind == "refused":
        return "connection refused; does the collector run and listen there?"
    return str(failure)
