"""The page at `/`: where to look, and each node's state in one table."""

from __future__ import annotations

import html
import time
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from collector.readings import Reading, Value
from collector.targets import Target

MOST_NODES = 2000
"""Rows of the table at most."""

_FORGOTTEN_AFTER = 5  # intervals without a word, as on the scrape endpoint

_DOWN = '<td class="down">does not answer'

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="2"><title>chainwatch</title><style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 80rem; margin: 2rem auto; padding: 0 1rem; overflow-x: auto }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884; white-space: nowrap }}
th.number, td.number {{ text-align: right }}
.down {{ color: light-dark(#b00020, #ff8a80); font-weight: 600 }}
</style></head><body>
<h1>chainwatch</h1>
<p>{summary} For Prometheus: <a href="{metrics}">{metrics}</a>.</p>
<table><thead><tr><th>Chain<th>Node<th>Role<th>State
<th class="number">Head block<th class="number">Its age<th class="number">Final block<th class="number">Peers<th>Version
</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


class Landing:
    """Keeps the latest of each node that the table shows, and serves it. An exporter that exports to eyes."""

    name = "landing"

    def __init__(self, metrics_path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics_path = metrics_path
        self._clock = clock
        self._nodes: dict[tuple[str, str], dict[str, tuple[dict[str, Value], float]]] = {}
        self._followed: set[tuple[str, str]] = set()

    async def start(self) -> None:
        """Do nothing: the scrape endpoint's listener serves the page."""

    def follow(self, targets: Sequence[Target]) -> None:
        """Let go of the servers that are gone at once."""
        before, self._followed = self._followed, {(target.chain, target.name) for target in targets}
        for node in before - self._followed:
            self._nodes.pop(node, None)

    async def close(self, within: float) -> None:
        """Do nothing: there is nothing to deliver."""

    def take(self, readings: Sequence[Reading], interval: float) -> None:
        """Keep what the table shows: of each node the latest of its chain, of its state, and of what it is."""
        until = self._clock() + _FORGOTTEN_AFTER * interval
        for reading in readings:
            if reading.shape.measurement not in ("chain", "chain_node"):
                continue
            tags = dict(reading.shape.tags)
            key = (tags.get("chain", ""), tags.get("node", ""))
            if key not in self._nodes and len(self._nodes) >= MOST_NODES:
                self._forget()
            if key in self._nodes or len(self._nodes) < MOST_NODES:
                values = reading.as_dict()
                part = "is" if "info" in values else reading.shape.measurement
                values.update({name: tags[name] for name in ("role", "version") if name in tags})
                self._nodes.setdefault(key, {})[part] = (values, until)

    async def page(self, request: web.Request) -> web.Response:  # noqa: ARG002 - the same for every request
        """Answer with the page."""
        self._forget()
        nodes = {
            key: {name: value for values, _ in parts.values() for name, value in values.items()}
            for key, parts in sorted(self._nodes.items())
        }
        rows = [_row(chain, name, node) for (chain, name), node in nodes.items()]
        asked = [node["up"] for node in nodes.values() if "up" in node]
        chains = len({chain for chain, _ in nodes})
        push = f", {len(rows) - len(asked)} only push" if len(asked) < len(rows) else ""
        summary = f"{asked.count(1)} of {len(asked)} nodes answer{push}, on {chains} chain{'s' * (chains != 1)}."
        text = _PAGE.format(summary=summary, metrics=html.escape(self._metrics_path), rows="\n".join(rows))
        return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

    def _forget(self) -> None:
        """Let go of what was not said again in time, and of nodes of which nothing is left."""
        now = self._clock()
        for key, parts in list(self._nodes.items()):
            fresh = {part: kept for part, kept in parts.items() if kept[1] >= now}
            if fresh:
                self._nodes[key] = fresh
            else:
                del self._nodes[key]


def _row(chain: str, name: str, node: Mapping[str, Value]) -> str:
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
    # A node that is not asked tells of itself, or it would not be here.
    cells.append("<td>pushes" if "up" not in node else "<td>answers" if node["up"] == 1 else _DOWN)
    cells += [f'<td class="number">{number}' for number in numbers]
    cells.append(f"<td>{html.escape(str(node.get('version', '')))}")
    return "<tr>" + "".join(cells)


def _whole(value: Value | None) -> str:
    return "" if value is None else f"{float(value):,.0f}"
