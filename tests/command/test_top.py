"""`chainwatch top`: what it shows, in whatever room there is, of whatever it is told, and how it ends."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from chainwatch.top.marks import ASCII, UNICODE, marks_for
from chainwatch.top.nodes import Order
from chainwatch.top.picture import Picture, Room
from chainwatch.top.reading import State as Told
from chainwatch.top.reading import decoded
from chainwatch.top.room import shares
from chainwatch.top.view import View
from collector.failures import BadAnswer
from collector.health.assessment import (
    Assessment,
    Finality,
    Finding,
    MakerHealth,
    Making,
    NodeHealth,
    Round,
    Severity,
    State,
)
from tests.command.processes import ARGV, Ended, chainwatch
from tests.real.servers import free_port

AT = 1_700_000_000.0
CONSOLE = Console(width=100, height=30, color_system=None)


def clique(**more: Any) -> Assessment:  # noqa: ANN401 - any field
    """Return a healthy chain of three sealers, changed where a test says so."""
    nodes = [
        NodeHealth(
            f"sealer-{i}", "sealer", "http://127.0.0.1:8545", State.UP, head_number=1000, lag_blocks=0, last_answer=AT
        )
        for i in (1, 2, 3)
    ]
    makers = [MakerHealth(f"0x{i:040x}", scheduled=True, active=True, rounds=[Round(1, 1)] * 5) for i in (1, 2, 3)]
    fields: dict[str, Any] = {
        "chain": "lab",
        "kind": "ethereum",
        "at": AT,
        "interval": 1.0,
        "sentence": "All is well.",
        "head_number": 1000,
        "head_age": 2.0,
        "nodes": nodes,
        "making": Making("clique", makers, 64, 3, 3, 2, 1),
    }
    return Assessment(**(fields | more))


def finding(signal: str, severity: Severity, subject: str = "", text: str = "It is so.") -> Finding:
    """Return a finding of ten seconds' age."""
    return Finding(signal, severity, subject, text, AT - 10)


def drawn(
    *chains: Assessment, width: int = 120, height: int | None = None, order: Order = Order.WORST, older: float = 0.0
) -> list[str]:
    """Return the lines that are drawn of these chains."""
    return [line.plain for line in Picture(CONSOLE, UNICODE, Room(width, height), older).lines(chains, order)]


def line_of(lines: list[str], what: str) -> str:
    """Return the one line that holds a text."""
    (found,) = [line for line in lines if what in line]
    return found


# What is shown


def test_a_healthy_chain_says_so_and_shows_all_it_has() -> None:
    lines = drawn(clique(finality=Finality(988, 12, "dpos", 10, 14)))
    assert lines[0] == "✓ well  lab (ethereum)  All is well."
    assert "head 1,000, 2 s old; 3 of 3 nodes up; final 988, 12 behind (10 to 14 expected)" in lines[1]
    assert sum("✓ up" in line for line in lines) == 3
    assert sum("■■■■■" in line for line in lines) == 3


def test_what_is_wrong_comes_first_whatever_the_names_are() -> None:
    bad = clique(
        chain="z",
        severity=Severity.CRITICAL,
        sentence="It has parted.",
        findings=[finding("fork", Severity.CRITICAL), finding("behind", Severity.WARNING, "sealer-3")],
    )
    lines = drawn(clique(chain="a"), bad)
    assert lines[0].startswith("✗ critical  z (ethereum)  It has parted.")
    assert "✗ critical fork It is so. (for 10 s)" in lines[1]
    assert "! warning behind sealer-3: It is so." in lines[2]
    table = [line for line in lines if line.startswith("sealer-")]
    assert table[0].startswith("sealer-3")
    assert "! behind" in table[0]


def test_states_are_told_by_sign_and_word() -> None:
    nodes = [
        NodeHealth("a", "", "", State.DOWN),
        NodeHealth("b", "", "", State.UNKNOWN),
        NodeHealth("c", "", "", State.UP, syncing=True),
        NodeHealth("d", "", "", State.UP),
    ]
    lines = drawn(clique(nodes=nodes, findings=[finding("no_peers", Severity.WARNING, "d")]))
    assert "✗ down" in line_of(lines, "a  ")
    assert [line[0] for line in lines[-4:]] == ["a", "d", "b", "c"]
    assert [line[6:18].strip() for line in lines[-4:]] == ["✗ down", "! no peers", "? unknown", "✓ syncing"]


def test_squares_differ_in_shape() -> None:
    rounds = [Round(12, 12), Round(7, 12), Round(0, 12), Round(0, 0)]
    making = Making("dpos", [MakerHealth("alice", scheduled=True, rounds=rounds, current=True)], 252, 1, 1, 1, 0)
    assert "▸ alice  ■▣☒·" in line_of(drawn(clique(making=making)), "alice")


