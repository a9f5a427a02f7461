"""`python -m dashboards`: write the dashboards that are kept beside this file anew."""

from __future__ import annotations

from pathlib import Path

from dashboards.writing import texts

if __name__ == "__main__":
    for name, text in texts().items():
        (Path(__file__).parent / "json" / name).write_text(text, encoding="utf-8")
