"""Readings as lines of InfluxDB's line protocol.

A shape becomes a template once; from then on a line is the numbers, formatted all at once, laid into it. Numbers are
written as floats, every one of them: a field's type is fixed by the first value that the database sees, and a node
that answers 0 today and 0.5 tomorrow would be refused ever after. It is also what Telegraf's plugin for geth did.

What the protocol cannot carry is made harmless rather than sent: control characters and backslashes in names become
"_" (a backslash cannot be escaped there and swallows what follows it), a field or tag named `time` becomes `time_`,
and a value that is not a finite number is left out.
"""

from __future__ import annotations

import math
import re

from collector.readings import Kind, Reading, Shape, Value
from exporters.numbers import picker, spell

LONGEST_SERIES_KEY = 65_535
"""Bytes of measurement and tags beyond which InfluxDB refuses a line."""

_SEPARATOR = 4  # bytes that InfluxDB puts between a series' key and a field's name

_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\\\u2028\u2029]")
_QUOTE = re.compile('"')  # in a field's name it makes VictoriaMetrics swallow the fields after it


class _Template:
    """A shape's line with places for its numbers: `template % (number, ..., time)`.

    `take` picks the values that the template has places for; None where it has one for each, in order.
    """

    __slots__ = ("head", "names", "take", "template")

    def __init__(self, shape: Shape) -> None:
        self.head = _head(shape)
        names = _field_names(shape, len(self.head))
        texts = any(field.kind is Kind.TEXT for field in shape.fields)
        self.names = None if texts else names
        kept = [index for index, name in enumerate(names) if name]
        self.take = picker(kept) if len(kept) < len(names) else None
        fields = b",".join(names[index].replace(b"%", b"%%") + b"=%b" for index in kept)
        self.template = b"" if texts or not self.head else self.head.replace(b"%", b"%%") + fields + b" %d\n"


def encode(reading: Reading) -> bytes:
    r"""Return the line for a reading, ending in `\n`, its time in nanoseconds.

    Empty if no field of it can be written, or if measurement and tags are longer than InfluxDB allows.
    """
    compiled = reading.shape.derive(_Template)
    numbers = spell(reading.values) if compiled.template else None
    if not numbers:
        return _field_by_field(compiled, reading)
    return compiled.template % (*(compiled.take(numbers) if compiled.take else numbers), reading.time_ns)


def _field_by_field(compiled: _Template, reading: Reading) -> bytes:
    """Encode what the template can't: text, and readings with a value that has to be left out."""
    if not compiled.head:
        return b""
    names = compiled.names or _field_names(reading.shape, len(compiled.head))
    fields = [
        name + b"=" + written
        for name, value in zip(names, reading.values, strict=True)
        if name and (written := _value(value))
    ]
    return b"%b%b %d\n" % (compiled.head, b",".join(fields), reading.time_ns) if fields else b""


def _value(value: Value) -> bytes:
    if isinstance(value, str):
        return b'"%b"' % value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").encode("utf-8", "replace")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return b""
    if not math.isfinite(number):
        return b""
    return repr(int(value) if isinstance(value, bool | int) and abs(value) < 2**63 else number).encode()


def _head(shape: Shape) -> bytes:
    """Measurement and tags, and the space after them; empty if they are too long."""
    measurement = _name(shape.measurement, ", ")
    if measurement.startswith(b"#"):  # would make the line a comment
        measurement = b"_" + measurement[1:]
    tags = {key: value for name, text in shape.tags if (key := _name(name, ",= ")) and (value := _name(text, ",= "))}
    head = b",".join((measurement, *(key + b"=" + value for key, value in sorted(tags.items()))))
    return head + b" " if measurement and len(head) <= LONGEST_SERIES_KEY else b""


def _name(text: str, special: str) -> bytes:
    """Return a measurement, key or tag value with what separates it escaped."""
    text = _UNWRITABLE.sub("_", text)
    if text == "time":
        text = "time_"
    for character in special:
        text = text.replace(character, "\\" + character)
    return text.encode("utf-8", "replace")


def _field_names(shape: Shape, head: int) -> list[bytes]:
    """Return the fields' names, "" for those that can't be written.

    That is a repetition, since two that differ only in what can't be written are one, and what is too long beside
    measurement and tags of `head` bytes: InfluxDB would refuse the line for it.
    """
    seen: set[bytes] = set()
    distinct = []
    for field in shape.fields:
        name = _name(_QUOTE.sub("_", field.name), ",= ")
        distinct.append(b"" if name in seen or head + len(name) + _SEPARATOR > LONGEST_SERIES_KEY else name)
        seen.add(name)
    return distinct
