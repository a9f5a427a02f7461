"""Paths: dotted names in a node's metrics, the selection of some of them, and the plan to take just these.

A document's form, its keys and which of them hold numbers, is learned at the first gather. From then on a `Plan`
takes the selected numbers straight out of the decoded document: no name is looked at, let alone built, and what was
not selected is not touched beyond the check that the form is still the same.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

Path = tuple[str, ...]
"""A path's parts: `("chain", "inserts", "Overall")` for `chain.inserts.Overall`."""

DEEPEST = 32
"""Levels of a document beyond which nothing is taken; real ones have seven."""

MOST_LEAVES = 10_000
"""Numbers that are taken of one document at most; the largest real one has 2,300."""

_NUMBERS = frozenset((int, float))


class Selection:
    """The paths that the user wants, each with all below it; `*` in a part stands for any run of characters.

    Upper and lower case are not told apart.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        self._patterns = [(path, [_pattern(part.lower()) for part in path.split(".")]) for path in self.paths]

    def __contains__(self, path: Path) -> bool:
        return any(_matches(pattern, path) for _, pattern in self._patterns)

    def unmatched(self, offered: Sequence[Path]) -> list[str]:
        """Return those of the user's paths that select nothing of what is offered."""
        return [path for path, pattern in self._patterns if not any(_matches(pattern, known) for known in offered)]


def nearest(path: str, offered: Iterable[Path], most: int = 3) -> list[str]:
    """Return what the user may have meant by a path that matches nothing, best first.

    Takes tens of milliseconds on a large document: call it in a thread.
    """
    depth = path.count(".") + 1
    names = {".".join(known[:depth]) for known in offered} | {known[0] for known in offered if known}
    lower = {name.lower(): name for name in names}
    return [lower[name] for name in difflib.get_close_matches(path.lower(), lower, most, cutoff=0.5)]


def field_name(path: Path) -> str:
    """Return the field's name for a path: `chain_inserts_percentiles_20`, as the Telegraf plugin named it."""
    return "_".join(path).lower()


class Plan:
    """How to take the selected numbers out of documents of one form.

    `name` turns the keys that lead to a number into its path, or None to leave it out. `paths` are those of the
    values that `take` returns, in their order; `offered` are all that the document holds, selected or not.
    """

    def __init__(self, document: object, selection: Selection, name: Callable[[Path], Path | None]) -> None:
        named = [(keys, path) for keys in _leaves(document) if (path := name(keys))]
        self.offered: list[Path] = [path for _, path in named]
        chosen: dict[str, tuple[Path, Path]] = {}
        for keys, path in named:
            if path in selection:
                chosen.setdefault(field_name(path), (keys, path))  # names that differ in case only: the first stays
        self._root = _Branch(document, [keys for keys, _ in chosen.values()]) if isinstance(document, dict) else None
        by_keys = dict(chosen.values())
        self.paths: list[Path] = [by_keys[keys] for keys in self._root.order()] if self._root else []

    def take(self, document: object) -> list[int | float] | None:
        """Return the numbers, or None if the document is of another form than the one learned."""
        values: list[Any] = []
        if self._root is None or not self._root.take(document, values):
            return None
        return values if set(map(type, values)) <= _NUMBERS else None


class _Branch:
    """One object of the document: all its keys, the numbers to take from it, the objects to descend into."""

    __slots__ = ("_branches", "_get", "_keys", "_leaves")

    def __init__(self, tree: dict[str, Any], chosen: Iterable[Path]) -> None:
        below: dict[str, list[Path]] = {}
        for first, *rest in chosen:
            below.setdefault(first, []).append(tuple(rest))
        self._keys = frozenset(tree)
        self._leaves = [key for key in below if not isinstance(tree[key], dict)]
        self._get: Callable[[Any], Any] | None = itemgetter(*self._leaves) if self._leaves else None
        self._branches = [(key, _Branch(tree[key], rest)) for key, rest in below.items() if isinstance(tree[key], dict)]

    def take(self, tree: Any, values: list[Any]) -> bool:  # noqa: ANN401 - JSON can be anything
        if type(tree) is not dict or tree.keys() != self._keys:
            return False
        if self._get is not None:
            if len(self._leaves) == 1:
                values.append(self._get(tree))
            else:
                values += self._get(tree)
        return all(branch.take(tree[key], values) for key, branch in self._branches)

    def order(self) -> Iterator[Path]:
        """Yield the keys to each number in the order in which `take` appends them."""
        yield from ((key,) for key in self._leaves)
        for key, branch in self._branches:
            yield from ((key, *rest) for rest in branch.order())


def _leaves(document: object) -> list[Path]:
    """Return the keys to every number of a document, in its order; booleans, strings and lists are not followed."""
    found: list[Path] = []
    waiting: list[tuple[Path, Any]] = [((), document)]
    while waiting and len(found) < MOST_LEAVES:
        keys, value = waiting.pop()
        if type(value) in _NUMBERS and keys:
            found.append(keys)
        elif isinstance(value, dict) and len(keys) < DEEPEST:
            waiting.extend([((*keys, key), below) for key, below in value.items()][::-1])
    return found


def _matches(pattern: list[re.Pattern[str]], path: Path) -> bool:
    return len(pattern) <= len(path) and all(
        part.fullmatch(name.lower()) for part, name in zip(pattern, path, strict=False)
    )


@cache
def _pattern(part: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(piece) for piece in part.split("*")), re.DOTALL)