def test_a_maker_that_is_absent_or_out_is_told() -> None:
    makers = [
        MakerHealth("alice", scheduled=True, active=False, missed_rounds_in_a_row=2),
        MakerHealth("bob", scheduled=False),
        MakerHealth("carol", scheduled=True, active=True, next_turn=AT + 30),
    ]
    lines = drawn(clique(making=Making("dpos", makers, 252, 2, 1, 2, None)), older=10.0)
    assert "absent" in line_of(lines, "alice")
    assert "2 rounds missed in a row" in line_of(lines, "alice")
    assert "not scheduled" in line_of(lines, "bob")
    assert "next turn in 20 s" in line_of(lines, "carol")


def test_a_sparkline_rises_with_the_lag_and_has_gaps_where_nothing_was_said() -> None:
    assert UNICODE.sparkline([0, 1, 7, None, 0], 7) == "  ▁▂█ ▁"
    assert UNICODE.sparkline([0, 500, 1000], 3) == "▁▄█"
    assert UNICODE.sparkline([5, 9, 0], 1) == "▁"
    assert ASCII.sparkline([None], 3) == "   "


def test_what_is_unknown_is_not_told_as_0() -> None:
    bare = Assessment(
        chain="lab", kind="", at=AT, interval=1.0, sentence="?", nodes=[NodeHealth("n", "", "", State.UP)]
    )
    lines = drawn(bare)
    assert "head ?" in lines[1]
    assert "0" not in lines[-1]


def test_a_chain_of_which_nothing_is_known_is_not_well() -> None:
    lines = drawn(clique(nodes=[NodeHealth("n", "", "", State.UNKNOWN)], sentence="Nothing is known."))
    assert lines[0] == "? unknown  lab (ethereum)  Nothing is known."


def test_what_the_sentence_says_is_not_said_again() -> None:
    fork = finding("fork", Severity.CRITICAL, text="It has parted.")
    lines = drawn(clique(sentence="It has parted.", severity=Severity.CRITICAL, findings=[fork]))
    assert lines[1] == "  ✗ critical fork (for 10 s)"


def test_ages_go_on_while_the_state_stays() -> None:
    lines = drawn(clique(), older=40.0)
    assert "42 s old" in lines[1]
    assert line_of(lines, "sealer-1").count("40 s ago") == 1


# In whatever room there is


def test_of_500_nodes_those_that_are_wrong_are_shown_and_the_others_counted() -> None:
    nodes = [NodeHealth(f"node-{i:03}", "", "", State.DOWN if i == 499 else State.UP, lag_blocks=0) for i in range(500)]
    lines = drawn(clique(nodes=nodes, severity=Severity.WARNING), width=80, height=22)
    assert len(lines) == 22
    assert any(line.startswith("node-499") for line in lines)
    shown = sum(line.startswith("node-") for line in lines)
    assert lines[-1] == f"    and {500 - shown} more nodes"


def test_every_chain_has_its_sentence_before_any_has_its_nodes() -> None:
    many = [NodeHealth(f"node-{i}", "", "", State.UP) for i in range(100)]
    chains = [clique(chain=f"chain-{i}", nodes=many, severity=Severity.WARNING) for i in range(8)]
    lines = drawn(*chains, height=12)
    assert sum("All is well" in line for line in lines) == 8
    assert len(lines) <= 12


def test_a_chain_that_is_well_leaves_its_room_to_one_that_is_not() -> None:
    bad = clique(chain="bad", severity=Severity.WARNING, making=None)
    lines = drawn(clique(chain="good"), bad, height=9)
    assert sum(line.startswith("sealer-") for line in lines) == 3


def test_findings_leave_room_for_nodes() -> None:
    findings = [finding("behind", Severity.WARNING, f"n{i}") for i in range(500)]
    lines = drawn(clique(severity=Severity.WARNING, findings=findings, making=None), height=24)
    assert any(line.endswith("more findings") for line in lines)
    assert any(line.startswith("sealer-1") for line in lines)


def test_columns_leave_before_the_name_and_state_do() -> None:
    for width, there, gone in ((130, "version", ""), (60, "lags", "version"), (34, "state", "lags")):
        head = line_of(drawn(clique(), width=width), "node  ")
        assert there in head
        assert not gone or gone not in head
        assert len(head) <= width


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 100))
def test_shares(wanted: list[int], room: int) -> None:
    given = shares(wanted, room)
    assert all(0 <= got <= want for got, want in zip(given, wanted, strict=True))
    assert sum(given) == min(room, sum(wanted))
    hungry = [got for got, want in zip(given, wanted, strict=True) if got < want]
    assert not hungry or max(given) <= max(hungry) + 1


