"""The document that page and API show, the difference between two of them, and both as JSON.

A document is plain: dicts, lists, numbers, texts. A difference has of each chain and node only the keys that changed,
so that of 500 nodes that are asked every few seconds a browser is told little at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from collector.about import VERSION
from collector.health.assessment import Assessment

FORMAT = 1
"""The version of the document. It grows when something that was there goes or means another thing."""

AGES = frozenset({"at", "head_age"})
"""What changes by the mere passing of time: no reason to tell anything again."""

Document = dict[str, Any]


def document(assessments: Sequence[Assessment], at: float, *, public: bool) -> Document:
    """Return what is shown of these chains at a moment. `public` says of it that it is the view for everybody."""
    return {
        "version": FORMAT,
        "at": at,
        "chainwatch": "" if public else VERSION,
        "public": public,
        "chains": msgspec.to_builtins(assessments),
    }


def difference(before: Document, after: Document) -> Document:
    """Return what has to be told to those who know `before`, for them to know `after`."""
    known, now = _by("chain", before["chains"]), _by("chain", after["chains"])
    chains = [_chain(known.get(name, {}), chain) for name, chain in now.items()]
    return {
        "at": after["at"],
        "chains": [chain for chain in chains if chain is not None],
        "gone": [name for name in known if name not in now],
    }


def _chain(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any] | None:
    changed = {key: value for key, value in after.items() if key != "nodes" and _differs(before, key, value)}
    known, now = _by("node", before.get("nodes", ())), _by("node", after["nodes"])
    nodes = []
    for name, node in now.items():
        was = known.get(name, {})
        new = {key: value for key, value in node.items() if _differs(was, key, value)}
        if not new.keys() <= AGES:
            nodes.append({"node": name, **new})
    gone = [name for name in known if name not in now]
    if changed.keys() <= AGES and not nodes and not gone:
        return None
    return {"chain": after["chain"], **changed, "nodes": nodes, "gone": gone}


def _differs(before: Mapping[str, Any], key: str, value: object) -> bool:
    return key not in before or before[key] != value


def _by(key: str, items: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {item[key]: item for item in items}


def encoded(document: object) -> bytes:
    """Return a document as JSON. What is no number (NaN, infinity) is null."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:  # a node may have called itself by half a character
        return msgspec.json.encode(_readable(document))


def _readable(value: Any) -> Any:  # noqa: ANN401 - anything that JSON has
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_readable(key): _readable(item) for key, item in value.items()}
        case list() | tuple():
            return [_readable(item) for item in value]
    return value
