"""The selected numbers of geth's own metrics as one reading, measurement `geth`."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

from collector.client import decode, kind_of
from collector.failures import BadAnswer
from collector.paths import Path, Plan, Plans, Selection, nearest, offered
from collector.readings import Reading
from collector.remarks import Remarks
from collector.shapes import Shapes
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
        numbers = self._plan.take_encoded(body) if self._plan else None
        if numbers is None:
            document = decode(body, "metrics")
            if not isinstance(document, dict):
                raise BadAnswer("bad_answer", f"metrics: an object was expected, not {kind_of(document)}")
            numbers = self._plan.take(document) if self._plan else None
            if numbers is None:
                numbers = (await self._learn(document, flat)).take(document)
        if self.switched_off or not numbers or not self._plan:
            return []
        return [self._shapes.reading("geth", self._plan.fields, numbers, **self._tags)]

    async def _learn(self, document: dict[str, Any], flat: bool) -> Plan:
        name = metrics.flat_names(document) if flat else metrics.nested_name
        plans = _plans(self._selection.paths, flat)
        plan = plans.find(document)
        if plan is None:
            # Known to all as soon as it is made: should the gather be over before, the next one finds it.
            plan = await asyncio.to_thread(lambda: plans.add(Plan(document, self._selection, name, "geth")))
        self._plan = plan
        self.switched_off = metrics.switched_off(document)
        if self.switched_off:
            self._remarks.once("off", "its metrics are all zeros: start geth with the flag --metrics")
        elif self._chosen_by_user:  # of the default ones some match nothing: versions differ
            await self._tell_unmatched(await asyncio.to_thread(offered, document, name))
        return plan

    async def _tell_unmatched(self, paths: list[Path]) -> None:
        for path in await asyncio.to_thread(self._selection.unmatched, paths):
            if self._remarks.said(f"path {path}"):
                continue
            near = await asyncio.to_thread(nearest, path, paths)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            self._remarks.once(f"path {path}", f"metrics: {path} matches nothing that this node offers{meant}")


@cache
def _plans(selection: tuple[str, ...], flat: bool) -> Plans:  # noqa: ARG001 - they tell one from another
    """Return the plans for a selection from one of the two documents; there are as many as configurations name."""
    return Plans()
