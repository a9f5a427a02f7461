"""`python -m dashboards`: write the dashboards that are kept beside this file anew."""

from __future__ import annotations

from pathlib import Path

from dashboards.writing import write

if __name__ == "__main__":
    write(Path(__file__).parent / "json", print)
