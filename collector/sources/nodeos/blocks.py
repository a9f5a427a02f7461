"""What get_block and get_block_info tell of a block: of its transactions how many, and what they used, and no more."""

from __future__ import annotations

from typing import Annotated

import msgspec
import orjson

from collector.failures import BadAnswer, TooLarge
from collector.observations import Block
from collector.remarks import excerpt
from collector.sources.nodeos.endpoints import BLOCK_INFO, Endpoint
from collector.sources.nodeos.values import account, identifier, seconds

UNKNOWN_BLOCK = 3_100_002
"""The code of nodeos's error for a block that it does not have: not yet, or not since a snapshot."""

_MOST_OBJECTS = 100_000
"""Braces of an answer beyond which it is not decoded. A transaction takes a dozen; half a second has time for some
thousand."""

_WORD = 8  # bytes by which nodeos counts what a transaction takes of the network


_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class _Transaction(msgspec.Struct):
    """A transaction's receipt; what it does is skipped unread, and is nearly all of the answer."""

    status: str = ""
    cpu_usage_us: _Count = 0
    net_usage_words: _Count = 0


class _Block(msgspec.Struct):
    """The answer; that of get_block_info has no transactions."""

    id: str
    block_num: _Count
    previous: str
    timestamp: str
    producer: str
    transactions: list[_Transaction] | None = None


_BLOCK = msgspec.json.Decoder(_Block)


def request(endpoint: Endpoint, number: int) -> bytes:
    """Return the body that asks for a block, of one of the two endpoints that tell of one."""
    key = "block_num" if endpoint is BLOCK_INFO else "block_num_or_id"
    return orjson.dumps({key: number})


def read(body: bytes, number: int) -> Block:
    """Return the block of which an answer tells. Raises BadAnswer, TooLarge."""
    if body.count(b"{") > _MOST_OBJECTS:
        raise TooLarge(f"block {number}: an answer of far more parts than a block has")
    try:
        block = _block(_BLOCK.decode(body))
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        said = excerpt(f"{type(error).__name__}: {error}", 80)
        raise BadAnswer("bad_answer", f"block {number}: no block of the form that nodeos's have ({said})") from error
    if block.number != number:
        raise BadAnswer("bad_answer", f"block {number}: the answer is another block, {block.number}")
    return block


def _block(found: _Block) -> Block:
    receipts = found.transactions
    return Block(
        number=found.block_num,
        hash=identifier(found.id),
        timestamp=seconds(found.timestamp),
        parent=identifier(found.previous),
        maker=account(found.producer) if found.producer else "",
        transactions=None if receipts is None else sum(receipt.status == "executed" for receipt in receipts),
        cpu_seconds=None if receipts is None else sum(receipt.cpu_usage_us for receipt in receipts) / 1e6,
        net_bytes=None if receipts is None else _WORD * sum(receipt.net_usage_words for receipt in receipts),
    )