# Of whatever it is told

_text = st.text(max_size=40)
_moment = st.floats(allow_nan=True, allow_infinity=True)
_number = st.one_of(st.integers(-(10**6), 10**6), st.just(10**40))
_known = {str: _text, float: _moment, int: _number}


@st.composite
def _assessments(draw: st.DrawFn) -> Assessment:
    maybe = st.one_of(st.none(), _number)
    some = st.one_of(st.none(), _moment)
    node = st.builds(
        NodeHealth,
        _text,
        _text,
        _text,
        st.sampled_from(State),
        version=_text,
        head_number=maybe,
        lag_blocks=maybe,
        peers=maybe,
        latency=some,
        clock_skew=some,
        last_answer=some,
        lags=st.lists(maybe, max_size=5),
    )
    found = st.builds(Finding, _text, st.sampled_from(Severity), _text, _text, _moment)
    rounds = st.lists(st.builds(Round, _number, _number), max_size=15)
    maker = st.builds(
        MakerHealth, _text, st.booleans(), rounds=rounds, next_turn=some, in_turn_share=some, last_block=maybe
    )
    making = st.builds(
        Making, _text, st.lists(maker, max_size=4), _number, _number, maybe, _number, maybe, verdict=_text
    )
    return draw(
        st.builds(
            Assessment,
            chain=_text,
            kind=_text,
            at=_moment,
            interval=_moment,
            sentence=_text,
            severity=st.one_of(st.none(), st.sampled_from(Severity)),
            head_number=maybe,
            head_age=some,
            nodes=st.lists(node, max_size=6),
            making=st.one_of(st.none(), making),
            findings=st.lists(found, max_size=4),
        )
    )


@settings(max_examples=60)
@given(st.lists(_assessments(), max_size=3), st.integers(1, 140), st.integers(0, 40), st.sampled_from(Order))
def test_anything_fits_and_holds_nothing_that_a_terminal_obeys(
    chains: list[Assessment], width: int, height: int, order: Order
) -> None:
    view = View("http://collector", "", UNICODE)
    view.tell(Told(1, AT, "\x1b[2J", chains))
    for failure in ("", "\x1b]0;x\x07"):
        if failure:
            view.fail(failure)
        for _ in Order:
            view.sort()
        lines = view.lines(CONSOLE, Room(width, height))
        assert len(lines) <= max(height, 0)
        assert all(line.cell_len <= width for line in lines)
        assert all(line.plain.isprintable() for line in lines)
    everything = Picture(CONSOLE, ASCII, Room(width, None)).lines(chains, order)
    assert all(line.plain.isprintable() and line.cell_len <= width for line in everything)


@given(st.binary(max_size=200))
def test_a_document_of_any_other_kind_is_refused(body: bytes) -> None:
    with pytest.raises(BadAnswer) as refused:
        decoded(body)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"version": 2}', "version 2, not in 1"),
        (b'{"version": 1, "at": 1, "chainwatch": "0", "chains": 3}', "chains"),
        (b'{"version": 1, "at": 1, "chainwatch": "0", "chains": [{"chain": "a"}]}', "missing required field"),
        (b"[" * 100_000, "not"),
        (b'{"x": ' + b"[" * 100_000, "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"version": 1, "at": "\xff"}', "not"),
    ],
)
def test_it_is_said_what_is_wrong_with_a_document(body: bytes, said: str) -> None:
    with pytest.raises(BadAnswer, match=said) as refused:
        decoded(body)
    assert len(str(refused.value)) < 400


def test_what_is_encoded_comes_back() -> None:
    body = msgspec.json.encode(Told(1, AT, "0.1.0", [clique(findings=[finding("fork", Severity.CRITICAL)])]))
    assert msgspec.json.encode(decoded(body)) == body


def test_signs_are_those_that_the_encoding_has() -> None:
    assert marks_for("utf-8") is UNICODE
    assert [marks_for(name) for name in ("ascii", "latin-1", None, "no such")] == [ASCII] * 4


# The command against a page


