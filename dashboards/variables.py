"""The variables of a dashboard: the data source, and what is picked of jobs, chains, roles and nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collector.catalogue import M, Metric
from dashboards.panels import Board, Language

DATA_SOURCES: dict[Language, str] = {"promql": "prometheus", "influxql": "influxdb", "flux": "influxdb"}
"""The type of the data source that is asked in each language."""

DATA_SOURCE = "datasource"
"""The name of the variable that says which data source."""

JOB = "job"


@dataclass(frozen=True)
class Variable:
    """One that is filled by a query: `every` if all values may be picked at once, which then is what it begins with."""

    name: str
    label: str
    query: str
    every: bool = True


def variables(board: Board, language: Language) -> Sequence[Variable]:
    """Return the variables of a board beside the data source, each narrowed by those before it."""
    made = []
    if language == "promql":
        made.append(Variable(JOB, "Job", f"label_values({M.chainwatch_build_info.name}, {JOB})"))
    for position, name in enumerate(board.variables):
        query = _QUERIES[language](board, name, board.variables[:position])
        made.append(Variable(name, name.capitalize(), query, every=name != "node" or board.every_node))
    return made


def narrowing(board: Board) -> dict[str, str]:
    """Return the matchers, as PromQL writes them, by which the variables narrow what a board shows."""
    return {name: f'=~"${name}"' for name in (JOB, *board.variables)}


def narrowing_of_influx(board: Board) -> dict[str, str]:
    """Return the same as InfluxQL and Flux write it; there are no jobs there."""
    return {name: f"=~ /^${{{name}:regex}}$/" for name in board.variables}


_NODES = (M.chain_node_up, M.ethstats_connected)
"""What there is of every node: of one that is asked, and of one that only pushes."""

_CHAINS: Mapping[tuple[str, ...], Sequence[Metric]] = {
    ("ethereum",): (M.chain_head_block_gas_limit, M.ethstats_connected),
    ("nodeos",): (M.chain_finalized_block_number,),
}
"""What there is of every chain of a kind, and of no other."""


def _of(board: Board, name: str) -> Sequence[Metric]:
    return _CHAINS.get(board.kinds, _NODES) if name == "chain" else _NODES


def _in_promql(board: Board, name: str, before: Sequence[str]) -> str:
    names = "|".join(metric.name for metric in _of(board, name))
    matchers = [f'__name__=~"{names}"', *(f'{other}=~"${other}"' for other in (JOB, *before))]
    return f"label_values({{{', '.join(matchers)}}}, {name})"


def _in_influxql(board: Board, name: str, before: Sequence[str]) -> str:
    """Return what asks which tags the fields have: SHOW TAG VALUES knows measurements alone, which both kinds have.

    The range of time stands there once, for all inside: in a variable Grafana fills in the first alone.
    """
    tags = narrowing_of_influx(board)
    where = " AND ".join(f'"{other}" {tags[other]}' for other in before)
    narrowed = f" WHERE {where}" if where else ""
    asked = ", ".join(
        f'(SELECT last("{metric.field}") FROM "{metric.measurement}"{narrowed} GROUP BY "{name}")'  # noqa: S608 - all of the catalogue
        for metric in _of(board, name)
    )
    return f'SELECT DISTINCT("{name}") AS "{name}" FROM {asked} WHERE $timeFilter'  # noqa: S608 - as above


def _in_flux(board: Board, name: str, before: Sequence[str]) -> str:
    tags = narrowing_of_influx(board)
    fields = " or ".join(
        f'(r["_measurement"] == "{metric.measurement}" and r["_field"] == "{metric.field}")'
        for metric in _of(board, name)
    )
    steps = [
        "range(start: v.timeRangeStart, stop: v.timeRangeStop)",
        f"filter(fn: (r) => {fields})",
        *(f'filter(fn: (r) => r["{other}"] {tags[other]})' for other in before),
        f'group(columns: ["{name}"])',
        "last()",
        "group()",
        f'keep(columns: ["{name}"])',
    ]
    return "\n".join(["from(bucket: v.defaultBucket)", *(f"  |> {step}" for step in steps)])


_QUERIES = {"promql": _in_promql, "influxql": _in_influxql, "flux": _in_flux}
