"""The answers to one batch: each is decoded once, however many readers it has, and what is wrong with it said once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from collector.client import decode
from collector.failures import Failure
from collector.remarks import excerpt
from collector.sources import Problems
from collector.sources.ethereum import rpc
from collector.sources.ethereum.methods import Call

T = TypeVar("T")


class Answers:
    """Reads what a node answered, call by call."""

    def __init__(self, raw: Mapping[Call, memoryview | Failure], problems: Problems) -> None:
        self._raw = raw
        self._problems = problems
        self._documents: dict[Call, Any] = {}
        self._bad: set[Call] = set()
        self._said: set[str] = set()

    def raw(self, call: Call) -> memoryview | Failure | None:
        """Return an answer as it came; None where the call wasn't made."""
        return self._raw.get(call)

    def not_offered(self) -> list[Call]:
        """Return the calls whose method the node doesn't have."""
        return [call for call, answer in self._raw.items() if isinstance(answer, rpc.NotOffered)]

    def document(self, call: Call) -> Any:  # noqa: ANN401 - JSON can be anything
        """Return an answer as it was decoded; None, and a problem said, where there is nothing to read."""
        return self.read(call, lambda document: document)

    def read(self, call: Call, read: Callable[[Any], T]) -> T | None:
        """Return what `read` makes of an answer; None, and a problem said, where there is nothing to read."""
        answer = self._raw.get(call)
        if answer is None or call in self._bad or isinstance(answer, rpc.NotOffered | rpc.NotANumber):
            return None
        try:
            if isinstance(answer, Failure):
                raise answer
            if call not in self._documents:
                self._documents[call] = decode(answer, call.method)
            return read(self._documents[call])
        except Failure as failure:
            self._tell(call, failure.kind, str(failure))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            said = excerpt(f"{type(error).__name__}: {error}", 80)
            self._tell(call, "bad_answer", f"{call.method}: an answer of another form than this method's ({said})")
        return None

    def _tell(self, call: Call, kind: str, message: str) -> None:
        self._bad.add(call)
        if message not in self._said:  # a node that writes blocks in another way does so with each of them
            self._said.add(message)
            self._problems(kind, message)
