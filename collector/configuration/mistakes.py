"""What is wrong with a file, said so that it can be put right: where, what, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from collector.remarks import excerpt

Path = tuple[str | int, ...]
"""Keys and indexes that lead to a value: `("chains", 0, "name")`."""


@dataclass(frozen=True, order=True)
class Mistake:
    """One thing wrong: `line` counts from 1 and is 0 where no line is to blame; `key` is empty for the whole file."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.key, self.message) if part)


class WrongConfiguration(Exception):  # noqa: N818 - named for what it says of the file
    """A file with mistakes: all of them, by file and line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(mistakes)
        super().__init__("\n".join(map(str, self.mistakes)))


def unreadable(error: OSError) -> str:
    """Return what is wrong with a file that can't be read; never its content."""
    return f"cannot be read: {error.strerror or type(error).__name__}"


def shown(path: Path) -> str:
    """Return a path as people write it: `chains[0].servers[1].url`.

    A key is shown up to a colon in it: `password:secret` without a space is a key to YAML.
    """
    parts = (f"[{part}]" if isinstance(part, int) else f".{excerpt(part.partition(':')[0], 60)}" for part in path)
    return "".join(parts).removeprefix(".")


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return names as a sentence has them: "a, b and c"."""
    return f" {last} ".join([*filter(None, [", ".join(names[:-1])]), *names[-1:]])


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to do about an unknown name: the nearest right spelling, or else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known here: {listed(names)}" if names else "nothing may stand here"
