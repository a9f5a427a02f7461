"""The files of the page, as they are served: its HTML, its style, its scripts. They are read once, at import."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

from aiohttp import ETag, hdrs, web

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "require-trusted-types-for 'script'",  # no script can make markup of a text, even by mistake
    "trusted-types 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
)

HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all, browsers may send the origin `null`
}
"""What goes with every answer."""


class Asset(NamedTuple):
    """One file."""

    body: bytes
    content_type: str
    tag: str

    def answer(self, request: web.Request) -> web.Response:
        """Answer a request for it: with nothing, if the browser has it."""
        headers = {**HEADERS, hdrs.CACHE_CONTROL: "no-cache"}
        known = request.if_none_match or ()
        if any(tag.value in (self.tag, "*") for tag in known):
            response = web.Response(status=304, headers=headers)
        else:
            response = web.Response(body=self.body, content_type=self.content_type, charset="utf-8", headers=headers)
        response.etag = ETag(self.tag)
        return response


def asset(name: str, body: bytes) -> Asset:
    """Return a file by what it holds."""
    return Asset(body, _TYPES[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:16])


def _read() -> Mapping[str, Asset]:
    folder = files("collector.page").joinpath("assets")
    return {file.name: asset(file.name, file.read_bytes()) for file in folder.iterdir() if file.is_file()}


ASSETS = _read()
"""By name."""
