"""The one way in which identities fail."""

from __future__ import annotations

from pathlib import Path


class Unusable(Exception):  # noqa: N818 - named for what it says of the directory
    """What is there can't be used, or what is missing can't be made: one line for the operator, never a secret."""


def failed(path: Path, what: str, error: OSError) -> Unusable:
    """Return an operation's failure as a line: `keys/sealer-1: cannot be written: No space left on device`."""
    return Unusable(f"{path}: {what}: {error.strerror or type(error).__name__}")
