"""The selected numbers of geth's own metrics as one reading, measurement `geth`."""

from __future__ import annotations

import asyncio
from typing import Any

from collector.paths import Plan, Selection, field_name, nearest
from collector.readings import Field, Reading
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
        self._fields: tuple[Field, ...] = ()

    @property
    def wanted(self) -> bool:
        """Whether anything is selected at all."""
        return bool(self._selection.paths)

    async def readings(self, document: dict[str, Any], *, flat: bool) -> list[Reading]:
        """Return one reading, or none if nothing that is selected is there."""
        numbers = self._plan.take(document) if self._plan else None
        if numbers is None:
            numbers = (await self._learn(document, flat)).take(document)
        return [self._shapes.reading("geth", self._fields, numbers, **self._tags)] if numbers else []

    async def _learn(self, document: dict[str, Any], flat: bool) -> Plan:
        name = metrics.flat_names(document) if flat else metrics.nested_name
        plan = await asyncio.to_thread(Plan, document, self._selection, name)
        self._fields = tuple(Field(field_name(path), help=f"geth {'.'.join(path)}") for path in plan.paths)
        self._plan = plan
        if self._chosen_by_user:  # of the default ones some match nothing: versions differ
            await self._tell_unmatched(plan)
        return plan

    async def _tell_unmatched(self, plan: Plan) -> None:
        for path in self._selection.unmatched(plan.offered):
            if self._remarks.said(f"path {path}"):
                continue
            near = await asyncio.to_thread(nearest, path, plan.offered)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            self._remarks.once(f"path {path}", f"metrics: {path} matches nothing that this node offers{meant}")
