"""A gather of a nodeos: get_info, then what else the node offers, one request after another on one connection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from collector.catalogue import CHAIN, NODES, PRODUCER
from collector.client import Client, decode
from collector.failures import BadAnswer, Failure, Refused, TooLarge, Unreachable
from collector.observations import Block, Network, Observation
from collector.paths import MOST_NUMBERS, Path, Selection, field_name
from collector.readings import Field, Kind, Reading, Tags, Value
from collector.remarks import Remarks, excerpt
from collector.shapes import Shapes
from collector.sources import Problems, unmatched
from collector.sources.nodeos import answers, blocks, raw
from collector.sources.nodeos.endpoints import (
    BLOCKS,
    CONNECTIONS,
    DB_SIZE,
    GROUPS,
    INFO,
    METRICS,
    PARTS,
    PRODUCERS,
    RUNTIME_OPTIONS,
    SCHEDULE,
    SUPPORTED_APIS,
    Endpoint,
)
from collector.sources.nodeos.values import identifier
from collector.sources.observing import BLOCKS_SHARE
from collector.sources.pages import PAGE_SHARE, fetch_page
from collector.sources.restarts import Restarts
from collector.targets import Target

T = TypeVar("T")

_INFO = [metric for metric in NODES if metric.field == "info"]
_NOT_FOUND = 404

_OTHER_FORM = (LookupError, TypeError, ValueError, AttributeError)


class Nodeos:
    """Gathers one nodeos.

    What the node offers is asked once, and again when it may have restarted: a gather failed, the version is another,
    the kept connection was lost, or five minutes have passed.
    """

    advice = {  # noqa: RUF012 - the same for all
        "bad_host": "start nodeos with http-validate-host=false, or name this host and port in http-alias",
        "unauthorized": "put user:password@ into the server's url",
        "busy": "nodeos counts open connections, idle ones too: raise http-max-in-flight-requests, or hold fewer open",
    }

    def __init__(self, target: Target, client: Client, remarks: Remarks, problems: Problems) -> None:
        self._target = target
        self._client = client
        self._remarks = remarks
        self._tell = problems
        self._shapes = Shapes(target.tags)
        self._own_tags = frozenset(target.tags) | {"server", "port"}
        self._raw_tags = {"server": target.host, "port": str(target.port)}
        self._selection = Selection(("*",) if target.metrics is None else target.metrics)
        wanted = [part for part in PARTS if part.curated or self._selection.reaches((part.group,))]
        self._page_url = target.metrics_url if METRICS in wanted else ""
        self._wanted = [part for part in wanted if not (part is METRICS and self._page_url)]
        self._field = lru_cache(maxsize=2 * MOST_NUMBERS)(self._make_field)
        self._offered: set[Endpoint] | None = None
        self._blocks_by: list[Endpoint] = list(BLOCKS)
        self._began = 0.0
        self._at = 0.0
        self._took = 0.0
        self._whole = True  # whether no part of the gather failed
        self._restarts = Restarts(client)
        self.observation: Observation | None = None
        """What the last gather tells beyond its readings; see `collector.observations.Comparable`."""

    async def gather(self) -> list[Reading]:
        """Return `chain`, `chain_node` (info), `chain_producer` and `nodeos` readings. Raises Failure."""
        self.observation = None
        self._shapes.begin()
        self._whole = True
        self._began = asyncio.get_running_loop().time()
        try:
            return await self._gather()
        except BaseException:
            self._offered = None
            raise

    async def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Return these blocks, asked for one after another, the newest first, as far as there is time. Raises Failure.

        Where nodeos does not answer with a block, it is asked for the header alone.
        """
        loop = asyncio.get_running_loop()
        until = self._began + BLOCKS_SHARE * self._target.timeout
        longest = 0.0
        found: list[Block] = []
        failures: list[Failure] = []
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                for number in sorted(numbers, reverse=True):
                    began = loop.time()
                    if began + longest > until:
                        break
                    found += await self._block(number, failures)
                    longest = max(longest, loop.time() - began)
        if failures:  # what is wrong with one is mostly wrong with all
            self._problem(failures[0].kind, str(failures[0]))
        return found

    async def close(self) -> None:
        """Do nothing: the client is all there is to close."""

    async def _gather(self) -> list[Reading]:
        self._at = self._client.wall()
        info = await self._info()
        self._took = asyncio.get_running_loop().time() - self._began
        try:
            values = answers.head(info)
        except _OTHER_FORM as error:
            raise _bad_answer(INFO, error) from error
        more, odd = answers.said(info)
        values |= more
        if odd:
            self._problem("bad_answer", f"{INFO.path}: {'; '.join(odd)}")
        identity = self._identity(info)
        if self._restarts.noticed(identity.get("version", "")):
            self._offered = None
        offered = self._offered
        learning = offered is None
        if offered is None:
            offered = self._offered = await self._learn()
        documents = await self._ask_parts(offered)
        for endpoint, read in answers.READERS.items():
            values |= self._read(documents, endpoint, read) or {}
        scheduled = _scheduled(documents)
        readings = [self._shapes.curated(CHAIN, values), *self._producers(documents, scheduled or [])]
        if identity:
            readings.append(self._shapes.curated(_INFO, {"info": 1}, **identity))
        figures = [
            *raw.figures(INFO.group, info),
            *raw.figures(RUNTIME_OPTIONS.group, documents.get(RUNTIME_OPTIONS)),
            *raw.figures(DB_SIZE.group, documents.get(DB_SIZE)),
            *(self._read(documents, DB_SIZE, lambda size: list(raw.index_figures(size))) or ()),
            *await self._page(documents),
        ]
        readings += self._raw(figures)
        if learning and self._whole:
            self._say_what_is_missing(offered)
            await self._tell_unmatched([figure.path for figure in figures])
        self.observation = self._observe(values, identity, scheduled, documents)
        return readings

    async def _block(self, number: int, failures: list[Failure]) -> list[Block]:
        """Return a block, or none. Raises Failure where asking on is of no use; others are added to `failures`."""
        wrong: Failure | None = None
        for endpoint in tuple(self._blocks_by):
            try:
                return [blocks.read(await self._fetch(endpoint, blocks.request(endpoint, number)), number)]
            except Refused as refusal:
                if refusal.code == blocks.UNKNOWN_BLOCK:
                    return []
                if refusal.kind == "busy":
                    raise
                if refusal.status == _NOT_FOUND:
                    self._blocks_by.remove(endpoint)
                else:
                    wrong = refusal
            except (TooLarge, BadAnswer) as failure:
                wrong = failure
        failures += [wrong] if wrong else []
        return []

    def _observe(
        self,
        values: dict[str, Value],
        identity: dict[str, str],
        schedule: list[str] | None,
        documents: dict[Endpoint, Any],
    ) -> Observation:
        number = self._number(values, "head_block_number")
        return Observation(
            at=self._at,
            took=self._took,
            head=None if number is None else _head(number, values),
            finalized=self._number(values, "finalized_block_number"),
            finalized_at=_moment(values, "finalized_block_timestamp_seconds"),
            best_known=self._number(values, "fork_database_head_block_number"),
            network=Network(genesis=identity.get("chain_id", "")),
            version=identity.get("version", ""),
            peer_count=self._number(values, "peers"),
            peers=self._read(documents, CONNECTIONS, answers.peers) if "peers" in values else None,
            schedule=self._whole_schedule(values, schedule),
            finalizers=self._number(values, "finalizers"),
            paused=bool(values["producer_paused"]) if "producer_paused" in values else None,
        )

    def _number(self, values: dict[str, Value], field: str) -> int | None:
        """Return a number if it is one that a chain comes to."""
        value = values.get(field)
        if isinstance(value, int) or value is None:
            return value
        self._problem("bad_answer", f"{field}: a number beyond all chains: {value:.0e}")
        return None

    def _whole_schedule(self, values: dict[str, Value], scheduled: list[str] | None) -> list[str] | None:
        """Return the producers in the order of their turns; None where not all of them were looked at."""
        if scheduled is not None and values.get("producers") != len(scheduled):
            self._remarks.once("schedule", f"{values.get('producers')} producers are more than can be compared")
            return None
        return scheduled

    async def _info(self) -> Any:  # noqa: ANN401 - JSON can be anything
        try:
            return decode(await self._fetch(INFO), INFO.path)
        except Refused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            message = f"{refusal}; is this a nodeos, and does it load {INFO.plugin}?"
            raise Refused(refusal.kind, message, refusal.status) from refusal

    async def _fetch(self, endpoint: Endpoint, body: bytes | None = None) -> bytes:
        """Ask the node itself. Raises Failure."""
        parts = self._target.parts
        url = parts._replace(path=parts.path.rstrip("/") + endpoint.path).geturl()
        body = body or endpoint.body
        return await (self._client.get(url) if body is None else self._client.post(url, body))

    async def _ask_parts(self, offered: set[Endpoint]) -> dict[Endpoint, Any]:
        """Return the decoded answers of the endpoints that the node offers; what failed is reported and left out."""
        documents: dict[Endpoint, Any] = {}
        try:
            for endpoint in self._wanted:
                if endpoint in offered:
                    await self._ask_part(endpoint, offered, documents)
        except Unreachable as failure:  # nor would the rest be answered
            self._problem(failure.kind, str(failure))
            self._offered = None
        if self._page_url:
            try:
                deadline = self._began + PAGE_SHARE * self._target.timeout
                documents[METRICS] = await fetch_page(self._client, self._page_url, deadline)
            except Failure as failure:
                self._problem(failure.kind, str(failure))
        return documents

    async def _ask_part(self, endpoint: Endpoint, offered: set[Endpoint], documents: dict[Endpoint, Any]) -> None:
        try:
            body = await self._fetch(endpoint)
            documents[endpoint] = body if endpoint is METRICS else decode(body, endpoint.path)
        except Unreachable:
            raise
        except Failure as failure:
            if isinstance(failure, Refused) and failure.status == _NOT_FOUND:
                offered.discard(endpoint)
            else:
                self._problem(failure.kind, str(failure))

    async def _learn(self) -> set[Endpoint]:
        """Return what the node offers of what is wanted; all of it where it can't tell: a 404 then sorts it out."""
        self._blocks_by = list(BLOCKS)
        try:
            apis = answers.apis(decode(await self._fetch(SUPPORTED_APIS), SUPPORTED_APIS.path))
        except Refused:  # early versions don't have it, and a proxy may not let it through
            return set(self._wanted)
        except (Failure, *_OTHER_FORM) as error:
            failure = error if isinstance(error, Failure) else _bad_answer(SUPPORTED_APIS, error)
            self._problem(failure.kind, str(failure))
            return set(self._wanted)
        self._blocks_by = [endpoint for endpoint in BLOCKS if endpoint.path in apis]
        return {endpoint for endpoint in self._wanted if endpoint.path in apis}

    def _read(self, documents: dict[Endpoint, Any], endpoint: Endpoint, read: Callable[[Any], T]) -> T | None:
        """Return what `read` makes of an answer; None, and a problem where it is one, if there is nothing to read."""
        if endpoint not in documents:
            return None
        try:
            return read(documents[endpoint])
        except _OTHER_FORM as error:
            failure = _bad_answer(endpoint, error)
            self._problem(failure.kind, str(failure))
            return None

    async def _page(self, documents: dict[Endpoint, Any]) -> list[raw.Figure]:
        """Return what stands on the prometheus page; read in a thread, for each sample takes some ten microseconds."""
        if METRICS not in documents:
            return []
        try:
            return await asyncio.to_thread(raw.page_figures, documents[METRICS])
        except ValueError as error:
            self._problem("bad_answer", str(_bad_answer(METRICS, error)))
            return []

    def _identity(self, info: dict[str, Any]) -> dict[str, str]:
        """Return what get_info says that the node is, as tags."""
        tags = {}
        version = info.get("server_version_string") or info.get("server_version")
        if isinstance(version, str) and (version := excerpt(version, 64)):
            tags["version"] = version
        if info.get("chain_id") is not None:  # dawn has none
            try:
                tags["chain_id"] = identifier(info["chain_id"])
            except ValueError as error:
                self._problem("bad_answer", f"{INFO.path}: chain_id: {error}")
        return tags

    def _producers(self, documents: dict[Endpoint, Any], scheduled: list[str]) -> list[Reading]:
        producers: dict[str, dict[str, Value]] = {}
        producers.update(self._read(documents, PRODUCERS, answers.registered) or {})
        for name in scheduled:
            producers.setdefault(name, {})["scheduled"] = 1
        return [self._shapes.curated(PRODUCER, values, producer=name) for name, values in producers.items()]

    def _raw(self, figures: Iterable[raw.Figure]) -> list[Reading]:
        """Return the selected figures as readings, one for each set of tags."""
        grouped: dict[Tags, dict[str, tuple[Field, Value]]] = {}
        for path, value, kind, tags in figures:
            field = self._field(path, kind)
            if field is not None:
                grouped.setdefault(self._renamed(tags), {}).setdefault(field.name, (field, value))
        readings = []
        for tags, found in grouped.items():
            fields, values = zip(*found.values(), strict=True)
            readings.append(self._shapes.reading("nodeos", fields, values, **self._raw_tags, **dict(tags)))
        return readings

    def _make_field(self, path: Path, kind: Kind) -> Field | None:
        """Return the field for a path, the same one ever after; None where it is not selected."""
        return Field(field_name(path), kind, f"nodeos {' '.join(path)}") if path in self._selection else None

    def _renamed(self, tags: Tags) -> Tags:
        """Return the node's labels with those that would hide one of ours under another name."""
        if self._own_tags.isdisjoint(key for key, _ in tags):
            return tags
        renamed = {f"exported_{key}" if key in self._own_tags else key: value for key, value in tags}
        return tuple(sorted(renamed.items()))

    async def _tell_unmatched(self, offered: list[Path]) -> None:
        """Say, once, which of the user's paths select nothing of what the node told."""
        if self._target.metrics is None:
            return
        groups = [(group,) for group in GROUPS]
        found = await asyncio.to_thread(unmatched.unmatched, self._selection, offered, self._remarks, groups)
        unmatched.say(found, self._remarks)

    def _say_what_is_missing(self, offered: set[Endpoint]) -> None:
        missing = [part for part in self._wanted if part.plugin and part not in offered]
        if missing:
            names = ", ".join(f"{part.path} ({part.plugin})" for part in missing)
            self._remarks.once("missing", f"without the metrics of {names}: the plugin is not loaded", logging.INFO)

    def _problem(self, kind: str, message: str) -> None:
        self._whole = False
        self._tell(kind, message)


def _scheduled(documents: dict[Endpoint, Any]) -> list[str] | None:
    """Return the names in the schedule; None where it isn't offered, or can't be read: the reader of counts says so."""
    try:
        return answers.scheduled(documents[SCHEDULE])
    except _OTHER_FORM:
        return None


def _head(number: int, values: dict[str, Value]) -> Block:
    return Block(
        number=number,
        hash=str(values.get("head_block_hash", "")),
        timestamp=float(values["head_block_timestamp_seconds"]),
        maker=str(values.get("head_block_producer", "")),
    )


def _moment(values: dict[str, Value], field: str) -> float | None:
    return float(values[field]) if field in values else None


def _bad_answer(endpoint: Endpoint, error: Exception) -> BadAnswer:
    said = excerpt(f"{type(error).__name__}: {error}", 80)
    return BadAnswer("bad_answer", f"{endpoint.path}: an answer of another form than this endpoint's ({said})")
