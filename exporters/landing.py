"""The page at `/`: where to look, and each node's state in one table."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence

from aiohttp import web

from collector.readings import Reading, Value

MOST_NODES = 2000
"""Rows of the table at most."""

_FORGOTTEN_AFTER = 5  # intervals without a word, as on the scrape endpoint

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2"><title>chainwatch</title><style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums }}
.down {{ color: light-dark(#b00020, #ff8a80); font-weight: 600 }}
</style></head><body>
<h1>chainwatch</h1>
<p>{summary} For Prometheus: <a href="{metrics}">{metrics}</a>.</p>
<table><thead><tr><th>Chain<th>Node<th>Role<th>State<th>Head block<th>Its age<th>Final block<th>Peers<th>Version
</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


class Landing:
    """Keeps the latest of each node that the table shows, and serves it. An exporter that exports to eyes."""

    name = "landing"

    def __init__(self, metrics_path: str) -> None:
        self._metrics_path = metrics_path
        self._nodes: dict[tuple[str, str], dict[str, Value]] = {}

    async def start(self) -> None:
        """Do nothing: the scrape endpoint's listener serves the page."""

    async def close(self, within: float) -> None:
        """Do nothing: there is nothing to deliver."""

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Keep what the table shows."""
        for reading in readings:
            if reading.shape.measurement not in ("chain", "chain_node"):
                continue
            tags = dict(reading.shape.tags)
            key = (tags.get("chain", ""), tags.get("node", ""))
            if key in self._nodes or len(self._nodes) < MOST_NODES:
                node = self._nodes.setdefault(key, {})
                node.update(reading.as_dict(), until=time.monotonic() + _FORGOTTEN_AFTER * interval)
                node.update({name: tags[name] for name in ("role", "version") if name in tags})

    async def page(self, request: web.Request) -> web.Response:  # noqa: ARG002 - the same for every request
        """Answer with the page."""
        now = time.monotonic()
        self._nodes = {key: node for key, node in self._nodes.items() if float(node["until"]) > now}
        rows = [_row(chain, name, node) for (chain, name), node in sorted(self._nodes.items())]
        up = sum(node.get("up") == 1 for node in self._nodes.values())
        chains = len({chain for chain, _ in self._nodes})
        summary = f"{up} of {len(rows)} nodes answer, on {chains} chain{'s' * (chains != 1)}."
        text = _PAGE.format(summary=summary, metrics=html.escape(self._metrics_path), rows="\n".join(rows))
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


def _row(chain: str, name: str, node: Mapping[str, Value]) -> str:
    up = node.get("up") == 1
    timestamp = node.get("head_block_timestamp_seconds")
    # Producers make blocks a moment ahead of their time: an age below zero is none.
    age = f"{max(0.0, time.time() - float(timestamp)):.1f} s" if timestamp is not None else ""
    numbers = (
        _whole(node.get("head_block_number")),
        age,
        _whole(node.get("finalized_block_number")),
        _whole(node.get("peers")),
    )
    cells = [f"<td>{html.escape(text)}" for text in (chain, name, str(node.get("role", "")))]
    cells.append("<td>answers" if up else '<td class="down">does not answer')
    cells += [f'<td class="number">{number}' for number in numbers]
    cells.append(f"<td>{html.escape(str(node.get('version', '')))}")
    return "<tr>" + "".join(cells)


def _whole(value: Value | None) -> str:
    return "" if value is None else f"{float(value):,.0f}"
