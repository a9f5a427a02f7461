"""`python -m compose.rendering`: writes what the repository holds in compose/, the rendering of the default options."""

from __future__ import annotations

import shutil
from pathlib import Path

from compose.options.ethereum.models import Options
from compose.options.writing import as_yaml
from compose.rendering import rendered

SOURCE = ".."
"""Where compose/ finds what the image is built from: the repository."""


def default_files() -> dict[str, str]:
    """Return the files by path, relative to compose/."""
    return {**rendered(Options(), source=SOURCE), "options.yaml": as_yaml(Options())}


def main() -> None:
    """Write them all; what config/ held before is gone."""
    folder = Path(__file__).parents[1]
    shutil.rmtree(folder / "config", ignore_errors=True)
    for path, text in default_files().items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        place.chmod(0o755 if path.endswith(".sh") else 0o644)


if __name__ == "__main__":
    main()
