"""Which releases the nodes run. What tells builds of one release apart, and names in between, does not count."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

MOST_VERSIONS = 20
"""Versions told apart, those of most nodes; the others are one, "others": their number would be a network's own."""

_LONGEST = 60

_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9}){1,3})(?:[-+.](.{0,200}))?", re.ASCII | re.DOTALL)
_BEFORE = re.compile(r"(?:alpha|beta|rc|dev|unstable|pre)", re.ASCII | re.IGNORECASE)
"""What marks a version as one before the release of its number."""


def versions(told: Iterable[str]) -> Mapping[str, int]:
    """Return how many nodes run each release: of `Geth/n2/v1.8.27-stable/linux-amd64/go1.19` this is `Geth 1.8.27`.

    A form that is not known counts as it stands; a node that does not tell its version doesn't count.
    """
    counted = Counter(named(version) for version in told if version)
    kept = dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:MOST_VERSIONS])
    if others := counted.total() - sum(kept.values()):
        kept["others"] = others
    return kept


def named(version: str) -> str:
    """Return the client, where it is told, and the release: `Geth 1.13.15`, `4.0.6`, `5.0.0-rc1`."""
    client, numbers, early = _parsed(version)
    if not numbers:
        return version[:_LONGEST]
    release = ".".join(map(str, numbers)) + (f"-{early}" if early else "")
    return f"{client} {release}" if client else release


def older(version: str, than: str) -> bool:
    """Tell whether a version is older than a release; one of a form that is not known never is.

    Where `than` names the client as well, `Geth/v1.13.15`, no version of another is older. A release candidate is
    older than the release.
    """
    client, numbers, early = _parsed(version)
    wanted_client, wanted, wanted_early = _parsed(than)
    if not numbers or not wanted or (wanted_client and client.lower() != wanted_client.lower()):
        return False
    length = max(len(numbers), len(wanted))
    mine, theirs = (each + (0,) * (length - len(each)) for each in (numbers, wanted))
    return mine < theirs or (mine == theirs and bool(early) and not wanted_early)


def _parsed(version: str) -> tuple[str, tuple[int, ...], str]:
    """Return client, numbers of the release and what marks it as an early one; no numbers where there are none.

    The client is what stands before the first slash or blank, the release the last part after it that is one: a node
    may be called v1.2.
    """
    parts = re.split(r"[/ ]", version[:1_000])
    for place in range(len(parts) - 1, -1, -1):
        if found := _RELEASE.fullmatch(parts[place]):
            numbers = tuple(map(int, found[1].split(".")))
            tag = (found[2] or "").split("-")[0]
            client = parts[0][:_LONGEST] if place else ""
            return client, numbers, tag[:_LONGEST] if _BEFORE.match(tag) else ""
    return "", (), ""
