"""Line protocol, read back: what the tests look for in what a collector wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

_SERIES = r"(?:\\.|[^\\ \n])+"
_FIELD = r'(?:\\.|[^=,\\ \n])+=(?:"(?:\\.|[^"\\\n])*"|-?[0-9][0-9.e+-]*)'
_LINE = re.compile(rf"({_SERIES}) ({_FIELD}(?:,{_FIELD})*) ([0-9]+)")
_FIELDS = re.compile(_FIELD)


class Line(NamedTuple):
    """One line; texts are without their quotes, numbers are as written."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, str]


def parse(text: str) -> Line:
    """Read a line. Raises AssertionError where InfluxDB would refuse it."""
    found = _LINE.fullmatch(text)
    assert found, text
    measurement, *tags = re.split(r"(?<!\\),", found[1])
    return Line(measurement, _pairs(tags), _pairs(_FIELDS.findall(found[2])))


def _pairs(items: Iterable[str]) -> dict[str, str]:
    pairs = dict(re.split(r"(?<!\\)=", item, maxsplit=1) for item in items)
    return {key: value.strip('"') for key, value in pairs.items()}


def gathers(lines: Iterable[str], node: str) -> list[str]:
    """Return what `chain_node_up` was at each gather of a node, oldest first."""
    found = (parse(line) for line in lines if line.startswith("chain_node,"))
    return [line.fields["up"] for line in found if line.tags["node"] == node and "up" in line.fields]


def counted(lines: Iterable[str], field: str, **tags: str) -> float:
    """Return the highest value of one of chainwatch's own counters."""
    found = [parse(line) for line in lines if line.startswith("chainwatch,")]
    values = [line.fields[field] for line in found if tags.items() <= line.tags.items() and field in line.fields]
    assert values, (field, tags)
    return max(float(value) for value in values)
