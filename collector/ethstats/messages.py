"""What nodes say, from JSON to typed messages: as tolerant as the reporters differ, and no dearer than it has to be.

A message is `{"emit": [TYPE, BODY]}`. Numbers may come as strings and strings as numbers; what is missing is None;
what is unknown is skipped without being built, however large it is. A field that cannot be read is left out and makes
the message a flawed one; a body that says nothing usable raises `Unreadable`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from collector.ethstats.clienttime import ClientTime, client_time

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

LONGEST_SCALAR = 8_192
"""Bytes of one value, in JSON; a longer one is unreadable and not decoded."""

_HASH = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_DECIMAL = re.compile(r"[0-9]{1,78}", re.ASCII)
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]{1,64}")
_FLOAT = re.compile(r"[0-9]{1,30}(\.[0-9]{0,30})?", re.ASCII)
_LARGEST = 2**63
_LONGEST_LATENCY = 5.0
"""Seconds after which geth gives up waiting for its pong. Nobody who says more measured it, and delays reckoned from
that would be wrong for every node."""

_ABSENT = Raw(b"")

PRIMUS_PING = '"primus::ping::'
PRIMUS_PONG = '"primus::pong::'


class Unreadable(Exception):  # noqa: N818 - named for what the message is
    """A message of which nothing can be used."""


class Envelope(NamedTuple):
    """A message's type and its body, not decoded yet."""

    kind: str
    body: Raw


@dataclass(frozen=True)
class Info:
    """What a node says of itself when it logs in. `version` is its client's name and version, `network` its id."""

    name: str = ""
    version: str = ""
    network: str = ""
    protocol: str = ""


@dataclass(frozen=True)
class Hello:
    """The login."""

    id: str
    secret: str = field(repr=False)
    info: Info = Info()


@dataclass(frozen=True)
class Ping:
    """A request for a pong. `echo` is the node's time as it wrote it, which reporters in JavaScript want back."""

    echo: bytes = field(default=b"", repr=False)
    time: ClientTime | None = None


@dataclass(frozen=True)
class Latency:
    """Seconds, half of a round trip as geth means it."""

    seconds: float


@dataclass(frozen=True)
class Block:
    """A head. `total_difficulty` is None where the node does not know it: since 1.15, geth says 0."""

    number: int
    hash: str
    parent_hash: str | None = None
    timestamp: int | float | None = None
    miner: str | None = None
    difficulty: int | float | None = None
    total_difficulty: int | float | None = None
    gas_used: int | float | None = None
    gas_limit: int | float | None = None
    transactions: int | None = None


@dataclass(frozen=True)
class Stats:
    """What a node tells of its state, or a part of that."""

    pending: int | float | None = None
    peers: int | float | None = None
    gas_price: int | float | None = None
    syncing: bool | None = None


Message = Hello | Ping | Latency | Block | Stats


class Decoded(NamedTuple):
    """What a message says: whose it is (None where it doesn't say), its parts, and whether some was unreadable."""

    id: str | None
    parts: tuple[Message, ...]
    flawed: bool = False


class _Envelope(Struct):
    emit: tuple[str, Raw]


class _Hello(Struct):
    id: Raw = _ABSENT
    secret: Raw = _ABSENT
    info: Raw = _ABSENT


class _Info(Struct):
    name: Raw = _ABSENT
    node: Raw = _ABSENT
    net: Raw = _ABSENT
    protocol: Raw = _ABSENT


class _Body(Struct):
    """Every field that a body of any later type has at its outermost level."""

    id: Raw = _ABSENT
    clientTime: Raw = _ABSENT  # noqa: N815 - the name is the protocol's, as those below
    latency: Raw = _ABSENT
    block: Raw = _ABSENT
    stats: Raw = _ABSENT


