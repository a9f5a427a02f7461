"""What is stated of each fault: its alerts, and within how many seconds they are told and resolved by default."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tests.alerts.live.expecting import BY_SIGNAL, HAPPENED
from tests.health.matrix.cases import Case, Step, last

BEGIN = "<!-- how fast: pytest tests/alerts/live --update-cases -->"
END = "<!-- end of how fast -->"


def stated(cases: Iterable[Case]) -> str:
    """Return the table as Markdown: what is stated is what the cases and the alerts' own patience come to."""
    lines = ["| What happens | Chains | Alerts: fires within, is resolved within |", "| --- | --- | --- |"]
    for case in cases:
        kinds = " and ".join({"ethereum": "Ethereum", "nodeos": "nodeos"}[kind] for kind in case.kinds)
        lines.append(f"| {case.what} | {kinds} | {'; '.join(_alerts(case)) or 'none'} |")
    return "\n".join(lines) + "\n"


def _alerts(case: Case) -> Iterator[str]:
    shows = [(move, within) for step in case.steps for move, within in step.shows.items() if _is_told(case, step, move)]
    clears = [(move, last(within)) for step in case.steps for move, within in step.clears.items()]
    for signal in dict.fromkeys(move.partition(" ")[0] for move, _ in shows):
        alert = BY_SIGNAL[signal]
        stands = [within for move, within in shows if move.partition(" ")[0] == signal]
        first = max(within if isinstance(within, int) else within[0] for within in stands)
        ends = [gathers for move, gathers in clears if move.partition(" ")[0] == signal]
        resolved = f", {max(ends) * case.interval + alert.keeps:.0f} s" if ends else ""
        yield f"{alert.name} {first * case.interval + alert.lasts:.0f} s{resolved}"


def _is_told(case: Case, step: Step, move: str) -> bool:
    """Tell whether what a step shows stands for as long as its alert waits."""
    alert, within = BY_SIGNAL[move.partition(" ")[0]], step.shows[move]
    after = case.steps[case.steps.index(step) + 1 :]
    if alert.signal in HAPPENED or not isinstance(within, int) or not any(move in each.clears for each in after):
        return alert.signal in HAPPENED or isinstance(within, int)
    return (step.gathers - within) * case.interval > alert.lasts
