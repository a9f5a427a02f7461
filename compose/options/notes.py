"""What is told of an options file: mistakes, which end it, and remarks, with which it is taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from collector.configuration.document import Document
from collector.configuration.mistakes import Mistake, Path, shown


@dataclass
class Notes:
    """Lines about a file, by what they say of it. Unlike the document's own, a key may have several."""

    document: Document
    mistakes: list[Mistake] = field(default_factory=list)
    remarks: list[Mistake] = field(default_factory=list)

    def wrong(self, path: Path, message: str) -> None:
        """Note a mistake at a path."""
        self.mistakes.append(self._line(path, message))

    def remark(self, path: Path, message: str) -> None:
        """Note what is done otherwise than somebody may think."""
        self.remarks.append(self._line(path, message))

    def says(self, *path: str) -> bool:
        """Tell whether the file itself has a key, and no default stands in."""
        return path in self.document.lines

    def _line(self, path: Path, message: str) -> Mistake:
        return Mistake(self.document.file, self.document.line(path), shown(path), message)
