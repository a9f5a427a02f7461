"""Who may log in: secrets by group, several at once so that one can be replaced while nodes still use the other."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from collector.configuration import Ethstats


@dataclass(frozen=True)
class Group:
    """Nodes that share secrets, kept as digests: the secrets themselves are nowhere in the server's memory to show."""

    name: str
    role: str
    digests: tuple[bytes, ...] = field(repr=False)


def digest(secret: str) -> bytes:
    """Return what a secret is known by."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def groups(settings: Ethstats) -> tuple[Group, ...]:
    """Return the groups of a configuration; those of the secret for everyone have neither name nor role."""
    found = [
        Group(group.name, group.role, tuple(digest(secret.get_secret_value()) for secret in group.all_secrets))
        for group in settings.groups
    ]
    if settings.secret is not None:
        found.append(Group("", "", (digest(settings.secret.get_secret_value()),)))
    return tuple(found)


def admitted(known: Sequence[Group], given: bytes) -> Group | None:
    """Return the first group that has a secret of this digest; it takes as long whichever that is, or none."""
    found: Group | None = None
    for group in known:
        for each in group.digests:
            if hmac.compare_digest(each, given) and found is None:
                found = group
    return found
