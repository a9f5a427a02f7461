"""Paths of the user's that select nothing of what a node offers: each is said once, with what may have been meant."""

from __future__ import annotations

from collections.abc import Sequence

from collector.paths import Path, Selection, nearest
from collector.remarks import Remarks, excerpt


def unmatched(
    selection: Selection, offered: Sequence[Path], remarks: Remarks, others: Sequence[Path] = ()
) -> dict[str, list[str]]:
    """Return the paths that match nothing and were not said yet, each with what may have been meant, best first.

    `others` are paths that may have been meant though they were not offered this time. Takes tens of milliseconds on a
    large document: to be called in a thread.
    """
    known = [*offered, *others]
    return {
        path: [name for name in nearest(path, known) if name != path.lower()]
        for path in selection.unmatched(offered)
        if not remarks.said(_key(path))
    }


def all_said(selection: Selection, remarks: Remarks) -> bool:
    """Tell whether there is nothing left to say, whatever the node offers."""
    return all(remarks.said(_key(path)) for path in selection.paths)


def say(found: dict[str, list[str]], remarks: Remarks) -> None:
    """Say what `unmatched` has found."""
    for path, near in found.items():
        meant = f"; did you mean {' or '.join(map(excerpt, near))}?" if near else ""
        remarks.once(_key(path), f"metrics: {path} matches nothing that this node offers{meant}")


def _key(path: str) -> str:
    return f"path {path}"
