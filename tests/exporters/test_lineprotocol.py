"""Line protocol: every line that is written reads back as what was said, whatever the names and numbers are."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from collector.readings import Field, Kind, Reading, Shape
from exporters.lineprotocol import LONGEST_SERIES_KEY, encode

NAMES = st.text(min_size=1, max_size=20)
NUMBERS = st.one_of(st.integers(-(2**80), 2**80), st.floats(), st.booleans())


def parse(line: bytes) -> tuple[str, dict[str, str], dict[str, str], int]:
    """Read a line of numbers the way InfluxDB does: separators count unless a backslash stands before them."""
    text = line.decode()
    assert text.endswith("\n")
    assert "\n" not in text[:-1]
    head, fields, time = split(text[:-1], " ")
    measurement, *tags = split(head, ",")

    def pairs(items: list[str]) -> dict[str, str]:
        found = [split(item, "=") for item in items]
        assert all(len(pair) == 2 for pair in found), found
        keys = [pair[0] for pair in found]
        assert len(set(keys)) == len(keys)
        assert not {"", "time"} & set(keys)
        return {unescape(key): unescape(value) for key, value in found}

    return unescape(measurement), pairs(tags), pairs(split(fields, ",")), int(time)


def split(text: str, separator: str) -> list[str]:
    """Split at separators that are not escaped."""
    return re.split(rf"(?<!\\){separator}", text)


def unescape(text: str) -> str:
    return re.sub(r"\\([,= ])", r"\1", text)


def test_a_reading_is_one_line_with_tags_in_order_and_floats_without_suffix() -> None:
    shape = Shape("geth", {"server": "10.0.0.1", "port": "8545", "role": ""}, [Field("a"), Field("b"), Field("c")])
    assert encode(Reading(shape, [1, 2.5, 1e300], 17)) == b"geth,port=8545,server=10.0.0.1 a=1,b=2.5,c=1e+300 17\n"


def test_text_is_quoted_and_stays_on_its_line() -> None:
    shape = Shape("chain", {}, [Field("hash", Kind.TEXT), Field("n")])
    assert encode(Reading(shape, ['0x"\\\nf', 5], 1)) == b'chain hash="0x\\"\\\\\\nf",n=5 1\n'


def test_what_is_no_finite_number_is_left_out_and_the_rest_stays() -> None:
    shape = Shape("m", {}, [Field("a"), Field("b"), Field("c"), Field("d")])
    assert encode(Reading(shape, [math.nan, math.inf, 10**30, 3], 1)) == b"m c=1e+30,d=3 1\n"
    assert encode(Reading(shape, [math.nan, -math.inf, math.nan, math.nan], 1)) == b""


def test_booleans_are_numbers() -> None:
    assert encode(Reading(Shape("m", {}, [Field("a"), Field("b")]), [True, 2], 1)) == b"m a=1,b=2 1\n"


def test_names_that_differ_only_in_what_cannot_be_written_are_one_field() -> None:
    shape = Shape("m", {}, [Field("a\n"), Field("a\\"), Field("b")])
    assert encode(Reading(shape, [1, 2, 3], 1)) == b"m a_=1,b=3 1\n"


def test_a_reading_without_fields_is_no_line() -> None:
    assert encode(Reading(Shape("m", {}, []), [], 1)) == b""


def test_a_quote_has_no_place_in_a_field_name() -> None:
    """VictoriaMetrics takes it for the beginning of a text and loses the fields after it."""
    assert encode(Reading(Shape("m", {"t": '"'}, [Field('a"b')]), [1], 1)) == b'm,t=" a_b=1 1\n'


def test_time_is_no_name_for_a_field_or_tag() -> None:
    assert encode(Reading(Shape("m", {"time": "x"}, [Field("time")]), [1], 1)) == b"m,time_=x time_=1 1\n"


def test_a_measurement_is_never_a_comment() -> None:
    assert encode(Reading(Shape("#m", {}, [Field("a")]), [1], 1)) == b"_m a=1 1\n"


def test_tags_longer_than_influxdb_takes_are_not_written() -> None:
    shape = Shape("m", {"t": "x" * LONGEST_SERIES_KEY}, [Field("a")])
    assert encode(Reading(shape, [1], 1)) == b""


@given(
    measurement=NAMES,
    tags=st.dictionaries(NAMES, st.text(max_size=20), max_size=4),
    fields=st.dictionaries(NAMES, NUMBERS, min_size=1, max_size=6),
)
def test_any_reading_reads_back(measurement: str, tags: dict[str, str], fields: dict[str, float]) -> None:
    line = encode(Reading(Shape(measurement, tags, [Field(name) for name in fields]), list(fields.values()), 42))
    finite = [value for value in fields.values() if isinstance(value, int) or math.isfinite(value)]
    if not finite:
        assert line == b""
        return
    _, read_tags, read_fields, time = parse(line)
    assert time == 42
    assert len(read_tags) <= sum(bool(value) for value in tags.values())
    assert {float(text) for text in read_fields.values()} <= {float(value) for value in finite}
    harmless = re.compile(r"[^\x00-\x1f\x7f\\\u2028\u2029\"]+")
    for name, value in fields.items():
        if harmless.fullmatch(name) and name != "time" and (isinstance(value, int) or math.isfinite(value)):
            assert float(read_fields[name]) == float(value)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_numbers_keep_their_last_digit(values: list[float]) -> None:
    shape = Shape("m", {}, [Field(f"f{index}") for index in range(len(values))])
    _, _, fields, _ = parse(encode(Reading(shape, values, 1)))
    assert [float(text) for text in fields.values()] == values


def test_a_field_whose_name_is_too_long_is_left_out_alone() -> None:
    """InfluxDB would refuse the line: it counts measurement, tags and the name of a field together."""
    head = len("m,a=b ")
    fits, too_long = "x" * (LONGEST_SERIES_KEY - head - 4), "y" * (LONGEST_SERIES_KEY - head - 3)
    for values in ([1, 2, 3], [1, 2, float("nan")]):
        line = encode(Reading(Shape("m", {"a": "b"}, [Field(fits), Field(too_long), Field("z")]), values, 1))
        assert b"x=1" in line
        assert b"yyy" not in line
        assert (b",z=3" in line) == (values[2] == 3)
