"""The live page: what health says of every chain, for people who look and programs that ask.

`Page` serves the HTML with its assets, `/api/state` (the whole as JSON) and `/api/events` (the same as it changes), and
takes `POST /api/forget`. docs/page.md describes all of it.
"""

from collector.page.serving import Page

__all__ = ["Page"]
