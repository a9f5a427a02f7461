"""What the terminal shows of all chains: what is wrong first, then as much of the rest as there is room for.

Every chain is made of pieces, and a piece of lines. Room is given by importance: first every chain has its sentence,
then its findings, then what it is made of. Pieces alike in importance share alike, and what is left out is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from chainwatch.top import words
from chainwatch.top.marks import Marks
from chainwatch.top.nodes import Nodes, Order
from chainwatch.top.room import shares
from collector.health.assessment import Assessment, Finding, MakerHealth, Making, Severity, State
from collector.health.words import amount

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan", None: "green"}

# What is told first. A chain that is well tells who is on it where there is room left.
_SENTENCE, _FINDINGS, _FACTS, _MEMBERS, _MEMBERS_OF_WELL = range(5)
_IMPORTANCE = (Severity.CRITICAL, Severity.WARNING, Severity.INFO, None)


class Room(NamedTuple):
    """Cells of a line and lines; None lines is as many as it takes."""

    width: int
    height: int | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Things that belong together, as lines: `draw` makes those of one thing. `most` are the lines it may have."""

    importance: int
    things: Sequence[Any]
    draw: Callable[[Any], list[Text]]
    called: str = "line"
    head: tuple[Text, ...] = ()
    most: int | None = None


class Picture:
    """Draws the chains of one state, as they are `older` seconds after they were told."""

    def __init__(self, console: Console, marks: Marks, room: Room, older: float = 0.0) -> None:
        self._console = console
        self._marks = marks
        self._room = room
        self._older = max(0.0, older)

    def lines(self, chains: Sequence[Assessment], order: Order = Order.WORST) -> list[Text]:
        """Return the lines, the worst chain first."""
        ordered = sorted(chains, key=lambda chain: (_IMPORTANCE.index(chain.severity), chain.chain))
        # Each takes a line at the least: of more there is nothing to see.
        pieces = [piece for chain in ordered[: self._room.height] for piece in self._pieces(chain, order)]
        if self._room.height is None:
            return [line for piece in pieces for line in _drawn(piece, None)]
        left = self._room.height
        given: dict[int, int] = {}
        for importance in range(_MEMBERS_OF_WELL + 1):
            alike = [place for place, piece in enumerate(pieces) if piece.importance == importance]
            got = shares([_wanted(pieces[place], left) for place in alike], left)
            given |= dict(zip(alike, got, strict=True))
            left -= sum(got)
        return [line for place, piece in enumerate(pieces) for line in _drawn(piece, given[place])]

    def wrapped(self, text: str, style: str = "", indent: str = "", begin: Text | None = None) -> list[Text]:
        """Return a text as lines of the room's width; `begin` is put before the first, `indent` before the others."""
        begin = begin or Text(indent)
        width = max(1, self._room.width - max(begin.cell_len, len(indent)))
        parts = Text(text, style).wrap(self._console, width, overflow="fold") or [Text("")]
        lines = []
        for count, part in enumerate(parts):
            part.rstrip()
            line = Text(no_wrap=True).append_text(begin if count == 0 else Text(indent)).append_text(part)
            line.truncate(self._room.width, overflow="crop")
            lines.append(line)
        return lines

    def _pieces(self, chain: Assessment, order: Order) -> Iterator[_Piece]:
        third = max(3, (self._room.height or 0) // 3) if self._room.height is not None else None
        yield _Piece(_SENTENCE, [chain], self._sentence)
        yield _Piece(_FINDINGS, chain.findings, lambda finding: self._finding(finding, chain), "finding", (), third)
        yield _Piece(_FACTS, [chain], self._facts)
        well = chain.severity in (None, Severity.INFO)
        members = _MEMBERS_OF_WELL if well else _MEMBERS
        if chain.making:
            making = chain.making
            now = chain.at + self._older
            widest = max((len(words.name(maker.name)) for maker in making.makers[:100]), default=0)

            def draw(maker: MakerHealth) -> list[Text]:
                return [self._maker(maker, making, min(widest, _WIDEST), now)]

            yield _Piece(members, making.makers, draw, "maker", (), third)
        nodes = Nodes(chain, self._marks, chain.at + self._older)
        rows = nodes.sorted(order)
        table = nodes.table(rows, self._room.width)
        yield _Piece(members, rows, lambda node: [table.row(node)], "node", (table.head,))

    def _sentence(self, chain: Assessment) -> list[Text]:
        sign, word, style = self._marks.severity(chain.severity), "well", STYLES[chain.severity]
        if chain.severity:
            word = chain.severity.value
        elif all(node.state is State.UNKNOWN for node in chain.nodes):
            sign, word, style = self._marks.unknown, "unknown", "dim"
        begin = Text().append(f"{sign} {word}  ", style)
        begin.append(words.name(chain.chain), "bold")
        if chain.kind:
            begin.append(f" ({words.name(chain.kind)})")
        begin.append("  ")
        begin.truncate(max(1, self._room.width // 2), overflow="ellipsis")
        return self.wrapped(words.clean(chain.sentence), "bold", "    ", begin)

    def _finding(self, finding: Finding, chain: Assessment) -> list[Text]:
        style = STYLES[finding.severity]
        begin = Text("  ").append(f"{self._marks.severity(finding.severity)} {finding.severity.value} ", style)
        begin.append(f"{words.name(finding.signal)} ", "bold")
        # The sentence names its subject; it is what one looks for in the table, so it is told where it doesn't.
        named = words.name(finding.subject) in words.clean(finding.text) or finding.subject in finding.text
        subject = "" if named else f"{words.name(finding.subject)}: "
        since = words.duration(chain.at + self._older - finding.since)
        begin.truncate(max(1, self._room.width // 2), overflow="ellipsis")
        text = words.clean(finding.text) + " " if finding.text != chain.sentence else ""
        return self.wrapped(f"{subject}{text}(for {since})", "", "      ", begin)

    def _facts(self, chain: Assessment) -> list[Text]:
        up = sum(node.state is State.UP for node in chain.nodes)
        facts = [f"head {words.whole(chain.head_number)}"]
        if chain.head_age is not None:
            facts[0] += f", {words.duration(chain.head_age + self._older)} old"
        facts.append(f"{up:,} of {amount(len(chain.nodes), 'node')} up")
        if len(chain.branches) > 1:
            facts.append(f"{len(chain.branches):,} branches")
        if finality := chain.finality:
            expected = ""
            if finality.expected_least is not None and finality.expected_most is not None:
                least = f"{finality.expected_least:,} to " if finality.expected_least != finality.expected_most else ""
                expected = f" ({least}{finality.expected_most:,} expected)"
            facts.append(f"final {finality.number:,}, {finality.lag:,} behind{expected}")
        if making := chain.making:
            facts.append(
                f"{words.whole(making.active)} of {making.scheduled:,} makers active, {making.needed:,} needed"
            )
            told = [chain.sentence, *(finding.text for finding in chain.findings)]
            if making.verdict and not any(making.verdict.rstrip(".") in text for text in told):
                facts.append(words.clean(making.verdict).rstrip("."))
        if traffic := chain.traffic:
            if traffic.transactions_per_second is not None:
                facts.append(f"{traffic.transactions_per_second:,.4g} tx/s")
            if traffic.empty_share is not None:
                facts.append(f"{words.share(traffic.empty_share)} of blocks empty")
        return self.wrapped("; ".join(facts), "", "    ")

    def _maker(self, maker: MakerHealth, making: Making, width: int, now: float) -> Text:
        marks = self._marks
        wrong = maker.scheduled and maker.active is False
        style = STYLES[Severity.WARNING] if wrong else "" if maker.scheduled else "dim"
        name = Text(words.name(maker.name), style)
        name.truncate(width, overflow="ellipsis", pad=True)
        line = Text("  ", no_wrap=True).append(marks.current if maker.current else " ").append(" ")
        line.append_text(name).append("  ")
        for turn in maker.rounds[-_TURNS:]:
            square = marks.square(turn)
            line.append(square, "" if square in (marks.made, marks.none) else STYLES[Severity.WARNING])
        line.append(" " * (_TURNS - len(maker.rounds[-_TURNS:])))
        told = [f"last {words.whole(maker.last_block)}", f"{maker.recent_blocks:,} of {making.window:,}"]
        if wrong:
            told.insert(0, "absent")
        if not maker.scheduled:
            told.insert(0, "not scheduled")
        if maker.missed_rounds_in_a_row:
            told.append(f"{amount(maker.missed_rounds_in_a_row, 'round')} missed in a row")
        if maker.in_turn_share is not None:
            told.append(f"{words.share(maker.in_turn_share)} in turn")
        if maker.next_turn is not None:
            told.append(f"next turn in {words.duration(maker.next_turn - now)}")
        line.append("  " + ", ".join(told), style)
        line.truncate(self._room.width, overflow="ellipsis")
        return line


_TURNS = 12
_WIDEST = 20  # cells of a maker's name


def _wanted(piece: _Piece, left: int) -> int:
    """Return how many lines a piece would take, if it isn't more than there are anyway."""
    if not piece.things:
        return 0
    lines = len(piece.head)
    for thing in piece.things[: left + 1]:
        lines += len(piece.draw(thing))
        if lines > left:
            break
    return lines if piece.most is None else min(lines, piece.most)


def _drawn(piece: _Piece, room: int | None) -> list[Text]:
    """Return the lines of a piece; where there isn't room for all, the last one tells how much is left out."""
    if not piece.things or room == 0:
        return []
    if room is None:
        return [*piece.head, *(line for thing in piece.things for line in piece.draw(thing))]
    lines = list(piece.head)
    starts = []  # how many lines there were before each thing
    for thing in islice(piece.things, room):
        starts.append(len(lines))
        lines += piece.draw(thing)
        if len(lines) > room:
            break
    if len(starts) == len(piece.things) and len(lines) <= room:
        return lines
    if len(piece.things) == 1:
        return lines[:room]
    shown = sum(1 for before, after in zip(starts, [*starts[1:], len(lines)], strict=True) if after < room)
    if not shown:
        return [_left_out(len(piece.things), piece.called, "")]
    return [*lines[: [*starts, len(lines)][shown]], _left_out(len(piece.things) - shown, piece.called, "and ")]


def _left_out(count: int, called: str, begin: str) -> Text:
    more = "more " if begin else ""
    return Text(f"    {begin}{amount(count, more + called)}", "dim", no_wrap=True)
