"""Paths: dotted names in a node's metrics, the selection of some of them, and the plan to take just these.

A document's form, its keys and which of them hold numbers, is learned at the first gather. From then on a `Plan`
takes the selected numbers straight out of the bytes that the node sent: no name is looked at, let alone built, and
what was not selected is skipped by the decoder, which still notices every key that is new or gone.
"""

from __future__ import annotations

import difflib
import re
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

import msgspec

from collector.readings import Field

Path = tuple[str, ...]
"""A path's parts: `("chain", "inserts", "Overall")` for `chain.inserts.Overall`."""

Name = Callable[[Path], Path | None]

DEEPEST = 32
"""Levels of a document beyond which nothing is taken; real ones have seven."""

MOST_NUMBERS = 10_000
"""Numbers that are taken of one document at most; the largest real one has 2,300."""

_NUMBERS = frozenset((int, float))
_NO_NUMBERS = frozenset((type(None), bool, str, list))
_UNNAMEABLE = re.compile(r'[\x00-\x1f"\\]')
_PROVED = 3  # gathers that a form has to hold for before a decoder is made for it
_MOST_KEYS = 3_500  # that a decoder is made for: the time to make it grows with them, that to use it as their square


class Selection:
    """The paths that the user wants, each with all below it; `*` in a part stands for any run of characters.

    Upper and lower case are not told apart.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(paths)
        parts = {path: tuple(path.lower().split(".")) for path in self.paths}
        self._plain = {plain for path, plain in parts.items() if "*" not in path}
        self._lengths = sorted({len(plain) for plain in self._plain})
        self._all = [list(map(_pattern, path)) for path in parts.values()]
        self._patterns = [list(map(_pattern, pattern)) for path, pattern in parts.items() if "*" in path]

    def __contains__(self, path: Path) -> bool:
        lower = tuple(map(str.lower, path))
        return any(lower[:length] in self._plain for length in self._lengths) or any(
            _matches(pattern, lower) for pattern in self._patterns
        )

    def reaches(self, path: Path) -> bool:
        """Tell whether anything below a path may be selected, or all of it is."""
        lower = tuple(map(str.lower, path))
        return path in self or any(
            len(pattern) > len(lower) and _matches(pattern[: len(lower)], lower) for pattern in self._all
        )

    def unmatched(self, offered: Sequence[Path]) -> list[str]:
        """Return those of the user's paths that select nothing of what is offered."""
        return [path for path in self.paths if not any(map(Selection([path]).__contains__, offered))]


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


def offered(document: object, name: Name) -> list[Path]:
    """Return the paths of all numbers that a document holds."""
    found: list[Path] = []
    waiting: list[tuple[Path, Any]] = [((), document)]
    while waiting and len(found) < MOST_NUMBERS:
        keys, value = waiting.pop()
        if isinstance(value, dict) and len(keys) < DEEPEST:
            waiting.extend([((*keys, key), below) for key, below in value.items()][::-1])
        elif type(value) in _NUMBERS and (path := name(keys)):
            found.append(path)
    return found


class Plan:
    """How to take the selected numbers out of documents of one form.

    `name` turns the keys that lead to a value into its path, or None to leave it out. `fields` are those of the
    numbers that are taken, in their order; `origin` and the path are their help.
    """

    def __init__(self, document: object, selection: Selection, name: Name, origin: str = "") -> None:
        learned = _Learned(selection, name)
        self._root = _Branch(document, (), learned) if isinstance(document, dict) else None
        self.fields = tuple(Field(field, help=f"{origin} {path}".strip()) for field, path in learned.fields.items())
        self._decode: Callable[[bytes | memoryview], Any] | None = None
        self._held = 0

    def take(self, document: object) -> list[int | float] | None:
        """Return the numbers of a decoded document, or None if it is of another form than the one learned."""
        values: list[Any] = []
        if self._root is None or not self._root.take(document, values):
            return None
        return values if set(map(type, values)) <= _NUMBERS else None

    def take_encoded(self, body: bytes | memoryview) -> list[int | float] | None:
        """Return the numbers of a document as the node sent it, or None if it is of another form or no JSON.

        The first few times it is None in any case: a decoder for the form is made once the form has proved to hold,
        so that a node that answers differently each time is spared nothing, and costs nothing more.
        """
        if self._decode is None:
            self._held += 1
            if self._held <= _PROVED or self._root is None or not self._root.decodable:
                return None
            self._decode = msgspec.json.Decoder(self._root.structure()).decode
        assert self._root is not None
        try:
            tree = self._decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        values: list[Any] = []
        self._root.take_structure(tree, values)
        return values


