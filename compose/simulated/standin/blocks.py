"""Blocks: a number, a slot of half a second, a producer, and an id that follows from these and all blocks before."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from .genesis import Genesis
from .saying import stamp

EPOCH = 946_684_800
"""Slots are counted from 2000-01-01, in seconds since 1970."""

PERIOD = 0.5
PRODUCER = "eosio"
"""Who produces on a chain without a system contract."""

ROUND = 12
ZEROS = "0" * 64


class Block(NamedTuple):
    """One block; `id` begins with the number, as nodeos has it."""

    number: int
    slot: int
    producer: str
    id: str

    @property
    def time(self) -> str:
        """The time of its slot, as nodeos writes it."""
        return stamp(EPOCH + self.slot * PERIOD)


def first(genesis: Genesis) -> Block:
    """Return block 1, which nobody produced."""
    return _block(genesis.chain_id, ZEROS, 1, round((genesis.began - EPOCH) / PERIOD), "")


def following(chain_id: str, previous: Block, slot: int) -> Block:
    """Return the block that the producer makes in a slot, upon a previous one."""
    return _block(chain_id, previous.id, previous.number + 1, slot, PRODUCER)


def _block(chain_id: str, previous: str, number: int, slot: int, producer: str) -> Block:
    digest = hashlib.sha256(f"{chain_id}/{previous}/{slot}/{producer}".encode()).hexdigest()
    return Block(number, slot, producer, f"{number:08x}{digest[8:]}")


def due(slot: int) -> float:
    """Return when a slot's block is there: ahead of its time, as recorded; the last of a round still further."""
    return EPOCH + (slot - (0.4 if slot % ROUND == ROUND - 1 else 0.2)) * PERIOD


def slot_at(now: float) -> int:
    """Return the next slot at a time, in seconds since 1970."""
    return int((now - EPOCH) / PERIOD) + 1
