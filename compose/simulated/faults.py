"""What can go wrong with a simulated node, by name, and with which parameters.

Some faults change what a node knows (`stall`, `fork`), some what becomes of its answers (`html`, `nan`), some how
these travel (`slow`, `half`). They combine: a node may lag, answer NaN and be slow at once. Of those that replace the
whole answer (`WHOLE`) the first in the list wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

KINDS = ("ethereum", "nodeos")

Parameters = Mapping[str, int | float | str]


class FaultError(ValueError):
    """A fault that cannot be had: the message names what exists."""


@dataclass(frozen=True)
class Fault:
    """A fault: its parameters with their defaults, whose types they take, and the kinds of node that can have it."""

    help: str
    parameters: Parameters = field(default_factory=lambda: MappingProxyType({}))
    kinds: tuple[str, ...] = KINDS
    action: bool = False
    """Happens once and leaves nothing to remove."""
    below_zero: bool = False
    """Its numbers may be negative."""


def _with(**parameters: float | str) -> Parameters:
    return MappingProxyType(parameters)


_GETH = ("ethereum",)
_NODEOS = ("nodeos",)

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "down": Fault("refuses connections; a sealer or producer makes no more blocks"),
        "hang": Fault("accepts connections and never answers; it still takes part in its chain"),
        "slow": Fault("sends its answers byte by byte, `delay` seconds apart", _with(delay=0.1)),
        "half": Fault("announces the whole answer, sends half of it and closes the connection"),
        "some": Fault(
            "strikes one request in `every`, until so many are closed without an answer (`drop`), `reset`, answered "
            "`seconds` later (`delay`) and refused as `busy`",
            _with(every=10, drop=0, reset=0, delay=0, busy=0, seconds=2.0),
        ),
        "huge": Fault("answers with so many `bytes` of JSON, 0 for without end", _with(bytes=200_000_000)),
        "html": Fault("answers with a web page and 200, as a proxy in front of it might"),
        "garbage": Fault("answers with bytes that are no text"),
        "wrong_types": Fault("answers with texts for numbers, numbers for texts and lists for objects"),
        "number_for_tree": Fault("answers with 42 wherever the document holds an object or a list"),
        "deep": Fault("answers with objects within objects, `depth` of them, up to a million", _with(depth=100_000)),
        "nan": Fault("answers with the bare word NaN for the first number"),
        "odd_names": Fault("answers with further fields whose names hold spaces, quotes, line breaks and the like"),
        "forbidden_host": Fault("answers 403, as geth does by default to a host name", kinds=_GETH),
        "bad_host": Fault("answers 400, as nodeos does by default to a host name", kinds=_NODEOS),
        "unauthorized": Fault("answers 401, as a proxy in front of it might"),
        "too_many": Fault("answers 429 with a Retry-After of `retry_after` seconds", _with(retry_after=7)),
        "busy": Fault("answers Busy: 503, or 429 before Leap 3.2", kinds=_NODEOS),
        "error_500": Fault("answers 500"),
        "stall": Fault("its head stops; a sealer or producer makes no more blocks"),
        "lag": Fault(
            "is so many `blocks` behind and makes none itself; geth says that it is syncing if `syncing` is 1",
            _with(blocks=10, syncing=0),
        ),
        "fork": Fault(
            "sees other hashes from the block `height` on (0: those of its last `depth` blocks) while all else goes on "
            "alike; equal `branch`es agree, so that the first to fork says where; makes no blocks",
            _with(height=0, depth=1, branch="a"),
        ),
        "split": Fault(
            "sees only the nodes of the same `side`: each side goes on by itself, with those who make blocks there; "
            "joined again, all take the better branch",
            _with(side="1"),
        ),
        "no_peers": Fault("has no peers, and is nobody's"),
        "metrics_off": Fault("runs without --metrics", kinds=_GETH),
        "paused": Fault("a producer or sealer makes no blocks, and says so"),
        "skip": Fault(
            "a producer leaves the last `blocks` of each of its next `rounds` rounds empty",
            _with(blocks=12, rounds=1),
            kinds=_NODEOS,
        ),
        "double": Fault(
            "a producer makes the next one's blocks too, after each of its next `rounds` rounds",
            _with(rounds=1),
            kinds=_NODEOS,
        ),
        "mute": Fault("a producer makes blocks that confirm no others, and does not vote", kinds=_NODEOS),
        "clock": Fault(
            "its clock is so many `seconds` ahead: what a geth answers is dated so, and so are blocks where it holds "
            "for all who make them",
            _with(seconds=30.0),
            below_zero=True,
        ),
        "restart": Fault("starts anew, as another `version` if one is named", _with(version=""), action=True),
    }
)

WHOLE = ("unauthorized", "forbidden_host", "bad_host", "too_many", "busy", "error_500", "html", "garbage", "huge")
"""The faults that replace the whole answer; an earlier one wins."""

WITHIN = ("wrong_types", "number_for_tree", "deep", "nan", "odd_names")
"""The faults that change the document within an answer, applied in this order."""

IDLING = frozenset({"down", "stall", "lag", "fork", "paused"})
"""A sealer or producer with any of these makes no blocks."""

LONGEST = 200
"""Characters that a parameter may have."""


def checked(kind: str, name: str, parameters: Mapping[str, Any]) -> Parameters:
    """Return a fault's parameters, completed by their defaults.

    Raises FaultError for a fault or parameter that a node of this kind does not have, and for a value of the wrong
    type or below zero.
    """
    fault = FAULTS.get(name)
    if fault is None or kind not in fault.kinds:
        known = ", ".join(n for n, f in FAULTS.items() if kind in f.kinds)
        raise FaultError(f"no fault {name[:LONGEST]!r} for a node of kind {kind}; there are {known}")
    complete = dict(fault.parameters)
    for key, value in parameters.items():
        if key not in complete:
            known = ", ".join(complete) or "none"
            raise FaultError(f"no parameter {key[:LONGEST]!r} of {name}; there are {known}")
        complete[key] = _typed(name, key, value, complete[key])
    return MappingProxyType(complete)


def _typed(name: str, key: str, value: object, default: float | str) -> float | str:
    if isinstance(default, str):
        if not isinstance(value, str) or len(value) > LONGEST:
            raise FaultError(f"{key} of {name} takes a text of up to {LONGEST} characters")
        return value
    wanted = "a whole number" if isinstance(default, int) else "a number"
    allowed = int if isinstance(default, int) else (int, float)
    least = -math.inf if FAULTS[name].below_zero else 0
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value) or value < least:
        raise FaultError(f"{key} of {name} takes {wanted}{', zero or more' if not least else ''}")
    return value
