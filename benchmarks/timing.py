"""Times alternatives in turns, so that a noisy machine is as noisy for one as for the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

ROUNDS = 15


def compare(alternatives: Mapping[str, Callable[[], object]], seconds: float = 0.05) -> dict[str, float]:
    """Return the best time of each, in seconds per call.

    Each round runs every alternative for about `seconds`; the best of the rounds is what the machine can do when it
    is left alone.
    """
    calls = {}
    for name, call in alternatives.items():
        call()
        began = time.perf_counter()
        call()
        calls[name] = max(1, int(seconds / max(time.perf_counter() - began, 1e-9)))
    best = dict.fromkeys(alternatives, float("inf"))
    for _ in range(ROUNDS):
        for name, call in alternatives.items():
            began = time.perf_counter()
            for _ in range(calls[name]):
                call()
            best[name] = min(best[name], (time.perf_counter() - began) / calls[name])
    return best


def report(title: str, times: Mapping[str, float], reference: str) -> None:
    """Print each time, and how many times the reference's it is."""
    print(f"\n{title}")
    width = max(map(len, times))
    for name, took in times.items():
        print(f"  {name:{width}}  {took * 1e3:9.3f} ms  {took / times[reference]:7.2f} x")
