"""The page of a chain: its nodes as they tell of themselves, and its sealers. And the same as JSON."""

from __future__ import annotations

import base64
import hashlib
import html
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import hdrs, web

from collector import sameorigin
from collector.ethstats.chain import PushedChain, State
from collector.ethstats.nodes import Link, Node
from collector.ethstats.sealers import IN_TURN

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 120rem; margin: 2rem auto; padding: 0 1rem; overflow-x: auto }
h1, h2 { font-weight: 600; margin-bottom: .2rem } h2 { margin-top: 2rem; font-size: 1.2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid #8884; white-space: nowrap }
th.number, td.number { text-align: right }
.long { display: inline-block; max-width: 15rem; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom }
code { font: .92em ui-monospace, monospace }
.gone, .stale, .twice { font-weight: 600 }
.gone, .twice { color: light-dark(#b00020, #ff8a80) } .stale { color: light-dark(#8a5a00, #ffc46b) }
tr.absent td { opacity: .75 }
form { display: inline } button { font: inherit; font-size: .85em }
meter { width: 8rem; vertical-align: middle }
"""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none at all, browsers send a form with the origin `null`
    "Cache-Control": "no-store",
}

_COLUMNS = (
    # title, whether it is a number
    ("Node", False),
    ("Role", False),
    ("State", False),
    ("Head", True),
    ("Seen", True),
    ("Delay", True),
    ("Mean delay", True),
    ("Sealer", False),
    ("Peers", True),
    ("Pending", True),
    ("Latency", True),
    ("Clock", True),
    ("Started", False),
    ("Restarts", True),
    ("Version", False),
)

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="3"><title>{chain}: nodes</title><style>{style}</style></head><body>
<h1>{chain}</h1>
<p>{summary}</p>
<table><thead><tr>{columns}</tr></thead><tbody>
{nodes}
</tbody></table>
{sealers}
</body></html>
"""

_SEALERS = """<h2>Sealers</h2>
<p>Shares of the last {count} blocks; all else since the collector began.</p>
<table><thead><tr><th>Sealer<th>Share<th class="number">Last block<th class="number">Blocks<th class="number">In turn
</tr></thead><tbody>
{rows}
</tbody></table>"""


class Page:
    """Answers what is asked about one chain."""

    def __init__(self, chain: PushedChain) -> None:
        self.chain = chain
        self._made: dict[str, tuple[float, bytes]] = {}

    async def html(self, request: web.Request) -> web.Response:
        """Answer with the page, or forget an absent node and lead back to it."""
        if request.method == hdrs.METH_POST:
            return await self._forget(request)
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            raise web.HTTPMethodNotAllowed(request.method, [hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_POST])
        body = self._made_by("html", lambda: _rendered(self.said()).encode("utf-8", "replace"))
        return web.Response(body=body, content_type="text/html", charset="utf-8", headers=_HEADERS)

    async def json(self, request: web.Request) -> web.Response:
        """Answer with what the page tells, as JSON."""
        if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
            raise web.HTTPMethodNotAllowed(request.method, [hdrs.METH_GET, hdrs.METH_HEAD])
        body = self._made_by("json", lambda: orjson.dumps(self.said()))
        return web.Response(body=body, content_type="application/json", headers=_HEADERS)

    def _made_by(self, form: str, make: Callable[[], bytes]) -> bytes:
        """Return a page that was made a moment ago, or one that is made now: however many ask, the nodes go on."""
        moment, body = self._made.get(form, (-math.inf, b""))
        if time.monotonic() - moment >= self.chain.limits.page_for:
            body = make()
            self._made[form] = (time.monotonic(), body)
        return body

    def said(self) -> dict[str, Any]:
        """Return all that is shown."""
        chain = self.chain
        nodes = [row for node in sorted(chain.nodes(), key=lambda node: node.name) for row in self._rows(node)]
        shares = chain.sealers.shares
        total = sum(shares.values())
        sealers = [
            {
                "address": address,
                "share": shares.get(address, 0) / total,
                "last_block": sealer.last,
                "blocks": sealer.blocks,
                "in_turn_blocks": sealer.in_turn,
            }
            for address, sealer in sorted(chain.sealers.by_address.items())
        ]
        return {"chain": chain.name, "time": chain.wall(), "blocks": total, "nodes": nodes, "sealers": sealers}

    def _rows(self, node: Node) -> list[dict[str, Any]]:
        """Return a row for a node, and one for each other connection of its name."""
        speaker, state = self.chain.speaker(node)
        rows = [self._row(node, speaker, state)]
        rows += [self._row(node, link, self.chain.state_of(link)) for link in node.links if link is not speaker]
        return rows

    def _row(self, node: Node, link: Link | None, state: State) -> dict[str, Any]:
        chain = self.chain
        row: dict[str, Any] = {
            "name": node.name,
            "state": state.value,
            "identity_used_twice": chain.conflicts(node) > 0,
            "restarts": node.restarts,
            "arrivals": node.arrivals,
            "mean_arrival_delay_seconds": node.arrival_seconds / node.arrivals if node.arrivals else None,
        }
        if link is None:
            return row
        head = link.head
        now = chain.now()
        return row | {
            "role": link.group.role,
            "address": link.address,
            "version": link.version,
            "network_id": link.hello.info.network,
            "heard_seconds_ago": now - link.heard,
            "latency_seconds": link.latency,
            "peers": link.peers,
            "pending_transactions": link.pending,
            "gas_price_wei": link.gas_price,
            "clock_skew_seconds": link.skew,
            "process_start_time": link.started_at,
            "head": head
            and {
                "number": head.number,
                "hash": head.hash,
                "timestamp": head.timestamp,
                "seen_seconds_ago": now - link.head_at,
                "arrival_delay_seconds": link.head_delay,
                "sealer": head.miner,
                "in_turn": head.difficulty == IN_TURN,
                "transactions": None if link.says_little else head.transactions,
            },
        }

    async def _forget(self, request: web.Request) -> web.Response:
        """Forget an absent node; only the page itself may ask for it."""
        if not sameorigin.is_own(request):
            raise web.HTTPForbidden(text="Only the page itself may ask for this.")
        form = parse_qs((await request.read()).decode("utf-8", "replace"))
        if not self.chain.forget(form.get("forget", [""])[0]):
            raise web.HTTPConflict(text="There is no absent node of this name.")
        self._made.clear()
        # The page itself, wherever a proxy has put it.
        return web.Response(status=303, headers={hdrs.LOCATION: "?"})


def _rendered(said: dict[str, Any]) -> str:
    nodes = said["nodes"]
    count = {state: sum(node["state"] == state.value for node in nodes) for state in State}
    summary = f"{count[State.CONNECTED]} connected, {count[State.STALE]} stale, {count[State.GONE]} gone"
    heads = [node["head"]["number"] for node in nodes if node.get("head") and node["state"] != State.GONE.value]
    if heads:
        summary += f"; best head {max(heads):,}"
    sealers = ""
    if said["sealers"]:
        sealers = _SEALERS.format(count=said["blocks"], rows="\n".join(map(_sealer, said["sealers"])))
    return _PAGE.format(
        chain=html.escape(said["chain"]),
        style=_STYLE,
        summary=summary + ".",
        columns="".join(f"<th{_NUMBER if number else ''}>{title}" for title, number in _COLUMNS),
        nodes="\n".join(map(_node, nodes)),
        sealers=sealers,
    )


_NUMBER = ' class="number"'


def _node(node: dict[str, Any]) -> str:
    head = node.get("head") or {}
    state = node["state"]
    shown = f'<span class="{state}">{state}</span>' if state != State.CONNECTED.value else state
    if node["identity_used_twice"]:
        shown += f' <span class="twice">name used twice, here from {html.escape(node["address"])}</span>'
    gone = state == State.GONE.value
    if gone:
        name = html.escape(node["name"], quote=True)
        shown += f' <form method="post"><button name="forget" value="{name}">forget</button></form>'
    version = html.escape(node.get("version", ""))
    sealer = ""
    if head.get("sealer"):
        turn = "in turn" if head["in_turn"] else "out of turn"
        sealer = f"<code>{_short(head['sealer'])}</code> {turn}"
    cells = (
        html.escape(node["name"]),
        html.escape(node.get("role", "")),
        shown,
        _whole(head.get("number")),
        _ago(head.get("seen_seconds_ago")),
        _milliseconds(head.get("arrival_delay_seconds")),
        _milliseconds(node["mean_arrival_delay_seconds"]),
        sealer,
        _whole(node.get("peers")),
        _whole(node.get("pending_transactions")),
        _milliseconds(node.get("latency_seconds")),
        _skew(node.get("clock_skew_seconds")),
        _moment(node.get("process_start_time")),
        _whole(node["restarts"]),
        f'<span class="long" title="{version}">{version}</span>',
    )
    row = "".join(f"<td{_NUMBER if number else ''}>{cell}" for cell, (_, number) in zip(cells, _COLUMNS, strict=True))
    return f"<tr{' class=absent' if gone else ''}>{row}"


def _sealer(sealer: dict[str, Any]) -> str:
    share = sealer["share"]
    in_turn = sealer["in_turn_blocks"] / sealer["blocks"]
    return (
        f"<tr><td><code>{html.escape(sealer['address'])}</code>"
        f'<td><meter value="{share:.4f}"></meter> {share:.1%}'
        f'<td class="number">{sealer["last_block"]:,}<td class="number">{sealer["blocks"]:,}'
        f'<td class="number">{in_turn:.1%}'
    )


def _short(address: str) -> str:
    return html.escape(f"{address[:8]}…{address[-4:]}")


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _ago(seconds: float | None) -> str:
    """Return how long ago something was, as roughly as anybody wants to know."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{math.floor(seconds / size)} {unit} ago"
    return f"{max(0.0, seconds):.0f} s ago"


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:,.0f} ms"


def _skew(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds * 1000:+,.0f} ms" if abs(seconds) < 10 else f"{seconds:+,.0f} s"  # noqa: PLR2004 - what reads well


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):  # a node may have told any time
        return ""
