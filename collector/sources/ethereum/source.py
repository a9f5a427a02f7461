"""A gather of an Ethereum node: one batch, and beside it one request where a newer geth shows its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from collector.catalogue import CHAIN, NODES, SIGNER
from collector.client import Client, decode
from collector.failures import Failure
from collector.readings import Reading, Value
from collector.remarks import Remarks, excerpt
from collector.shapes import Shapes
from collector.sources import Problems
from collector.sources.ethereum import methods, rpc
from collector.sources.ethereum.raw import RawMetrics
from collector.sources.pages import PAGE_SHARE, fetch_page
from collector.sources.restarts import Restarts
from collector.targets import Target

T = TypeVar("T")

Answer = memoryview | Failure

_INFO = [metric for metric in NODES if metric.field == "info"]


class Ethereum:
    """Gathers one Ethereum node.

    What the node does not offer is asked once and then left out of the batch, until the node may have restarted: it
    failed, was reached by a new connection, says another version, or five minutes have passed.
    """

    advice = {  # noqa: RUF012 - the same for all
        "bad_host": "geth takes only names it was told of: start it with --http.vhosts=NAME (before 1.10: --rpcvhosts)",
        "unauthorized": "put user:password@ into the server's url",
    }

    def __init__(self, target: Target, client: Client, remarks: Remarks, problems: Problems) -> None:
        self._target = target
        self._client = client
        self._remarks = remarks
        self._problems = problems
        self._shapes = Shapes(target.tags)
        self._raw = RawMetrics(target, self._shapes, remarks)
        self._calls: list[methods.Call] = []
        self._restarts = Restarts(client)
        self._deadline = 0.0
        self._look_again()

    async def gather(self) -> list[Reading]:
        """Return readings of `chain`, `chain_node` (info), `chain_signer` and `geth`. Raises Failure."""
        self._shapes.begin()
        self._deadline = asyncio.get_running_loop().time() + self._target.timeout * PAGE_SHARE
        page = asyncio.create_task(self._metrics_page()) if self._uses_page else None
        try:
            answers = await rpc.ask(self._client, self._target.url, self._calls)
        except BaseException:
            if page:
                page.cancel()
            self._look_again()
            raise
        values: dict[str, Value] = {}
        for call, read in methods.READERS.items():
            values |= self._read(answers, call, read) or {}
        identity = {label: self._read(answers, call, read) for label, (call, read) in methods.IDENTITY.items()}
        readings = self._identity(identity)
        if "clique_active_signers" in values:
            readings += self._signers(self._read(answers, methods.CLIQUE_STATUS, methods.sealer_activity) or {})
        readings += await self._metrics(answers, page, values)
        if values:
            readings.append(self._shapes.curated(CHAIN, values))
        self._calls = [call for call in self._calls if not isinstance(answers[call[0]], rpc.NotOffered)]
        if self._restarts.noticed(identity["version"] or ""):
            self._look_again()
        return readings

    async def close(self) -> None:
        """Do nothing: the client is all there is to close."""

    @property
    def _uses_page(self) -> bool:
        """Whether the node is known to be one whose metrics are at the metrics URL alone."""
        return bool(self._target.metrics_url and self._raw.wanted and methods.DEBUG_METRICS not in self._calls)

    def _read(self, answers: dict[str, Answer], call: methods.Call, read: Callable[[Any], T]) -> T | None:
        """Return what `read` makes of an answer; None, and a problem said, where there is nothing to read."""
        answer = answers.get(call[0])
        if answer is None or isinstance(answer, rpc.NotOffered):
            return None
        try:
            if isinstance(answer, Failure):
                raise answer
            return read(decode(answer, call[0]))
        except Failure as failure:
            self._problems(failure.kind, str(failure))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            said = excerpt(f"{type(error).__name__}: {error}", 80)
            self._problems("bad_answer", f"{call[0]}: an answer of another form than this method's ({said})")
        return None

    def _identity(self, identity: Mapping[str, str | None]) -> list[Reading]:
        known = {label: value for label, value in identity.items() if value}
        return [self._shapes.curated(_INFO, {"info": 1}, **known)] if known else []

    def _signers(self, activity: dict[str, int]) -> list[Reading]:
        return [
            self._shapes.curated(SIGNER, {"recent_blocks": count}, signer=signer) for signer, count in activity.items()
        ]

    async def _metrics(
        self, answers: dict[str, Answer], page: asyncio.Task[bytes | Failure] | None, values: dict[str, Value]
    ) -> list[Reading]:
        """Return the reading of geth's own metrics, and note in `values` whether it collects any."""
        nested = answers.get(methods.DEBUG_METRICS[0])
        if isinstance(nested, rpc.NotOffered) and not self._target.metrics_url:
            self._remarks.once(
                "no metrics",
                "debug_metrics is not offered (geth has it up to 1.8, with debug among --rpcapi); for the metrics of "
                "a newer geth start it with --metrics --metrics.addr ADDRESS and set the server's metrics_url, such as "
                "http://ADDRESS:6060/debug/metrics",
            )
            return []
        flat = page is not None or isinstance(nested, rpc.NotOffered)
        try:
            body = await (page or self._metrics_page()) if flat else nested
            if isinstance(body, Failure):
                raise body
            async with asyncio.timeout_at(self._deadline):
                readings = await self._raw.readings(body, flat=flat) if body is not None else []
        except TimeoutError:
            self._problems("timeout", "metrics: no time was left to learn what the node offers")
            return []
        except Failure as failure:
            self._problems(failure.kind, f"metrics: {failure}")
            return []
        if body is not None:
            values["node_metrics_enabled"] = int(not self._raw.switched_off)
        return readings

    async def _metrics_page(self) -> bytes | Failure:
        """Return the flat document, or what went wrong: whoever waited for it may be gone."""
        try:
            return await fetch_page(self._client, self._target.metrics_url, self._deadline)
        except Failure as failure:
            return failure

    def _look_again(self) -> None:
        wanted = [methods.DEBUG_METRICS] if self._raw.wanted else []
        self._calls = [*methods.READERS, *(call for call, _ in methods.IDENTITY.values()), *wanted]