class Page:
    """A page whose answer the test says. Counts what it is asked."""

    def __init__(self) -> None:
        self.chains: list[Assessment] = [clique()]
        self.answer: Callable[[web.Request], Awaitable[web.StreamResponse]] = self._state
        self.asked = 0
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    async def _state(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=msgspec.json.encode(Told(1, AT, "0.1.0", self.chains)))

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Answer."""
        self.asked += 1
        return await self.answer(request)


@contextmanager
def served(page: Page) -> Iterator[None]:
    """Serve a page for as long as the block lasts."""
    loop = asyncio.new_event_loop()
    application = web.Application()
    application.router.add_get("/api/state", page.ask)
    runner = web.AppRunner(application, shutdown_timeout=0.1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", page.port).start()

    loop.run_until_complete(start())
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.fixture
def page() -> Iterator[Page]:
    """Serve a page."""
    made = Page()
    with served(made):
        yield made


def once(*arguments: str) -> Ended:
    """Run it once."""
    return chainwatch("top", "--once", *arguments)


def test_once_of_a_healthy_chain_is_0(page: Page) -> None:
    page.chains = [clique(findings=[finding("mixed_versions", Severity.INFO)], severity=Severity.INFO)]
    done = once(page.url)
    assert (done.code, done.stderr) == (0, "")
    assert "i info  lab (ethereum)  All is well." in done.stdout
    assert "\x1b" not in done.stdout
    assert page.asked == 1


def test_once_of_a_critical_finding_is_1_and_of_the_other_chain_alone_0(page: Page) -> None:
    bad = clique(chain="bad", findings=[finding("fork", Severity.CRITICAL)], severity=Severity.CRITICAL)
    page.chains = [clique(), bad]
    assert once(page.url).code == 1
    assert once(page.url, "--chain", "bad").code == 1
    good = once(page.url, "--chain", "lab")
    assert (good.code, "bad" in good.stdout) == (0, False)


def test_once_without_a_collector_is_1_in_one_line() -> None:
    done = once(f"http://127.0.0.1:{free_port()}")
    assert done.code == 1
    assert done.stderr == "chainwatch: connection refused; does the collector run and listen there?\n"


def test_once_of_a_chain_that_is_not_there_is_2_and_names_those_that_are(page: Page) -> None:
    done = once(page.url, "--chain", "la")
    assert (done.code, done.stderr) == (2, "chainwatch: there is no chain la; there are: lab\n")


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:9273", "ftp://host", "http://", "http://host:99999", "http://ho st", "http://h?x=1", "http://[::1"],
)
def test_a_wrong_url_is_2_and_not_repeated(url: str) -> None:
    done = once(url.replace("//", "//user:secret@"))
    assert done.code == 2
    assert "argument URL: it" in done.stderr
    assert "secret" not in done.stderr


async def _status(status: int) -> web.Response:
    return web.Response(status=status, text="no\x1b[2J")


async def _huge(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(100):
        await response.write(b"[" * 2**20)
    return response


async def _hanging(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: _status(404), "HTTP 404: no\\x1b[2J; is this the address of chainwatch's page?"),
        (lambda _: _status(401), "put them into the URL"),
        (lambda _: _status(302), "HTTP 302"),
        (_huge, "beyond 4,194,304 bytes"),
        (_hanging, "no answer within 5 s"),
    ],
)
def test_any_other_answer_is_1_in_one_line(
    page: Page, answer: Callable[[web.Request], Awaitable[web.StreamResponse]], said: str
) -> None:
    page.answer = answer
    done = once(page.url)
    assert done.code == 1
    (line,) = done.stderr.splitlines()
    assert said in line
    assert done.seconds < 9


def test_a_password_in_the_url_is_used_and_not_shown(page: Page) -> None:
    heard: list[str | None] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        heard.append(request.headers.get("Authorization"))
        return await page._state(request)

    page.answer = answer
    done = once(page.url.replace("//", "//user:secret@") + "/")
    assert heard == ["Basic dXNlcjpzZWNyZXQ="]
    assert "secret" not in done.stdout + done.stderr
    assert page.url in done.stdout


# In a terminal


def _without_size() -> dict[str, str]:
    """Return the environment without the size of another terminal, which would be taken for that of this."""
    return {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}


class Terminal:
    """A `chainwatch top` in a terminal of its own."""

    def __init__(self, *arguments: str, columns: int = 100, lines: int = 24, **environment: str) -> None:
        self._ours, self._its = pty.openpty()
        self.resize(columns, lines)
        self._before = termios.tcgetattr(self._its)
        self.process = subprocess.Popen(
            [*ARGV, "top", *arguments],
            stdin=self._its,
            stdout=self._its,
            stderr=self._its,
            env={**_without_size(), "TERM": "xterm-256color", **environment},
        )
        self.raw = ""

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size."""
        fcntl.ioctl(self._its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._ours, key.encode())

    @property
    def frame(self) -> str:
        """What was drawn last, without what is no text."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.raw.rpartition("\x1b[H")[2])

    def shows(self, what: str) -> str:
        """Wait until a text is on the screen, and return all that is."""
        return self.until(lambda frame: what in frame, what)

    def until(self, condition: Callable[[str], bool], what: str, within: float = 15.0) -> str:
        """Wait until that holds for what is on the screen, and return it."""
        deadline = time.monotonic() + within
        while not condition(self.frame):
            assert time.monotonic() < deadline, f"{what!r} is not in:\n{self.frame}"
            self._read()
        return self.frame

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.1)[0]:
            self.raw += os.read(self._ours, 2**16).decode("utf-8", "replace")

    def ended(self, within: float = 5.0) -> int:
        """Return the exit code; what it did to the terminal is undone by then."""
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "still there"
            self._read()
        self._read()
        assert termios.tcgetattr(self._its) == self._before
        assert self.raw.rstrip().endswith("\x1b[?25h\x1b[?1049l")  # the cursor shows, on the screen of before
        return self.process.returncode

    def close(self) -> None:
        """Have no process and no terminal left."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._its)


