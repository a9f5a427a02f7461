"""What is asked, and whether what comes back is an answer to it.

A call that begins with a slash is a path: nodeos is asked `/v1/chain/get_info`. Any other is a method of JSON-RPC:
geth is asked `net_peerCount`.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import orjson

GET_INFO = "/v1/chain/get_info"

NOT_JSON = "not_json"
NOT_ASKED = "not_asked"

_MOST_CODE = 10**6
"""JSON-RPC's own codes have five digits; what is larger is told without its code, for there is no end of numbers."""


class Call(msgspec.Struct, frozen=True):
    """One request, the same each time.

    `parameters` is JSON text, or None for none; `expects` is what the answer must hold besides being whole and JSON.
    """

    name: str
    path: str
    parameters: str | None
    expects: Literal["info", "json", "rpc"]

    def request(self, host: str, *, keep: bool) -> bytes:
        """Return the request, for a Host header, on a connection that is kept or not."""
        body = b""
        if self.expects == "rpc":
            parameters = self.parameters or "[]"
            body = b'{"jsonrpc":"2.0","id":1,"method":%b,"params":%b}' % (orjson.dumps(self.name), parameters.encode())
        elif self.parameters is not None:
            body = self.parameters.encode()
        lines = [
            f"{'POST' if body else 'GET'} {self.path} HTTP/1.1",
            f"Host: {host}",
            "User-Agent: chainwatch-load",
            "Accept: application/json",
        ]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        if not keep:
            lines += ["Connection: close"]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body

    def failure(self, status: int, body: bytes) -> str | None:
        """Return why an answer that came whole is none, or None if it is one.

        Any 2xx will do: nodeos answers some calls with 201.
        """
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
            return f"status_{status}"
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return NOT_JSON
        if self.expects == "info":
            return None if isinstance(document, dict) and type(document.get("head_block_num")) is int else NOT_ASKED
        return _rpc_failure(document) if self.expects == "rpc" else None


def call(name: str, path: str, parameters: str | None) -> Call:
    """Return the call of this name at a node whose URL has this path (`/`, or one of a proxy's)."""
    if not name.startswith("/"):
        return Call(name, path, parameters, "rpc")
    expects: Literal["info", "json"] = "info" if name == GET_INFO else "json"
    return Call(name, path.rstrip("/") + name, parameters, expects)


def _rpc_failure(document: object) -> str | None:
    if not isinstance(document, dict):
        return NOT_ASKED
    error = document.get("error")
    if error is not None:
        code = error.get("code") if isinstance(error, dict) else None
        return f"rpc_error_{code}" if type(code) is int and abs(code) < _MOST_CODE else "rpc_error"
    return None if "result" in document and document.get("id") == 1 else NOT_ASKED
