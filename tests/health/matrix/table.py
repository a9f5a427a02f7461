"""The table of faults in docs/health.md, made of the cases: what happens, and what health says to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.health.matrix.cases import Case, Moves, Step

BEGIN = "<!-- the table of faults: pytest tests/health/matrix --update-cases -->"
END = "<!-- end of the table -->"


def table(cases: Mapping[str, Case]) -> str:
    """Return the table as Markdown, the cases in the order of their names."""
    lines = ["| What happens | Chains | What shows, within how many gathers, and clears |", "| --- | --- | --- |"]
    for case in cases.values():
        kinds = " and ".join({"ethereum": "Ethereum", "nodeos": "nodeos"}[kind] for kind in case.kinds)
        moves = "; ".join(_moves(case)) or "nothing"
        lines.append(f"| {case.what} | {kinds} | {moves} |")
    return "\n".join(lines) + "\n"


def _moves(case: Case) -> Iterator[str]:
    """Yield each signal once, of whatever subjects: when it shows, when it clears or is over."""
    signals = dict.fromkeys(move.partition(" ")[0] for step in case.steps for move in step.shows)
    for signal in signals:
        shows, ends = _latest(case.steps, "shows", signal), _latest(case.steps, "clears", signal)
        until = max((within[1] for within in shows if not isinstance(within, int)), default=None)
        within = max(within if isinstance(within, int) else within[0] for within in shows)
        ended = f", over by {until}" if until else f", clears {max(_figures(ends))}" if ends else ""
        yield f"`{signal}` {within}{ended}"


def _latest(steps: tuple[Step, ...], what: str, signal: str) -> list[int | tuple[int, int]]:
    moves: list[Moves] = [getattr(step, what) for step in steps]
    return [within for each in moves for move, within in each.items() if move.partition(" ")[0] == signal]


def _figures(ends: list[int | tuple[int, int]]) -> Iterator[int]:
    return (within for within in ends if isinstance(within, int))
