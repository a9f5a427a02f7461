"""The buffer: bounded whatever comes, nothing lost or counted twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from exporters.influxdb.buffer import OVERHEAD, Buffer, Line


def lines(*texts: str) -> list[Line]:
    return [Line(text.encode(), 1) for text in texts]


def filled(limit: int, *texts: str) -> tuple[Buffer, int]:
    buffer = Buffer(limit)
    return buffer, sum(buffer.append(line) for line in lines(*texts))


def test_the_oldest_make_room() -> None:
    buffer, dropped = filled(3 * (OVERHEAD + 1), "a", "b", "c", "d")
    assert dropped == 1
    assert buffer.readings == 3
    assert buffer.bytes == 3 * (OVERHEAD + 1)
    assert buffer.take(10_000, 10) == lines("b", "c", "d")


def test_a_line_larger_than_the_buffer_is_dropped() -> None:
    buffer, dropped = filled(OVERHEAD + 1, "a", "bb")
    assert dropped == 2
    assert (buffer.readings, buffer.bytes, len(buffer)) == (0, 0, 0)


def test_what_is_being_sent_counts_but_is_not_dropped() -> None:
    buffer, _ = filled(2 * (OVERHEAD + 1), "a", "b")
    sent = buffer.take(10_000, 1)
    assert buffer.append(Line(b"c", 1)) == 1  # b, though a is older
    assert buffer.readings == 2
    buffer.put_back(sent)
    assert buffer.append(Line(b"d", 1)) == 1  # now a
    assert buffer.take(10_000, 10) == lines("c", "d")


def test_batches_are_bounded_and_never_empty() -> None:
    buffer, _ = filled(10_000, "a", "b", "c" * 500, "d")
    assert not Buffer(10).holds(0, 1)
    assert buffer.holds(100, 10)
    assert buffer.holds(10_000, 4)
    assert not buffer.holds(10_000, 5)
    assert buffer.take(2 * (OVERHEAD + 1), 10) == lines("a", "b")
    assert buffer.take(5, 10) == lines("c" * 500)
    assert buffer.take(10_000, 0) == []
    assert buffer.take(10_000, 10) == lines("d")


@given(
    st.integers(0, 1000),
    st.lists(st.tuples(st.sampled_from(["append", "take", "settle", "put back"]), st.integers(0, 300)), max_size=60),
)
def test_nothing_is_lost_and_nothing_exceeds_the_bound(limit: int, steps: list[tuple[str, int]]) -> None:
    buffer = Buffer(limit)
    appended = dropped = settled = 0
    out: list[Line] = []
    for step, number in steps:
        if step == "append":
            dropped += buffer.append(Line(appended.to_bytes(4) + bytes(number), 1))
            appended += 1
        elif step == "take" and not out:
            out = buffer.take(number, 3)
        elif step == "settle":
            settled += len(out)
            buffer.settle(out)
            out = []
        elif step == "put back":
            buffer.put_back(out)
            out = []
        assert buffer.bytes <= limit
        assert buffer.readings == appended - dropped - settled == len(buffer) + len(out)
    buffer.put_back(out)
    left = buffer.take(10**9, 10**9)
    assert left == sorted(left)  # in the order they came
    assert sum(len(line.text) + OVERHEAD for line in left) == buffer.bytes
