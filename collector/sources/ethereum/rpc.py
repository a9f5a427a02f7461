"""JSON-RPC over HTTP: one batch out, the answers by method back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from collector.client import Client, check_parts, decode, kind_of
from collector.failures import BadAnswer, Failure
from collector.remarks import excerpt
from collector.sources.ethereum.methods import Call

METHOD_NOT_FOUND = -32601
"""The code of a method that the node does not have or does not show; the words differ from version to version."""

NOT_A_NUMBER = "json: unsupported value: NaN"

_MOST_BATCHES = 256


class NotOffered(Failure):
    """The node has no such method, or does not show its namespace here."""

    def __init__(self, method: str) -> None:
        super().__init__("rpc", f"{method} is not offered here")


class NotANumber(Failure):
    """The node came to a result that JSON can't hold: Go's NaN, the share of something in nothing."""

    def __init__(self, method: str) -> None:
        super().__init__("rpc", f"{method}: there is no such figure")


class _Answer(msgspec.Struct):
    """One answer of a batch; its result is left as it came, for each to be decoded in its own way."""

    id: Any = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: Any = None


_ANSWERS = msgspec.json.Decoder(list[_Answer])


async def ask(client: Client, url: str, calls: Sequence[Call]) -> dict[Call, memoryview | Failure]:
    """Ask all calls in one round trip. Returns, by call, the result's JSON, or the Failure that stands in its place.

    Raises Failure if there is no answer to the batch as a whole, or if nothing of it is offered.
    """
    body = await client.post(url, _batch(tuple(calls)))
    check_parts(body, "JSON-RPC batch")
    try:
        answers = _ANSWERS.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        answers = _other_answers(body)
    by_id = {answer.id: answer for answer in answers if type(answer.id) is int}
    results = {call: _result(call.method, by_id.get(number)) for number, call in enumerate(calls)}
    if all(isinstance(result, NotOffered) for result in results.values()):
        raise BadAnswer("rpc", "none of the methods that are asked for is offered here: is this an Ethereum node?")
    return results


def _other_answers(body: bytes) -> list[_Answer]:
    """Decode what is no plain batch of answers: one with NaN somewhere in it, or an error. Raises Failure."""
    document = decode(body, "JSON-RPC batch")
    if isinstance(document, dict):  # an error about the whole: a proxy that takes no batches, a limit on their length
        raise _error("the batch", document.get("error"))
    if not isinstance(document, list):
        raise BadAnswer("bad_answer", f"JSON-RPC batch: a list of answers was expected, not {kind_of(document)}")
    try:
        return [
            _Answer(
                answer.get("id"),
                msgspec.Raw(orjson.dumps(answer["result"])) if "result" in answer else msgspec.UNSET,
                answer.get("error"),
            )
            for answer in document
            if isinstance(answer, dict)
        ]
    except orjson.JSONEncodeError as error:  # what can be read deeper than it can be written
        raise BadAnswer("bad_answer", "JSON-RPC batch: an answer nested deeper than any node's") from error


@lru_cache(_MOST_BATCHES)
def _batch(calls: tuple[Call, ...]) -> bytes:
    """Return the body; the same calls are asked at every gather, of many nodes alike."""
    return orjson.dumps(
        [
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": call.parameters}
            for number, call in enumerate(calls)
        ]
    )


def _result(method: str, answer: _Answer | None) -> memoryview | Failure:
    if answer is None:
        return BadAnswer("bad_answer", f"{method}: no answer in the batch")
    if answer.error is not None:
        return _error(method, answer.error)
    if isinstance(answer.result, msgspec.UnsetType):
        return BadAnswer("bad_answer", f"{method}: an answer with neither result nor error")
    return memoryview(answer.result)


def _error(method: str, error: Any) -> Failure:  # noqa: ANN401 - as above
    if not isinstance(error, dict):
        return BadAnswer("bad_answer", f"{method}: an error of a form that JSON-RPC does not have")
    if error.get("code") == METHOD_NOT_FOUND:
        return NotOffered(method)
    code, message = error.get("code"), error.get("message")
    if message == NOT_A_NUMBER:
        return NotANumber(method)
    said = excerpt(message) if isinstance(message, str) else "no message"
    return BadAnswer("rpc", f"{method}: the node answers with error {code if type(code) is int else '?'}: {said}")