@contextmanager
def terminal(*arguments: str, **options: Any) -> Iterator[Terminal]:  # noqa: ANN401 - as Terminal has them
    """Run it in a terminal for as long as the block lasts."""
    made = Terminal(*arguments, **options)
    try:
        yield made
    finally:
        made.close()


def test_it_follows_sorts_and_quits(page: Page) -> None:
    with terminal(page.url) as top:
        assert "\x1b[3" in top.raw or top.shows("All is well.")
        page.chains = [clique(sentence="It has halted.", severity=Severity.CRITICAL)]
        top.shows("It has halted.")
        assert "\x1b[1;31m" in top.raw
        top.press("s")
        top.shows("now by lag")
        top.press("q")
        assert top.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_the_terminal_back(page: Page, number: signal.Signals) -> None:
    with terminal(page.url) as top:
        top.shows("All is well.")
        top.process.send_signal(number)
        assert top.ended() == 0


def test_it_fits_the_terminal_however_that_changes(page: Page) -> None:
    page.chains = [clique(nodes=[NodeHealth(f"n-{i}", "", "", State.UP) for i in range(50)])]
    with terminal(page.url) as top:
        top.shows("more nodes")
        top.resize(40, 10)
        small = top.until(lambda frame: 0 < len(frame.splitlines()) <= 10 and "by wh" in frame, "10 lines")
        assert max(map(len, small.splitlines())) <= 40


def test_without_colours_where_nobody_wants_them(page: Page) -> None:
    page.chains = [clique(severity=Severity.CRITICAL)]
    with terminal(page.url, NO_COLOR="1") as top:
        top.shows("✗ critical")
        assert not re.search(r"\x1b\[[0-9;]*3[0-9][;m]", top.raw)


def test_a_collector_that_goes_is_told_and_taken_up_again_when_it_comes_back() -> None:
    page = Page()
    with served(page), terminal(page.url) as top:
        top.shows("All is well.")
        page.answer = lambda _: _status(500)
        gone = top.shows("has not answered for")
        assert "HTTP 500" in gone
        assert "All is well." in gone  # the last that is known
        top.shows("has not answered for 3 s")
        page.answer = page._state
        top.shows("chainwatch 0.1.0")


def test_it_waits_for_a_collector_that_is_not_there_yet_and_quits_all_the_same() -> None:
    page = Page()
    with terminal(page.url) as top:
        top.shows("connection refused")
        with served(page):
            top.shows("All is well.")
        top.shows("has not answered")
        top.press("q")
        assert top.ended() == 0


def test_no_name_reaches_the_terminal_as_a_command(page: Page) -> None:
    evil = "\x1b]0;owned\x07\x9b2J\r\n\u202e[bold red]x"
    page.chains = [
        clique(
            chain=evil,
            kind=evil,
            sentence=evil,
            findings=[finding(evil, Severity.CRITICAL, evil, evil)],
            nodes=[NodeHealth(evil, evil, evil, State.UP, version=evil)],
            making=Making(evil, [MakerHealth(evil, scheduled=True)], 1, 1, 1, 1, 1, verdict=evil),
        )
    ]
    with terminal(page.url, columns=200) as top:
        top.shows(r"\x1b]0;owned\x07\x9b2J\r\n\u202e[bold red]x")
        assert "\x07" not in top.raw
        assert "\x1b]" not in top.raw
        assert "\x9b" not in top.raw
        assert "\u202e" not in top.raw


def test_where_there_is_no_terminal_it_prints_once(page: Page) -> None:
    done = chainwatch("top", page.url)
    assert done.code == 0
    assert "All is well." in done.stdout
    assert "\x1b" not in done.stdout
