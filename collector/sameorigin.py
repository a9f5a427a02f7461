"""Whether a request that changes something comes from the page itself, and not from another that somebody visits."""

from __future__ import annotations

from aiohttp import hdrs, web


def is_own(request: web.Request) -> bool:
    """Tell whether a request comes from a page of the same address; browsers say so, and no script can unsay it."""
    host = request.headers.get(hdrs.HOST)
    return bool(host) and request.headers.get(hdrs.ORIGIN) in (f"http://{host}", f"https://{host}")
