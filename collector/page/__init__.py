"""The live page: what health says of every chain, for people who look and programs that ask.

`Page` serves the HTML with its assets, `/api/state` (the whole as JSON) and `/api/events` (the same as it changes), and
takes `POST /api/forget`; `Runbook`s say what to do about what is found. docs/page.md describes all of it.
"""

from collector.page.runbooks import Runbook
from collector.page.serving import Page

__all__ = ["Page", "Runbook"]
