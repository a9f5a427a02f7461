"""What we ask our own nodeos, on loopback: bounded in time and size, and never through a proxy."""

from __future__ import annotations

import http.client
import json
from typing import Any

LARGEST = 1024 * 1024
_SUCCESS = range(200, 300)


class NoAnswer(Exception):  # noqa: N818 - it is nodeos that erred
    """Nothing useful came. The message says what did."""


class Node:
    """Our nodeos."""

    def __init__(self, port: int, timeout: float) -> None:
        self._port = port
        self._timeout = timeout

    def info(self) -> dict[str, Any]:
        """Return the answer to get_info. Raises NoAnswer."""
        answer = self.ask("/v1/chain/get_info")
        if not isinstance(answer, dict):
            raise NoAnswer("get_info is answered by something else than nodeos")
        return answer

    def head(self) -> int:
        """Return the number of the head block. Raises NoAnswer."""
        number = self.info().get("head_block_num")
        if not isinstance(number, int):
            raise NoAnswer("get_info names no head block")
        return number

    def ask(self, path: str, body: object = None, timeout: float | None = None) -> Any:  # noqa: ANN401 - any JSON
        """Return the answer to a POST. Raises NoAnswer, also for any status but a success: these are 200 to 299."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout or self._timeout)
        try:
            content = b"" if body is None else json.dumps(body).encode()
            connection.request("POST", path, content, {"Content-Type": "application/json", "Connection": "close"})
            with connection.getresponse() as response:
                answer = response.read(LARGEST)
        except TimeoutError:
            raise NoAnswer(f"{path}: no answer within {timeout or self._timeout:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{path}: {getattr(error, 'strerror', None) or type(error).__name__}") from None
        finally:
            connection.close()
        if response.status not in _SUCCESS:
            raise NoAnswer(f"{path}: HTTP {response.status}: {_told(answer)}")
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise NoAnswer(f"{path}: the answer is no JSON") from None


def _told(answer: bytes) -> str:
    """Return nodeos's own words for an error."""
    try:
        document = json.loads(answer)
        details = document["error"]["details"]
        told = details[0]["message"] if details else document["error"]["what"]
    except (ValueError, LookupError, TypeError, RecursionError):
        told = answer[:200].decode(errors="replace")
    return str(told)[:200]
