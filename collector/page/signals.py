"""A page that says of each signal what it means: where the links of findings lead."""

from __future__ import annotations

import html

from collector.health.signals import SIGNALS, Signal
from collector.page.assets import Asset, asset

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Signals: chainwatch</title>
<link rel="icon" href="assets/icon.svg"><link rel="stylesheet" href="assets/style.css">
</head><body><header><h1>Signals</h1></header><main class="signals">
<p>What chainwatch can find wrong with a chain, a node, or one who makes blocks. How each is computed, and what to do
about it, stands in <code>docs/health.md</code> under its name. <a href="./">Back to the chains</a></p>
{signals}
</main></body></html>
"""


def _section(signal: Signal) -> str:
    key, meaning = html.escape(signal.key), html.escape(signal.meaning)
    return (
        f'<section id="{key}"><h2><code>{key}</code></h2><p>{meaning} <small>({signal.severity})</small></p></section>'
    )


PAGE: Asset = asset("signals.html", _PAGE.format(signals="\n".join(map(_section, SIGNALS.values()))).encode())
"""The page, each signal under an anchor of its name."""
