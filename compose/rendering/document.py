"""YAML for people to read: block style, named anchors, comments, and a line between what belongs apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

_MERGE = "tag:yaml.org,2002:merge"
_COMMENT_WIDTH = 110
_KEY = re.compile(r"( *)([^\s:#][^:]*):(?: |$)")
_BREAK = re.compile("[\n\r\x85\u2028\u2029]")
"""What YAML takes for the end of a line."""


class Shared(dict[str, Any]):
    """A mapping that stands in the document once, under an anchor, and is referred to wherever else it is used."""

    def __init__(self, anchor: str, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.anchor = anchor


def based_on(shared: Shared, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping that takes over all of another one, and has its own values before that one's."""
    return {_Merge.KEY: shared, **values}


def whole(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with all that it takes over."""
    own = {key: value for key, value in values.items() if key is not _Merge.KEY}
    return {**whole(values[_Merge.KEY]), **own} if _Merge.KEY in values else own


class _Merge(str):
    """The key `<<`, which is no text."""

    KEY: _Merge
    __slots__ = ()


_Merge.KEY = _Merge("<<")


class Octal(int):
    """A number that is written as modes of files are: 0400."""


class _Dumper(yaml.SafeDumper):
    """Writes aliases for what is `Shared` and for nothing else."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:  # noqa: ANN401 - as yaml.SafeDumper's
        super().__init__(*arguments, **settings)
        self.anchors_of: dict[yaml.Node, str] = {}

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - a document holds anything
        return not isinstance(data, Shared)

    def generate_anchor(self, node: yaml.Node) -> str:
        return self.anchors_of[node]

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - yaml's own
        """Indent lists below their key, as people write them."""
        super().increase_indent(flow, False)

    def shared(self, data: Shared) -> yaml.Node:
        node = self.represent_dict(data)
        self.anchors_of[node] = data.anchor
        return node

    def text(self, data: str) -> yaml.Node:
        """Write texts with both sorts of quotes, which are commands, as they stand; every text on a line of its own."""
        style = '"' if _BREAK.search(data) else "|" if "'" in data and '"' in data else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    def octal(self, data: Octal) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:int", f"0{data:o}")

    def merge(self, data: _Merge) -> yaml.Node:
        return self.represent_scalar(_MERGE, str(data))


_Dumper.add_representer(Shared, _Dumper.shared)
_Dumper.add_representer(str, _Dumper.text)
_Dumper.add_representer(_Merge, _Dumper.merge)
_Dumper.add_representer(Octal, _Dumper.octal)


def document(content: Mapping[str, Any], header: str, comments: Mapping[str, str] | None = None) -> str:
    """Return the content as YAML, in its own order, below a comment.

    `comments` go above keys, which are named by their path: `services.setup`. What stands at the top, and what has a
    comment, if only an empty one, has an empty line before it.
    """
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=10_000
    )
    return "\n".join([*_comment(header), *_commented(text, dict(comments or {}))]) + "\n"


def _commented(text: str, comments: dict[str, str]) -> list[str]:
    lines: list[str] = []
    path: list[tuple[int, str]] = []
    for line in text.removesuffix("\n").split("\n"):
        if key := _KEY.match(line):
            indent = len(key[1])
            path = [*(part for part in path if part[0] < indent), (indent, key[2])]
            comment = comments.pop(".".join(name for _, name in path), None)
            begins = bool(lines) and lines[-1].endswith(":")
            if indent == 0 or (comment is not None and not begins):
                lines.append("")
            lines += [f"{key[1]}{words}" for words in _comment(comment)] if comment else []
        lines.append(line)
    assert not comments, f"comments on what is not there: {sorted(comments)}"
    return lines


def _comment(text: str) -> list[str]:
    """Return a comment, broken into lines of a bearable length; the text's own breaks stay."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        words = paragraph.split(" ")
        line = "#"
        for word in words:
            if len(line) + 1 + len(word) > _COMMENT_WIDTH:
                lines.append(line)
                line = "#"
            line += f" {word}"
        lines.append(line.rstrip())
    return lines
