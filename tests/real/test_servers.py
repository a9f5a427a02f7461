"""The harness itself: nothing that it starts stays behind, and a missing server is never mistaken for a pass."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.servers import process, require, wait_for

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
)

SLEEPER = ["sh", "-c", "echo $$; exec sleep 60"]
"""Says its process number."""


def _says(log: Path, what: str) -> Callable[[], bool]:
    return lambda: log.exists() and what in log.read_text()


def test_a_process_that_ignores_sigterm_ends_all_the_same(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with process([sys.executable, "-c", STUBBORN], ready=_says(log, "here"), log=log) as stubborn:
        assert stubborn.running
        assert stubborn.stop(within=0.1) == -9
    assert not stubborn.running


def test_a_process_ends_when_the_test_fails(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ZeroDivisionError), process(SLEEPER, ready=_says(log, "\n"), log=log):
        raise ZeroDivisionError
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


def test_a_process_that_gives_up_tells_why(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; sys.exit('no such thing')"]
    with (
        pytest.raises(AssertionError, match="ended with status 1") as failure,
        process(argv, ready=lambda: False, log=tmp_path / "log"),
    ):
        pass
    assert "no such thing" in failure.value.__notes__[0]


def test_a_process_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(AssertionError, match="not within"), process(SLEEPER, ready=lambda: False, log=log, within=0.5):
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


def test_waiting_ends() -> None:
    with pytest.raises(AssertionError, match=r"the impossible: not within 0\.01 s, last 0"):
        wait_for(lambda: 0, "the impossible", within=0.01, every=0.001)


@pytest.mark.parametrize(("real", "outcome"), [("", pytest.skip.Exception), ("1", pytest.fail.Exception)])
def test_a_missing_server_skips_unless_all_are_said_to_be_there(
    real: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINWATCH_REAL", real)
    with pytest.raises(outcome, match="no-such-server is not installed"):
        require("no-such-server")


def test_a_server_may_be_pointed_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWATCH_NO_SUCH_SERVER", sys.executable)
    assert require("no-such-server") == sys.executable
