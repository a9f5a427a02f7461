"""Files that a command writes for other programs, which may read them at any moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from exporters.files import FOR_EVERYBODY, FOR_US_ALONE, content_of, replace


class File(NamedTuple):
    """What is written, and whether its owner alone may read it."""

    text: str
    secret: bool = False


class NotOurs(Exception):  # noqa: N818 - named for what is told
    """A file is in the way that chainwatch has not made."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path}: is not made by chainwatch, and nothing is written; move it, or give another DIR")


def write_files(files: Mapping[Path, File], tell: Callable[[str], None], mark: str = "") -> None:
    """Write the files, in directories that are made if need be; `tell` is told what became of each.

    One that is the same is left alone, all others are replaced as a whole. Raises NotOurs, before anything is written,
    if one is there already that does not hold `mark`; and OSError.
    """
    before = {path: content_of(path) for path in files}
    for path, content in before.items():
        if path.exists() if content is None else content and mark.encode() not in content:
            raise NotOurs(path)
    for path, file in files.items():
        content = file.text.encode()
        if before[path] != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, content, FOR_US_ALONE if file.secret else FOR_EVERYBODY)
        became = "new" if before[path] is None else "unchanged" if before[path] == content else "changed"
        tell(f"{path}: {became}")
