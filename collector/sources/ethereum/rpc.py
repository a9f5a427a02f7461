"""JSON-RPC over HTTP: one batch out, the answers by method back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson

from collector.client import Client, decode, kind_of
from collector.failures import BadAnswer, Failure
from collector.remarks import excerpt
from collector.sources.ethereum.methods import Call

METHOD_NOT_FOUND = -32601
"""The code of a method that the node does not have or does not show; the words differ from version to version."""


class NotOffered(Failure):
    """The node has no such method, or does not show its namespace here."""

    def __init__(self, method: str) -> None:
        super().__init__("rpc", f"{method} is not offered here")


async def ask(client: Client, url: str, calls: Sequence[Call]) -> dict[str, Any]:
    """Ask all calls in one round trip. Returns, by method, the result, or the Failure that stands in its place.

    Raises Failure if there is no answer to the batch as a whole.
    """
    answers = decode(await client.post(url, _batch(tuple(calls))), "JSON-RPC batch")
    if isinstance(answers, dict):  # an error about the whole batch: a proxy that takes none, a limit on its length
        raise _error("the batch", answers.get("error"))
    if not isinstance(answers, list):
        raise BadAnswer("bad_answer", f"JSON-RPC batch: a list of answers was expected, not {kind_of(answers)}")
    by_id = {answer["id"]: answer for answer in answers if isinstance(answer, dict) and type(answer.get("id")) is int}
    return {method: _result(method, by_id.get(number)) for number, (method, _) in enumerate(calls)}


@cache
def _batch(calls: tuple[Call, ...]) -> bytes:
    """Return the body; the same calls are asked at every gather, of many nodes alike."""
    return orjson.dumps(
        [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
    )


def _result(method: str, answer: Any) -> Any:  # noqa: ANN401 - JSON can be anything
    if answer is None:
        return BadAnswer("bad_answer", f"{method}: no answer in the batch")
    if "error" in answer:
        return _error(method, answer["error"])
    if "result" not in answer:
        return BadAnswer("bad_answer", f"{method}: an answer with neither result nor error")
    return answer["result"]


def _error(method: str, error: Any) -> Failure:  # noqa: ANN401 - as above
    if not isinstance(error, dict):
        return BadAnswer("bad_answer", f"{method}: an error of a form that JSON-RPC does not have")
    if error.get("code") == METHOD_NOT_FOUND:
        return NotOffered(method)
    code, message = error.get("code"), error.get("message")
    said = excerpt(message) if isinstance(message, str) else "no message"
    return BadAnswer("rpc", f"{method}: the node answers with error {code if type(code) is int else '?'}: {said}")
