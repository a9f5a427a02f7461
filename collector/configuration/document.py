"""A YAML file with the line of every key and item, and with the environment's values in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import yaml

from collector.configuration.environment import expand, mask, unmask
from collector.configuration.mistakes import Mistake, Path, shown

LARGEST = 1 << 20
"""Bytes of a file beyond which it is not read."""

DEEPEST = 32
"""Levels of nesting beyond which a file is wrong; a right one has seven."""

MOST_VALUES = 100_000
"""Values of a file, with those that aliases repeat, beyond which it is wrong."""

_TAG = "tag:yaml.org,2002:"
_ORDINARY = {_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "map", "seq")}

_ADVICE = (
    # Part of what the parser says, and what to tell instead: its own words are for those who know YAML's grammar, and
    # may quote the file, secrets included.
    ("undefined alias", "has an unquoted value that begins with *, which names an anchor; put the value in quotes"),
    ("'\\t'", "has a tab where only spaces may stand; indent with spaces"),
    ("cannot start any token", "has an unquoted value that may not begin like this; put it in quotes"),
    (
        "mapping values are not allowed",
        "is indented wrongly, or has an unquoted value with a colon; align it or quote it",
    ),
    ("expected <block end>", "is indented unlike its neighbours; align it with them"),
    ("could not find expected ':'", "has no colon and space behind its key; write key: value"),
    ("while scanning a quoted scalar", "has a quote that is not closed; close it"),
    ("while parsing a flow", "has a bracket that is not closed, or lacks a comma; write {a: 1, b: 2} or [1, 2]"),
    ("but found another document", "begins a second document; remove the ---"),
)
_NO_ADVICE = "is not YAML; look at the brackets, quotes and indentation here"


class Scalar(str):
    """A value of the file. What it means depends on the key that it belongs to, so it stays text until then.

    `quoted` values are text and never numbers.
    """

    __slots__ = ("quoted",)
    quoted: bool


@dataclass
class Document:
    """What a file says: mappings, lists, `Scalar`s and None, and where it says it. `mistakes` grow as it is checked."""

    file: str
    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    _wrong: set[Path] = field(default_factory=set)

    def wrong(self, path: Path, message: str) -> None:
        """Note a mistake at a path, unless one is noted there: the first is the cause of what follows."""
        if path not in self._wrong:
            self._wrong.add(path)
            self.mistakes.append(Mistake(self.file, self.line(path), shown(path), message))

    def told(self, path: Path) -> None:
        """Let nothing be noted at a path: it is said at another what is wrong there."""
        self._wrong.add(path)

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest part of it that the file has."""
        return next((self.lines[path[:end]] for end in range(len(path), -1, -1) if path[:end] in self.lines), 0)


def content_of(path: FilePath | str) -> bytes:
    """Return what a file holds, cut off where it is too long for `Document` anyway. Raises OSError."""
    with FilePath(path).open("rb") as file:
        return file.read(LARGEST + 1)


def parse(file: str, content: bytes, environ: Mapping[str, str]) -> Document:
    """Return what a file says, and what is wrong with it as YAML."""
    document = Document(file)
    if len(content) > LARGEST:
        document.wrong((), f"is longer than {LARGEST >> 20} MiB; is this the right file?")
        return document
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        document.mistakes.append(Mistake(file, line, "", "is not UTF-8; save the file in this encoding"))
        return document
    if file.endswith(".json"):
        text = text.replace("\t", " ")  # JSON may be indented with tabs, and can hold none elsewhere
    _Reader(document, environ).read(text)
    return document


class _Reader:
    """Turns the nodes of one YAML document into values."""

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = environ
        self._values = 0

    def read(self, text: str) -> None:
        document = self._document
        try:
            with closing(_Loader(mask(text))) as loader:
                root = loader.get_single_node()
            if root is None:
                document.wrong((), "is empty; write something into it")
            else:
                document.lines[()] = root.start_mark.line + 1
                document.data = self._value(root, ())
        except yaml.YAMLError as error:
            line, message = _told(error, text)
            document.mistakes.append(Mistake(document.file, line, "", message))
        except (_TooMuch, RecursionError):  # the parser itself can meet the latter
            document.lines.clear()
            message = f"is nested deeper than {DEEPEST} levels, or holds more than {MOST_VALUES} values; write less"
            document.wrong((), message)

    def _value(self, node: yaml.Node, path: Path) -> object:
        self._count(path)
        if node.tag not in _ORDINARY:
            self._document.wrong(path, "an unquoted ! has no meaning here; put the value in quotes")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            values = []
            for index, item in enumerate(node.value):
                self._document.lines.setdefault((*path, index), item.start_mark.line + 1)
                values.append(self._value(item, (*path, index)))
            return values
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path)

    def _count(self, path: Path, merging: int = 0) -> None:
        self._values += 1
        if len(path) + merging > DEEPEST or self._values > MOST_VALUES:
            raise _TooMuch

    def _mapping(self, node: yaml.MappingNode, path: Path, merging: int = 0) -> dict[str, object]:
        values: dict[str, object] = {}
        merged: list[yaml.Node] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == _TAG + "merge":
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif not isinstance(key, yaml.ScalarNode):
                self._document.mistakes.append(
                    Mistake(self._document.file, line, shown(path), "has a key that is no name; write key: value")
                )
            elif (name := unmask(key.value)) in values:
                first = self._document.lines[*path, name]
                self._document.mistakes.append(
                    Mistake(self._document.file, line, shown((*path, name)), f"stands on line {first} too; keep one")
                )
            else:
                self._document.lines.setdefault((*path, name), line)
                values[name] = self._value(value, (*path, name))
        for other in merged:
            self._count(path, merging)
            if isinstance(other, yaml.MappingNode):
                values = self._mapping(other, path, merging + 1) | values
            else:
                self._document.wrong(path, "has a << without a mapping to take keys from; write <<: *anchor")
        return values

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Scalar | None:
        if node.style is None and node.tag == _TAG + "null":
            return None
        try:
            scalar = Scalar(expand(unmask(node.value), self._environ))
        except ValueError as error:
            self._document.wrong(path, str(error))
            scalar = Scalar()
        scalar.quoted = node.style is not None
        return scalar


class _TooMuch(Exception):  # noqa: N818 - it is the file that is too much
    """A file that no configuration can be; aliases make a short one of it."""


class _Loader(yaml.SafeLoader):
    """The parser with a way to close it that `closing` knows."""

    def close(self) -> None:
        self.dispose()


def _told(error: yaml.YAMLError, text: str) -> tuple[int, str]:
    """Return the line at which the parser gave up, and why."""
    if isinstance(error, yaml.reader.ReaderError):
        return text.count("\n", 0, error.position) + 1, f"has the character U+{error.character:04X}; remove it"
    assert isinstance(error, yaml.MarkedYAMLError)
    assert error.problem_mark is not None
    mark = error.problem_mark
    said = f"{error.context} {error.problem}"
    advice = next((advice for part, advice in _ADVICE if part in said), _NO_ADVICE)
    if "not closed" in advice and error.context_mark is not None:
        mark = error.context_mark  # where it is opened; the parser notices much later
    return mark.line + 1, advice
