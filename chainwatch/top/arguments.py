"""The arguments of `chainwatch top`."""

from __future__ import annotations

import argparse
from urllib.parse import urlsplit

URL = "http://127.0.0.1:9273"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    where = "the collector's page (%(default)s); http://user:password@host where it asks for them"
    parser.add_argument("url", nargs="?", type=_url, default=URL, metavar="URL", help=where)
    parser.add_argument("--chain", default="", metavar="NAME", help="this chain alone")
    once = "print it once; exit 1 if anything is critical or the collector does not answer"
    parser.add_argument("--once", action="store_true", help=once)


def _url(text: str) -> str:
    """Return the URL of a page, without the slash at its end. The messages never quote it: it may hold a password."""
    if not text.isprintable() or " " in text:
        raise argparse.ArgumentTypeError("it holds spaces or characters that no URL has")
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises ValueError for one that can't be
    except ValueError:
        raise argparse.ArgumentTypeError("its host or its port cannot be") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"it is not a URL such as {URL}")
    if parts.query or parts.fragment:
        raise argparse.ArgumentTypeError("it has a query or a fragment; name the page alone")
    return text.rstrip("/")
