"""Messages, from what any reporter sends to what nobody should: read where that is possible, never more than that."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.ethstats.clienttime import client_time
from collector.ethstats.limits import Rate
from collector.ethstats.messages import (
    KINDS,
    READ,
    Block,
    Decoded,
    Hello,
    Latency,
    Message,
    Ping,
    Stats,
    Unreadable,
    decode,
    envelope,
    kind_of,
)
from tests.ethstats.reporting import SEALER, Clock, block

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["0x" + 64 * "a", SEALER, "17", "0x11", "1e400", "-1", "Geth/v1.13.15"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
FIELDS = [
    "id",
    "clientTime",
    "latency",
    "block",
    "stats",
    "secret",
    "info",
    "number",
    "hash",
    "miner",
    "difficulty",
    "pending",
    "peers",
    "syncing",
    "timestamp",
]
LIKELY = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8)
BODIES = JSON | LIKELY | st.dictionaries(st.sampled_from(["block", "stats", "info"]), LIKELY, max_size=3)


def read(kind: str, body: object) -> Decoded:
    return decode(kind, msgspec.Raw(json.dumps(body).encode()))


def part(kind: str, body: object) -> Message:
    return read(kind, body).parts[0]


@settings(max_examples=400)
@given(kind=st.sampled_from(sorted(READ)), body=BODIES)
def test_any_json_is_read_or_unreadable(kind: str, body: object) -> None:
    try:
        decoded = read(kind, body)
    except Unreadable:
        return
    assert decoded.parts
    assert decoded.id is None or isinstance(decoded.id, str)
    for message in decoded.parts:
        for value in vars(message).values():
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert 0 <= value < float("inf")
                assert isinstance(value, float) or value < 2**63


@settings(max_examples=300)
@given(st.text(max_size=200) | JSON.map(lambda value: json.dumps({"emit": value})))
def test_any_text_is_an_envelope_or_unreadable(text: str) -> None:
    try:
        found = envelope(text)
    except Unreadable:
        return
    assert kind_of(found.kind) in KINDS


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "pending": st.integers(0, 10**9),
            "peers": st.integers(0, 10**9),
            "gasPrice": st.integers(0, 2**62),
        },
    ),
    st.sampled_from([str, int, hex, lambda number: f"{number}.0", float]),
)
def test_numbers_are_read_in_every_form(stats: dict[str, int], form: Any) -> None:  # noqa: ANN401 - JSON, or whatever it is
    said = part("stats", {"id": "n", "stats": {key: form(number) for key, number in stats.items()}})
    exact = stats if form is not float else {key: int(float(number)) for key, number in stats.items()}
    if form(1) == "1.0":
        exact = {key: int(float(number)) for key, number in stats.items()}
    expected = Stats(exact.get("pending"), exact.get("peers"), exact.get("gasPrice"))
    assert said == expected


@settings(max_examples=300)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_json_are_unreadable(data: bytes) -> None:
    for kind in READ:
        try:
            decode(kind, msgspec.Raw(data))
        except Unreadable:
            continue
        json.loads(data)  # or else it was no JSON, and yet was read


def test_geths_block() -> None:
    assert part("block", {"id": "n", "block": block(7)}) == Block(
        number=7,
        hash=f"0x{7:064x}",
        parent_hash=f"0x{6:064x}",
        timestamp=1_795_247_939,
        miner=SEALER,
        difficulty=2,
        total_difficulty=15,
        gas_used=21_000,
        gas_limit=30_000_000,
        transactions=1,
    )


@pytest.mark.parametrize(
    ("transactions", "count"),
    [
        ([], 0),
        ([{"hash": "0x1"}] * 3, 3),
        (["0x" + 64 * "1"] * 5, 5),
        ([{"hash": "0x1", "from": "0x2", "input": "0x3"}] * 2, 2),
        (None, None),
        (7, None),
    ],
)
def test_transactions_are_counted_in_every_form(transactions: object, count: int | None) -> None:
    said = part("block", {"block": block(1, transactions=transactions, uncles=["0x1"])})
    assert isinstance(said, Block)
    assert said.transactions == count


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("latency", {"id": "n", "latency": "7"}, Latency(0.007)),
        ("latency", {"id": "n", "latency": 7}, Latency(0.007)),
        ("pending", {"id": "n", "stats": {"pending": "3"}}, Stats(pending=3)),
        ("stats", {"id": "n", "stats": {"syncing": False, "peers": 3, "x": {}}}, Stats(peers=3, syncing=False)),
        ("stats", {"id": "n", "stats": {"syncing": {"currentBlock": 1}}}, Stats(syncing=True)),
        ("node-ping", {"id": "n"}, Ping()),
        ("block", {"block": {"number": "7", "hash": "0x" + 64 * "A"}}, Block(7, "0x" + 64 * "a")),
        ("hello", {"id": 7, "secret": 8}, Hello("7", "8")),
        ("hello", {"info": {"name": "n"}}, Hello("n", "")),
    ],
)
def test_other_forms_of_messages(kind: str, body: object, expected: Message) -> None:
    found = part(kind, body)
    if isinstance(expected, Hello):
        assert isinstance(found, Hello)
        assert (found.id, found.secret) == (expected.id, expected.secret)
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("latency", {"id": "n"}),
        ("latency", {"id": "n", "latency": "-3"}),
        ("latency", {"id": "n", "latency": True}),
        ("latency", {"id": ["n"], "latency": 3}),
        ("block", {"id": "n", "block": None}),
        ("block", {"id": "n", "block": {"number": 7}}),
        ("block", {"id": "n", "block": {"number": 2**63, "hash": "0x" + 64 * "a"}}),
        ("block", {"id": "n", "block": {"number": 1.5, "hash": "0x" + 64 * "a"}}),
        ("block", {"id": "n", "block": {"number": 1, "hash": "0x1"}}),
        ("stats", {"id": "n", "stats": 7}),
        ("pending", {"id": "n"}),
        ("pending", []),
        ("hello", {"secret": "x"}),
        ("hello", {"id": "  ", "secret": "x"}),
        ("hello", "x"),
    ],
)
def test_messages_that_say_nothing(kind: str, body: object) -> None:
    with pytest.raises(Unreadable):
        read(kind, body)


@pytest.mark.parametrize("digits", [40, 308, 309, 400, 4_000])
@pytest.mark.parametrize("sign", ["", "-"])
def test_whole_numbers_of_any_length_are_read_or_left_out(digits: int, sign: str) -> None:
    """Python has whole numbers that are too large to become a float."""
    said = decode("stats", msgspec.Raw(f'{{"id":"n1","stats":{{"peers":{sign}{"9" * digits},"pending":1}}}}'.encode()))
    known = not sign and digits < 309
    assert said.parts == (Stats(pending=1, peers=float("9" * digits) if known else None),)
    assert said.flawed is not known


def test_a_field_that_cannot_be_read_costs_that_field_alone() -> None:
    decoded = read("stats", {"id": "n", "stats": {"peers": "many", "pending": 3, "gasPrice": {"a": 1}}})
    assert decoded == Decoded("n", (Stats(pending=3),), flawed=True)


HUGE = {
    "a list for a number": b'{"id":"n","block":{"number":[' + b"0," * 3_000_000 + b'0],"hash":"0x"}}',
    "numbers in place of transactions": b'{"block":{"number":1,"hash":"0x'
    + 64 * b"a"
    + b'","transactions":['
    + b"0," * 3_000_000
    + b"0]}}",
    "unknown fields": b'{"block":{' + b",".join(b'"%d":1' % number for number in range(500_000)) + b"}}",
    "one number": b'{"block":{"number":' + b"9" * 6_000_000 + b"}}",
    "depth": b'{"block":' + b"[" * 6_000_000,
    "a name": b'{"id":"' + b"n" * 6_000_000 + b'"}',
}


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE.keys())
def test_nothing_takes_long_or_much_to_read(body: bytes) -> None:
    began = time.process_time()
    for kind in READ:
        with contextlib.suppress(Unreadable):
            decode(kind, msgspec.Raw(body))
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("said", "wall", "running"),
    [
        ("2026-11-21 07:50:43.828468839 +0000 UTC m=+11.079835458", 1_795_247_443.828468839, 11.079835458),
        ("2026-11-21 09:50:43.5 +0200 CEST m=+0.3", 1_795_247_443.5, 0.3),
        ("2026-11-21 02:20:43 -0530 -0530 m=+86400.000000001", 1_795_247_443.0, 86_400.000000001),
        ("2026-11-21 07:50:43 +0000 UTC", 1_795_247_443.0, None),
        (1_795_247_443_828, 1_795_247_443.828, None),
    ],
)
def test_client_times(said: object, wall: float, running: float | None) -> None:
    found = client_time(said)
    assert found.wall == pytest.approx(wall)
    assert found.running == running


@pytest.mark.parametrize(
    "said",
    [
        "",
        "now",
        "2026-13-21 07:50:43 +0000 UTC",
        "2026-11-21 07:50:43 +0000 UTC m=-1.0",
        7,
        True,
        1e300,
        None,
        [],
        "2026-11-21 07:50:43 +0000 UTC m=+1e9",
        "٢٠٢٦-11-21 07:50:43 +0000 UTC",
    ],
)
def test_what_is_no_client_time(said: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - which it is matters to nobody
        client_time(said)


@given(
    st.text(max_size=80) | st.from_regex(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} [A-Z]+( m=[+-]\d+\.\d+)?")
)
def test_any_text_is_a_client_time_or_none(said: str) -> None:
    try:
        found = client_time(said)
    except ValueError:
        return
    assert found.running is None or found.running >= 0


def test_a_rate_is_that_of_the_last_window() -> None:
    clock = Clock()
    rate = Rate(10, clock)
    for _ in range(100):
        rate.add(1)
    assert rate.add(0) == 100
    clock.advance(10)
    assert rate.add(0) == 100
    clock.advance(5)
    assert rate.add(10) == 60
    clock.advance(100)
    assert rate.add(1) == 1
