"""One connection, fed by hand: whatever comes, in whatever pieces, a request ends once."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compose.load.calls import GET_INFO, call
from compose.load.connection import LARGEST_ANSWER, Connection
from tests.compose.load.behaving import CHUNKED, CLOSING, INFO, UNTIL_CLOSED, WRITTEN, answer

CALL = call(GET_INFO, "/", None)


class Wire(asyncio.Transport):
    """Remembers what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Remember it."""
        self.written += data

    def close(self) -> None:
        """Be closed."""
        self.closed = True

    def abort(self) -> None:
        """Be closed."""
        self.closed = True


class Asked:
    """A connection that has just been opened, hence asked; `ended` is how its requests ended."""

    def __init__(self) -> None:
        self.ended: list[str | None] = []
        self.wire = Wire()
        self.connection = Connection(CALL, b"?", self.ended.append, keep=True)
        self.connection.connection_made(self.wire)

    def feed(self, data: bytes, size: int) -> None:
        """Let these bytes arrive in pieces."""
        for at in range(0, len(data), size):
            if not self.wire.closed:
                self.connection.data_received(data[at : at + size])


@given(st.sampled_from([*[WRITTEN[name] for name in ("ok", "created", "announced")], CHUNKED]), st.integers(1, 400))
def test_an_answer_in_pieces_is_an_answer(whole: bytes, size: int) -> None:
    asked = Asked()
    asked.feed(whole, size)
    assert asked.ended == [None]
    assert asked.connection.usable
    asked.connection.ask()
    asked.feed(whole, size)
    assert asked.ended == [None, None]
    assert asked.wire.written == b"??"


@given(st.binary(max_size=300), st.integers(1, 50), st.booleans())
def test_bytes_of_any_kind(garbage: bytes, size: int, begins_well: bool) -> None:
    asked = Asked()
    asked.feed(b"HTTP/1.1 200 OK\r\n" * begins_well + garbage, size)
    asked.connection.connection_lost(None)
    assert len(asked.ended) == 1


@given(st.integers(0, len(WRITTEN["ok"]) - 1))
def test_a_part_is_no_answer(length: int) -> None:
    asked = Asked()
    asked.feed(WRITTEN["ok"][:length], 400)
    asked.connection.connection_lost(None)
    assert asked.ended == ["cut" if length else "closed"]


def test_an_answer_without_length_ends_with_the_connection() -> None:
    asked = Asked()
    asked.feed(UNTIL_CLOSED, 7)
    assert asked.ended == []
    asked.connection.connection_lost(None)
    assert asked.ended == [None]
    assert not asked.connection.usable


def test_but_not_with_a_reset() -> None:
    asked = Asked()
    asked.feed(UNTIL_CLOSED, 7)
    asked.connection.connection_lost(ConnectionResetError())
    assert asked.ended == ["reset"]


@pytest.mark.parametrize("more", [WRITTEN["ok"], WRITTEN["ok"][:30], WRITTEN["503"][:9]])
@pytest.mark.parametrize("size", [30, 10_000])
def test_an_answer_too_many_is_not_taken_for_the_next(more: bytes, size: int) -> None:
    asked = Asked()
    asked.feed(WRITTEN["ok"] + more, size)
    assert asked.ended == [None]
    assert asked.wire.closed
    assert not asked.connection.usable


def test_an_answer_to_nothing() -> None:
    asked = Asked()
    asked.feed(WRITTEN["ok"], 400)
    asked.feed(WRITTEN["ok"], 400)
    assert asked.ended == [None]
    assert not asked.connection.usable


def test_a_connection_that_is_to_be_closed_is() -> None:
    asked = Asked()
    asked.feed(CLOSING["last"], 400)
    assert asked.ended == [None]
    assert asked.wire.closed
    assert not asked.connection.usable


@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
    ],
)
def test_an_answer_without_end(begin: bytes) -> None:
    asked = Asked()
    asked.feed(begin, 400)
    sent = 0
    while not asked.wire.closed:
        asked.connection.data_received(b"x" * 2**16)
        sent += 2**16
        assert sent <= LARGEST_ANSWER + 2**17
    assert asked.ended == ["too_large"]


def test_once_it_is_left_nobody_is_told() -> None:
    asked = Asked()
    asked.connection.leave()
    asked.connection.data_received(answer(INFO))
    asked.connection.connection_lost(None)
    assert asked.ended == []
    assert asked.wire.closed


def test_one_that_is_left_before_it_is_open_asks_nothing() -> None:
    ended: list[str | None] = []
    connection = Connection(CALL, b"?", ended.append, keep=True)
    connection.leave()
    connection.connection_made(wire := Wire())
    connection.connection_lost(None)
    assert (wire.written, wire.closed, ended) == (b"", True, [])
