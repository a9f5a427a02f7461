"""Many numbers at once: spelling and picking them, the work that is left of a reading once its names are paid for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import orjson


def spell(values: Sequence[object]) -> list[bytes] | None:
    """Return every number in its shortest spelling that reads back as the same number.

    None if there is anything else among them: NaN, an infinity, an integer of more than 64 bits, a boolean, text.
    """
    try:
        array = orjson.dumps(values)
    except TypeError:
        return None
    # "null" (for what is not finite), "true", "false" and quoted strings each hold a character that no number does.
    if b"u" in array or b"s" in array or b'"' in array:
        return None
    return array[1:-1].split(b",") if values else []


def picker(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what picks the items at these places out of a sequence, as a tuple for any number of places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)
