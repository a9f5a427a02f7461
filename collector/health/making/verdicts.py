"""How many makers more may fail, and who is missing: in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Words(NamedTuple):
    """How a kind of chain speaks of its makers, and of what ends without enough of them."""

    maker: str
    makes: str
    make: str
    would_halt: str
    halts: str


CLIQUE = Words("signer", "seals", "seal", "halts the chain", "the chain halts")
DPOS = Words("producer", "makes blocks", "make blocks", "stops finality", "finality stands still")


def verdict(words: Words, active: Sequence[bool | None], needed: int | None, missing: str) -> str:
    """Return one sentence. `active` is of all makers, None where it isn't known; `missing` says who is, and since when.

    `needed` is how many it takes, None where that isn't for the makers to decide.
    """
    parts = [_who(words, active)]
    if missing and len(active) > 1:
        parts.append(missing)
    if None not in active and needed is not None:
        parts.append(_margin(words, active, needed))
    return "; ".join(parts) + "."


def _who(words: Words, active: Sequence[bool | None]) -> str:
    count, scheduled = active.count(True), len(active)
    does = words.makes if count == 1 else words.make
    if None in active:
        known = "is" if count == 1 else "are"
        of = f"{scheduled} {words.maker}{'' if scheduled == 1 else 's'}"
        return f"{count} of {of} {known} known to {words.make}, of {active.count(None)} too little is known yet"
    if scheduled == 1:
        return f"The only {words.maker} {does if count else f'does not {words.make}'}"
    if count == scheduled:
        return f"All {scheduled} {words.maker}s {words.make}"
    return f"{count or 'None'} of {scheduled} {words.maker}s {does}"


def _margin(words: Words, active: Sequence[bool | None], needed: int) -> str:
    margin, whole = active.count(True) - needed, all(active)
    if margin < 0:
        return f"it takes {needed}: {words.halts}" if len(active) > 1 else "the chain halts"
    if margin == 0:
        return "it may not fail" if len(active) == 1 else _last(words, whole=whole)
    return f"{margin} {'may' if whole else 'more may'} fail"


def _last(words: Words, *, whole: bool) -> str:
    return "none of them may fail" if whole else f"one failure more {words.would_halt}"
