"""The selected numbers of geth's own metrics as one reading, measurement `geth`."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from collector.client import check_parts, decode, kind_of
from collector.failures import BadAnswer
from collector.paths import Name, Plan, Plans, Selection, offered
from collector.readings import Reading
from collector.remarks import Remarks
from collector.shapes import Shapes
from collector.sources import unmatched
from collector.sources.ethereum import metrics
from collector.targets import Target


class RawMetrics:
    """Takes what is selected out of either document, by a plan that is made again when a document's form changes."""

    def __init__(self, target: Target, shapes: Shapes, remarks: Remarks) -> None:
        self._shapes = shapes
        self._remarks = remarks
        self._tags = {"server": target.host, "port": str(target.port)}
        self._chosen_by_user = target.metrics is not None
        self._selection = Selection(
            metrics.DEFAULT_SELECTION if target.metrics is None else metrics.selection_paths(target.metrics)
        )
        self._plan: Plan | None = None
        self._making: asyncio.Future[Plan] | None = None
        self.switched_off = False
        """Whether the last document came from a node that was started without `--metrics`."""

    @property
    def wanted(self) -> bool:
        """Whether anything is selected at all."""
        return bool(self._selection.paths)

    async def readings(self, body: bytes | memoryview, *, flat: bool) -> list[Reading]:
        """Return one reading of a document as it was sent, or none if nothing that is selected is there.

        Raises Failure if it is no document of metrics.
        """
        check_parts(body, "metrics")
        numbers = self._plan.take_encoded(body) if self._plan else None
        if numbers is None:
            document = decode(body, "metrics")
            if not isinstance(document, dict):
                raise BadAnswer("bad_answer", f"metrics: an object was expected, not {kind_of(document)}")
            numbers = self._plan.take(document) if self._plan else None
            if numbers is None:
                await self._learn(document, flat)
                numbers = self._plan.take(document) if self._plan else None
        if self.switched_off or not numbers or not self._plan:
            return []
        return [self._shapes.reading("geth", self._plan.fields, numbers, **self._tags)]

    async def _learn(self, document: dict[str, Any], flat: bool) -> None:
        name = metrics.flat_names(document) if flat else metrics.nested_name
        plans = _plans(self._selection.paths, flat)
        self._plan = plans.find(document)
        if self._plan is None:
            self._plan = await self._make(plans, document, name)
        self.switched_off = metrics.switched_off(document)
        if self.switched_off:
            self._remarks.once("off", "its metrics are all zeros: start geth with the flag --metrics")
        elif self._chosen_by_user:  # of the default ones some match nothing: versions differ
            await self._tell_unmatched(document, name)

    async def _make(self, plans: Plans, document: dict[str, Any], name: Name) -> Plan:
        """Make a plan in a thread, one at a time.

        One that takes longer than a gather is not begun anew by the next, which waits for it.
        """
        if self._making is None or self._making.done():

            def make() -> Plan:
                # When many nodes begin at once, one has made it while the others waited for a thread.
                return plans.find(document) or plans.add(Plan(document, self._selection, name, "geth"))

            self._making = asyncio.get_running_loop().run_in_executor(None, make)
        return await asyncio.shield(self._making)

    async def _tell_unmatched(self, document: dict[str, Any], name: Name) -> None:
        """Say which of the user's paths match nothing; also if it takes longer than the gather."""
        if unmatched.all_said(self._selection, self._remarks):
            return
        found = asyncio.get_running_loop().run_in_executor(None, self._unmatched, document, name)
        found.add_done_callback(self._say_unmatched)
        await asyncio.shield(found)

    def _unmatched(self, document: dict[str, Any], name: Name) -> dict[str, list[str]]:
        return unmatched.unmatched(self._selection, offered(document, name), self._remarks)

    def _say_unmatched(self, found: asyncio.Future[dict[str, list[str]]]) -> None:
        if not found.exception():  # else whoever waits for it is told
            unmatched.say(found.result(), self._remarks)


@cache
def _plans(selection: tuple[str, ...], flat: bool) -> Plans:  # noqa: ARG001 - they tell one from another
    """Return the plans for a selection from one of the two documents; there are as many as configurations name."""
    return Plans()
