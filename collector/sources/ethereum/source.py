"""A gather of an Ethereum node: one batch, and beside it one request where a newer geth shows its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from collector.catalogue import CHAIN, NODES, SIGNER
from collector.client import Client
from collector.failures import Failure
from collector.observations import Block, Network, Observation
from collector.readings import Reading, Value
from collector.remarks import Remarks
from collector.shapes import Shapes
from collector.sources import Problems
from collector.sources.ethereum import blocks, methods, rpc, told
from collector.sources.ethereum.answers import Answers
from collector.sources.ethereum.raw import RawMetrics
from collector.sources.observing import BLOCKS_SHARE
from collector.sources.pages import PAGE_SHARE, fetch_page
from collector.sources.restarts import Restarts
from collector.targets import Target

_INFO = [metric for metric in NODES if metric.field == "info"]

_DATE_WITHIN = 0.5  # seconds: the header Date is cut to the second below

_blocks = blocks.Blocks()
"""One for all nodes: they tell of the same blocks."""


class Ethereum:
    """Gathers one Ethereum node.

    What the node does not offer, and what does not change while it runs, is asked once and then left out of the batch,
    until the node may have restarted: it failed, was reached by a new connection, says another version, or five minutes
    have passed.
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
        self._facts: told.Facts | None = None
        self._genesis: str | None = None
        self._restarts = Restarts(client)
        self._deadline = 0.0
        self._blocks_until = 0.0
        self.observation: Observation | None = None
        """What the last gather tells beyond its readings; see `collector.observations.Comparable`."""
        self._look_again()

    async def gather(self) -> list[Reading]:
        """Return readings of `chain`, `chain_node` (info), `chain_signer` and `geth`. Raises Failure."""
        self.observation = None
        self._shapes.begin()
        began = asyncio.get_running_loop().time()
        self._deadline = began + self._target.timeout * PAGE_SHARE
        self._blocks_until = began + self._target.timeout * BLOCKS_SHARE
        page = asyncio.create_task(self._metrics_page()) if self._uses_page else None
        at = self._client.wall()
        try:
            answers = await self._ask(self._calls)
        except BaseException:
            if page:
                page.cancel()
            self._look_again()
            raise
        took = asyncio.get_running_loop().time() - began
        date = self._client.date
        values: dict[str, Value] = {}
        for call, read in methods.READERS.items():
            values |= answers.read(call, read) or {}
        identity = {label: answers.read(call, read) for label, (call, read) in methods.IDENTITY.items()}
        readings = self._identity(identity)
        if "clique_active_signers" in values:
            readings += self._signers(answers.read(methods.CLIQUE_STATUS, methods.sealer_activity) or {})
        readings += await self._metrics(answers, page, values)
        if values:
            readings.append(self._shapes.curated(CHAIN, values))
        await self._learn(answers, identity["version"] or "")
        self.observation = Observation(
            at=at,
            took=took,
            head=await self._block(answers, methods.HEAD, self._deadline),
            network=self._network(identity),
            version=identity["version"] or "",
            identity=self._facts.identity if self._facts else "",
            peer_count=_count(values.get("peers")),
            peers=answers.read(methods.PEERS, told.peers),
            signers=self._comparable_signers(answers),
            syncing=bool(values["syncing"]) if "syncing" in values else None,
            period=self._facts.period if self._facts else None,
            pool=_count(values.get("txpool_pending")),
            clock=None if date is None else date + _DATE_WITHIN - (at + took / 2),
            clock_within=_DATE_WITHIN + took / 2,
        )
        return readings

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Return these blocks, in one batch. Raises Failure."""
        if not numbers:
            return []
        calls = {methods.block_call(number): number for number in numbers}
        answers = await self._ask(list(calls))
        found = []
        for call, number in calls.items():
            block = await self._block(answers, call, self._blocks_until)
            if block is not None and block.number == number:
                found.append(block)
            elif block is not None:
                self._problems("bad_answer", f"{call.method} {number}: the answer is another block, {block.number}")
        return found

    async def close(self) -> None:
        """Do nothing: the client is all there is to close."""

    @property
    def _uses_page(self) -> bool:
        """Whether the node is known to be one whose metrics are at the metrics URL alone."""
        return bool(self._target.metrics_url and self._raw.wanted and methods.DEBUG_METRICS not in self._calls)

    async def _ask(self, calls: Sequence[methods.Call]) -> Answers:
        return Answers(await rpc.ask(self._client, self._target.url, calls), self._problems)

    async def _learn(self, answers: Answers, version: str) -> None:
        """Note what the node does not offer and what it says for good; find out anew where it may have restarted."""
        self._note_facts(answers)
        self._leave_out(answers.not_offered())
        if self._restarts.noticed(version):
            self._look_again()
            # Blocks of one chain are not to be told with the genesis of another.
            with suppress(Failure, TimeoutError):  # then they are asked for with the next batch: it says what is wrong
                fresh = any(answers.raw(call) is not None for call in methods.FACTS)
                async with asyncio.timeout_at(self._deadline):
                    self._note_facts(answers if fresh else await self._ask(methods.FACTS))
            self._leave_out()

    def _note_facts(self, answers: Answers) -> None:
        facts = answers.read(methods.NODE_INFO, told.node_info)
        self._facts = self._facts if facts is None else facts
        genesis = answers.read(methods.GENESIS, told.genesis)
        self._genesis = self._genesis if genesis is None else genesis

    def _leave_out(self, absent: Sequence[methods.Call] = ()) -> None:
        """Ask no more for what is not there, nor for what was told already and does not change."""
        facts = ((methods.NODE_INFO, self._facts), (methods.GENESIS, self._genesis))
        settled = [*absent, *(call for call, told in facts if told is not None)]
        self._calls = [call for call in self._calls if call not in settled]

    def _network(self, identity: Mapping[str, str | None]) -> Network:
        genesis = (self._facts.genesis if self._facts else "") or self._genesis or ""
        return Network(genesis, identity["chain_id"] or "", identity["network_id"] or "")

    async def _block(self, answers: Answers, call: methods.Call, deadline: float) -> Block | None:
        """Return the block that answers a call, with who sealed it if that is found out in time."""
        answer = answers.raw(call)
        if isinstance(answer, memoryview) and (known := _blocks.known(answer)):
            return known
        document = answers.document(call)
        if document is None:  # the node has no such block
            return None
        block = answers.read(call, blocks.read)
        if block is None or block.in_turn is None or not isinstance(answer, memoryview):
            return block
        return await _blocks.sealed(answer, block, document, deadline)

    def _comparable_signers(self, answers: Answers) -> tuple[str, ...] | None:
        signers = answers.read(methods.SIGNERS, methods.signers)
        if signers is not None and len(signers) > methods.MOST_SIGNERS:
            self._remarks.once("signers", f"{len(signers):,} signers are more than can be compared")
            return None
        return signers

    def _identity(self, identity: Mapping[str, str | None]) -> list[Reading]:
        known = {label: value for label, value in identity.items() if value}
        return [self._shapes.curated(_INFO, {"info": 1}, **known)] if known else []

    def _signers(self, activity: dict[str, int]) -> list[Reading]:
        return [
            self._shapes.curated(SIGNER, {"recent_blocks": count}, signer=signer) for signer, count in activity.items()
        ]

    async def _metrics(
        self, answers: Answers, page: asyncio.Task[bytes | Failure] | None, values: dict[str, Value]
    ) -> list[Reading]:
        """Return the reading of geth's own metrics, and note in `values` whether it collects any."""
        nested = answers.raw(methods.DEBUG_METRICS)
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
        self._facts = self._genesis = None
        wanted = [methods.DEBUG_METRICS] if self._raw.wanted else []
        identity = [call for call, _ in methods.IDENTITY.values()]
        self._calls = [*methods.READERS, *identity, *wanted, *methods.FACTS]


def _count(value: Value | None) -> int | None:
    """Return a count; None for one that no node comes to."""
    return value if isinstance(value, int) else None
