"""The numbers that nodeos tells, under its own names: figures with a path such as `get_info.head_block_num`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from collector.paths import DEEPEST, MOST_NUMBERS, Path
from collector.readings import Kind, Tags, Value
from collector.remarks import excerpt
from collector.sources.nodeos.endpoints import DB_SIZE, INFO, METRICS
from collector.sources.nodeos.values import count, entries, number

MOST_SAMPLES = 5_000
"""Samples that are taken of a prometheus page: 62 families, a dozen of them once per peer."""

MOST_INDICES = 200
"""Indices of the state database that get series of their own; real nodes have some 25."""

LONGEST_NAME = 200
"""Characters of a key beyond which it is nobody's metric."""

LONGEST_LABEL = 64
LONGEST_LINE = 4_096
LONGEST_PAGE = 2**20
"""Bytes of a page beyond which it is not read: a peer comes to 800, all else to 10,000."""

_TEXTS = re.compile(r".*_(id|string|version|time|producer)")
"""Keys of get_info whose strings are no numbers even where they look like one: `server_version` is "01dab51a" or, from
another commit, "12345678"."""

_ABOUT_ITSELF = "nodeos_info"
"""Always 1, what it says is in its labels, and get_info says the same. One label is the earliest block that is left,
which on a node that prunes would begin a new series at every block."""

_TYPE = re.compile(r"^# TYPE (\S+)", re.MULTILINE)


class Figure(NamedTuple):
    """One number of one node."""

    path: Path
    value: Value
    kind: Kind = Kind.UNKNOWN
    tags: Tags = ()


def figures(group: str, document: Any) -> Iterator[Figure]:  # noqa: ANN401 - JSON can be anything
    """Yield every number of a document by its path, numbers in strings as well; lists are not followed."""
    waiting: list[tuple[Path, Any]] = [((group,), document)]
    found = 0
    while waiting and found < MOST_NUMBERS:
        path, value = waiting.pop()
        if isinstance(value, dict):
            if len(path) < DEEPEST:
                waiting.extend(
                    [((*path, key), below) for key, below in value.items() if len(key) <= LONGEST_NAME][::-1]
                )
        elif len(path) > 1 and not (group == INFO.group and isinstance(value, str) and _TEXTS.fullmatch(path[-1])):
            try:
                yield Figure(path, number(value))
            except ValueError:
                continue
            found += 1


def index_figures(size: Any) -> Iterator[Figure]:  # noqa: ANN401 - as above
    """Yield the rows of each index of the state database, from db_size/get; the index is a tag.

    Raises as a reader does, but not where the answer is no document at all: that is the reader's to say.
    """
    if not isinstance(size, dict):
        return
    for index in entries(size.get("indices", []))[:MOST_INDICES]:
        name = index["index"].removeprefix("eosio::chain::")
        yield Figure((DB_SIZE.group, "index_rows"), count(index["row_count"]), tags=_tags({"index": name}))


def page_figures(body: bytes) -> list[Figure]:
    """Return the samples of the prometheus plugin's page, labels as tags.

    Newer versions prefix the names with `nodeos_`, older ones don't: here none has it. A counter whose name does not
    end in `_total` is of unknown kind, since no counter of OpenMetrics may have such a name. Raises ValueError.
    """
    if len(body) > LONGEST_PAGE:
        raise ValueError(f"a page of {len(body):,} bytes")
    # A sample may come with a line of help and one of type.
    lines = body.decode("utf-8", "replace").splitlines()[: 3 * MOST_SAMPLES]
    if any(len(line) > LONGEST_LINE for line in lines):
        raise ValueError(f"a line of more than {LONGEST_LINE:,} characters")
    page = "\n".join(lines) + "\n"
    declared = frozenset(_TYPE.findall(page))
    found = []
    try:
        for family in text_string_to_metric_families(page):
            # The parser ends every counter's name in _total, whatever the page says.
            bare = family.type == "counter" and family.name in declared
            for sample in family.samples:
                name = sample.name.removesuffix("_total") if bare else sample.name
                if name != _ABOUT_ITSELF and math.isfinite(sample.value) and len(name) <= LONGEST_NAME:
                    kind = _kind(family.type, name)
                    path = (METRICS.group, name.removeprefix("nodeos_"))
                    found.append(Figure(path, sample.value, kind, _tags(sample.labels)))
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"not of the form of such a page: {error}") from error
    return found[:MOST_SAMPLES]


def _kind(declared: str, name: str) -> Kind:
    if declared == "counter" and name.endswith("_total"):
        return Kind.COUNTER
    return Kind.GAUGE if declared == "gauge" else Kind.UNKNOWN


def _tags(labels: dict[str, str]) -> Tags:
    """Return labels as tags: short, printable, sorted, none empty."""
    short = ((excerpt(key, LONGEST_LABEL), excerpt(value, LONGEST_LABEL)) for key, value in labels.items())
    return tuple(sorted((key, value) for key, value in short if key and value))