class _Block(Struct):
    number: Raw = _ABSENT
    hash: Raw = _ABSENT
    parentHash: Raw = _ABSENT  # noqa: N815
    timestamp: Raw = _ABSENT
    miner: Raw = _ABSENT
    difficulty: Raw = _ABSENT
    totalDifficulty: Raw = _ABSENT  # noqa: N815
    gasUsed: Raw = _ABSENT  # noqa: N815
    gasLimit: Raw = _ABSENT  # noqa: N815
    transactions: Raw = _ABSENT


class _Stats(Struct):
    pending: Raw = _ABSENT
    peers: Raw = _ABSENT
    gasPrice: Raw = _ABSENT  # noqa: N815
    syncing: Raw = _ABSENT
    block: Raw = _ABSENT


def _decoder(kind: type[T]) -> Callable[[bytes | str | Raw], T]:
    decode = msgspec.json.Decoder(kind).decode

    def decoded(data: bytes | str | Raw) -> T:
        try:
            return decode(data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            raise Unreadable from None

    return decoded


_envelope = _decoder(_Envelope)
_hello = _decoder(_Hello)
_info = _decoder(_Info)
_body = _decoder(_Body)
_block = _decoder(_Block)
_stats = _decoder(_Stats)


def envelope(message: str) -> Envelope:
    """Return a message's type and body. Raises Unreadable where it has no such form."""
    return Envelope(*_envelope(message).emit)


def decode(kind: str, body: Raw) -> Decoded:
    """Return what a body of one of the types in `READ` says. Raises Unreadable where that is nothing."""
    fields = _Fields()
    return READ[kind](fields, body)


class _Fields:
    """Reads values one by one, and remembers whether there was one that it could not read."""

    def __init__(self) -> None:
        self.flawed = False

    def read(self, raw: Raw, convert: Callable[[object], T]) -> T | None:
        """Return a value, None where it is missing, null, or none that `convert` knows."""
        if not raw:
            return None
        try:
            value = scalar(raw)
            return None if value is None else convert(value)
        except ValueError:
            self.flawed = True
            return None

    def inner(self, raw: Raw, decoder: Callable[[Raw], S]) -> S:
        """Return an object within; one that is missing or no object has no fields."""
        try:
            return decoder(raw or Raw(b"{}"))
        except Unreadable:
            self.flawed = True
            return decoder(Raw(b"{}"))


def scalar(raw: Raw) -> object:
    """Return a value. Raises ValueError where it is too long to be one of those that are read."""
    if len(memoryview(raw)) > LONGEST_SCALAR:
        raise ValueError("too long")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("no JSON") from None


def text(value: object) -> str:
    """Return a text; a number becomes one."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("no text")  # noqa: TRY004 - what is wrong is the message
    return value


def number(value: object) -> int | float:
    """Return a number that is not negative, given as one or in digits; a whole one beyond 63 bits as a float."""
    if isinstance(value, str):
        if _DECIMAL.fullmatch(value):
            value = int(value)
        elif _HEXADECIMAL.fullmatch(value):
            value = int(value, 16)
        elif _FLOAT.fullmatch(value):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= sys.float_info.max:
        raise ValueError("no number")
    if isinstance(value, float) and value.is_integer() and value < _LARGEST:
        return int(value)
    return value if value < _LARGEST else float(value)


def whole(value: object) -> int:
    """Return a whole number, not negative and below 2**63."""
    read = number(value)
    if not isinstance(read, int):
        raise ValueError("no whole number")  # noqa: TRY004 - as above
    return read


def _form(pattern: re.Pattern[str]) -> Callable[[object], str]:
    def convert(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value.lower()):
            raise ValueError("of another form")
        return value.lower()

    return convert


_hash = _form(_HASH)
_address = _form(_ADDRESS)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")  # noqa: TRY004 - as above
    return value


def _read_hello(fields: _Fields, raw: Raw) -> Decoded:
    body = _hello(raw)
    info = fields.inner(body.info, _info)
    said = Info(
        name=fields.read(info.name, text) or "",
        version=fields.read(info.node, text) or "",
        network=fields.read(info.net, text) or "",
        protocol=fields.read(info.protocol, text) or "",
    )
    known = fields.read(body.id, text) or said.name
    if not known.strip():
        raise Unreadable
    return Decoded(known, (Hello(known, fields.read(body.secret, text) or "", said),), fields.flawed)


def _read_ping(fields: _Fields, raw: Raw) -> Decoded:
    body = _body(raw)
    time = fields.read(body.clientTime, client_time)
    short = 0 < len(memoryview(body.clientTime)) <= LONGEST_SCALAR
    return Decoded(_id(fields, body), (Ping(bytes(body.clientTime) if short else b"", time),), fields.flawed)


def _read_latency(fields: _Fields, raw: Raw) -> Decoded:
    body = _body(raw)
    milliseconds = fields.read(body.latency, number)
    if milliseconds is None or milliseconds > 1000 * _LONGEST_LATENCY:
        raise Unreadable
    return Decoded(_id(fields, body), (Latency(milliseconds / 1000),), fields.flawed)


def _read_block(fields: _Fields, raw: Raw) -> Decoded:
    body = _body(raw)
    return Decoded(_id(fields, body), (_block_of(fields, body.block),), fields.flawed)


def _read_stats(fields: _Fields, raw: Raw) -> Decoded:
    """Read `stats`, `pending`, and `update`, whose stats hold the head as well."""
    body = _body(raw)
    stats = _stats(body.stats)
    parts: list[Message] = [
        Stats(
            pending=fields.read(stats.pending, number),
            peers=fields.read(stats.peers, number),
            gas_price=fields.read(stats.gasPrice, number),
            syncing=_syncing(fields, stats.syncing),
        )
    ]
    if stats.block:
        parts.append(_block_of(fields, stats.block))
    return Decoded(_id(fields, body), tuple(parts), fields.flawed)


def _id(fields: _Fields, body: _Body) -> str | None:
    known = fields.read(body.id, text)
    if known is None and fields.flawed:
        raise Unreadable
    return known


def _syncing(fields: _Fields, raw: Raw) -> bool | None:
    """Return whether the node says that it syncs: reporters in JavaScript tell how far by an object."""
    return True if bytes(memoryview(raw)[:1]) == b"{" else fields.read(raw, _switch)


def _block_of(fields: _Fields, raw: Raw) -> Block:
    block = _block(raw)
    height, digest = fields.read(block.number, whole), fields.read(block.hash, _hash)
    if height is None or digest is None:
        raise Unreadable
    return Block(
        number=height,
        hash=digest,
        parent_hash=fields.read(block.parentHash, _hash),
        timestamp=fields.read(block.timestamp, number),
        miner=fields.read(block.miner, _address),
        difficulty=fields.read(block.difficulty, number),
        total_difficulty=fields.read(block.totalDifficulty, number) or None,
        gas_used=fields.read(block.gasUsed, number),
        gas_limit=fields.read(block.gasLimit, number),
        transactions=_counted(block.transactions),
    )


def _counted(raw: Raw) -> int | None:
    """Return how many transactions a list holds, objects with a hash or hashes alone, without building it."""
    data = bytes(raw)
    if not data.startswith(b"["):
        return None
    return data.count(b'"hash"') or data.count(b'"0x')


READ: Mapping[str, Callable[[_Fields, Raw], Decoded]] = {
    "hello": _read_hello,
    "node-ping": _read_ping,
    "latency": _read_latency,
    "block": _read_block,
    "pending": _read_stats,
    "stats": _read_stats,
    "update": _read_stats,
}
"""The types that are read. `history` is never asked for, and others tell nothing that is exported."""

KINDS = (*READ, "history", "block_new_payload", "primus", "envelope", "other")
"""The values of the label `kind` of messages: a node's own words are no labels. `envelope`: no message at all."""


def kind_of(said: str) -> str:
    """Return the label for a type that a node named."""
    return said if said in KINDS[:-2] else "other"
