"""Pages that say of each alert what it means and what to do: where the links of findings and of messages lead.

They are served beside the live page, so that they are at hand where nothing outside can be reached.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from collector.page.assets import Asset, asset

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}: chainwatch</title>
<link rel="icon" href="{root}assets/icon.svg"><link rel="stylesheet" href="{root}assets/style.css">
</head><body><header><h1>{title}</h1></header><main class="runbook">
{body}
</main></body></html>
"""


class Runbook(NamedTuple):
    """What is said of one alert. `body` is HTML, of texts that come with chainwatch."""

    name: str
    signal: str
    """The signal of health that it is of; "" for others."""
    severity: str
    summary: str
    body: str


class Runbooks:
    """The pages, by the names of alerts and by those of their signals, and the one that lists them all."""

    def __init__(self, runbooks: Sequence[Runbook]) -> None:
        entries = "\n".join(map(_entry, runbooks))
        back = '<p><a href="./">Back to the chains</a></p>'
        listed = f'{back}<table><tr><th scope="col">Alert<th scope="col">Severity<th scope="col">Of{entries}</table>'
        self.index = asset("runbooks.html", _PAGE.format(title="Runbooks", root="", body=listed).encode())
        self._pages: Mapping[str, Asset] = {
            name: page
            for runbook in runbooks
            for page in (_page(runbook),)
            for name in (runbook.name, runbook.signal)
            if name
        }

    def get(self, name: str) -> Asset | None:
        """Return the page of an alert or a signal; None where there is none."""
        return self._pages.get(name)


def _entry(runbook: Runbook) -> str:
    name, summary = html.escape(runbook.name), html.escape(runbook.summary)
    return f'<tr><td><a href="runbooks/{name}">{name}</a><td>{html.escape(runbook.severity)}<td>{summary}'


def _page(runbook: Runbook) -> Asset:
    back = '<p><a href="../">Back to the chains</a> · <a href="../runbooks">All runbooks</a></p>'
    told = f"<p><strong>{html.escape(runbook.summary)}</strong> <small>({html.escape(runbook.severity)})</small></p>"
    body = f"{back}\n{told}\n{runbook.body}"
    return asset("runbook.html", _PAGE.format(title=html.escape(runbook.name), root="../", body=body).encode())