class Plans:
    """Plans shared by nodes that answer alike: the second node of a version has nothing left to learn.

    One for each selection and way of naming. A plan is forgotten with the last node that goes by it. May be used from
    any thread.
    """

    def __init__(self) -> None:
        self._known: weakref.WeakSet[Plan] = weakref.WeakSet()
        self._lock = threading.Lock()

    def find(self, document: object) -> Plan | None:
        """Return a known plan for documents of this form."""
        with self._lock:
            known = list(self._known)
        return next((plan for plan in known if plan.take(document) is not None), None)

    def add(self, plan: Plan) -> Plan:
        """Make a plan known, and return it."""
        with self._lock:
            self._known.add(plan)
        return plan


class _Learned:
    """What is learned of a document while its branches are made: the fields, by name, each with its path."""

    def __init__(self, selection: Selection, name: Name) -> None:
        self.selection = selection
        self.name = name
        self.fields: dict[str, str] = {}

    def takes(self, path: Path) -> bool:
        """Tell whether a selected number is taken; of names that differ in upper and lower case the first is."""
        field = field_name(path)
        if field in self.fields or len(self.fields) >= MOST_NUMBERS:
            return False
        self.fields[field] = ".".join(path)
        return True


class _Branch:
    """One object of the document: all its keys, the numbers to take from it, the objects to descend into.

    What is selected and no number yet, null or text, is watched: it may become one.
    """

    __slots__ = ("_branches", "_get", "_keys", "_leaves", "_order", "_pick", "_places", "_watched", "decodable", "size")

    def __init__(self, tree: dict[str, Any], keys: Path, learned: _Learned) -> None:
        self._order = list(tree)
        self._keys = frozenset(tree)
        self._leaves: list[str] = []
        self._watched: list[str] = []
        self._branches: dict[str, _Branch] = {}
        objects: list[tuple[str, Path]] = []
        for key, value in tree.items():
            path = learned.name((*keys, key))
            if path is None:
                continue
            if isinstance(value, dict):
                objects.append((key, path))
            elif path in learned.selection:
                if type(value) not in _NUMBERS:
                    self._watched.append(key)
                elif learned.takes(path):
                    self._leaves.append(key)
        for key, path in objects:
            if len(keys) < DEEPEST and learned.selection.reaches(path):
                self._branches[key] = _Branch(tree[key], (*keys, key), learned)
        self._get = _picker(self._leaves)
        places = {key: place for place, key in enumerate(tree)}
        self._pick = _picker([places[key] for key in self._leaves])
        self._places = [(places[key], branch) for key, branch in self._branches.items()]
        self.size: int = len(tree) + sum(branch.size for branch in self._branches.values())
        """Keys that a document is compared by, here and below."""
        # A decoder's fields go by no names with quotes or control characters.
        self.decodable: bool = (
            self.size <= _MOST_KEYS
            and not any(map(_UNNAMEABLE.search, self._order))
            and all(branch.decodable for branch in self._branches.values())
        )
        """Whether `structure` can be had, and is worth it."""

    def take(self, tree: Any, values: list[Any]) -> bool:  # noqa: ANN401 - JSON can be anything
        """Append the numbers of a decoded object; False if it is of another form."""
        if type(tree) is not dict or tree.keys() != self._keys:
            return False
        if any(type(tree[key]) not in _NO_NUMBERS for key in self._watched):
            return False
        values += self._get(tree)
        return all(branch.take(tree[key], values) for key, branch in self._branches.items())

    def structure(self) -> type[msgspec.Struct]:
        """Return the type that decodes objects of this form and no others; what is not taken is not built."""
        types: dict[str, Any] = {key: branch.structure() for key, branch in self._branches.items()}
        types |= dict.fromkeys(self._leaves, int | float)
        types |= dict.fromkeys(self._watched, None | bool | str | list)
        fields = [
            (f"_{place}", types.get(key, msgspec.Raw), msgspec.field(name=key)) for place, key in enumerate(self._order)
        ]
        return msgspec.defstruct("Form", fields, forbid_unknown_fields=True, gc=False)

    def take_structure(self, tree: msgspec.Struct, values: list[Any]) -> None:
        """Append the numbers of an object decoded by `structure`."""
        parts = msgspec.structs.astuple(tree)
        values += self._pick(parts)
        for place, branch in self._places:
            branch.take_structure(parts[place], values)


def _picker(places: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return lambda _: ()
    only = places[0]
    return lambda items: (items[only],)


def _matches(pattern: list[re.Pattern[str]], path: Path) -> bool:
    return len(pattern) <= len(path) and all(part.fullmatch(name) for part, name in zip(pattern, path, strict=False))


@cache
def _pattern(part: str) -> re.Pattern[str]:
    """Return what matches a part; in time that grows with the name's length only, whatever a node may call things."""
    first, *between, last = [re.escape(piece) for piece in part.split("*")] if "*" in part else [re.escape(part), ""]
    anything = ".*" if "*" in part else ""
    # Each piece where it is found first, for good: later places of it can match nothing more.
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in between) + anything + last, re.DOTALL)
