"""`python -m alerts`: write the rules that are kept beside this file, and the table of docs/alerts.md, anew."""

from __future__ import annotations

from alerts.chosen import by_default
from alerts.documentation import DOCUMENT, with_table
from alerts.rulefile import COMMITTED, rules

if __name__ == "__main__":
    COMMITTED.parent.mkdir(exist_ok=True)
    COMMITTED.write_text(rules(by_default()), encoding="utf-8")
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
