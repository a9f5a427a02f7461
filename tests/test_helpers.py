"""The supervision that the other tests rely on sees what it should."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from blockbuster import BlockingError

import collector
from tests.helpers import run


def _code_of_the_collector(source: str) -> dict[str, object]:
    """Run source text as if it were a module of the collector."""
    names: dict[str, object] = {}
    exec(compile(source, str(Path(collector.__file__).with_name("blocking.py")), "exec"), names)
    return names


def test_run_returns_what_the_coroutine_returns() -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    assert run(answer()) == 42


def test_run_ends_what_takes_too_long() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(AssertionError, match=r"not over within 0\.05 s"):
        run(hang(), timeout=0.05)


def test_run_passes_on_a_timeout_of_the_test_itself() -> None:
    async def too_late() -> None:
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(too_late())


def test_run_fails_when_a_task_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.helpers.GRACE", 0.01)

    async def leak() -> None:
        leaked.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

    leaked: list[asyncio.Task[bool]] = []
    with pytest.raises(AssertionError, match="forgotten"):
        run(leak())


def test_run_fails_when_a_callback_fails() -> None:
    async def fail_unseen() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        await asyncio.sleep(0)

    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run(fail_unseen())


def test_blocking_in_our_code_fails_the_test_even_when_caught(blocked: list[str]) -> None:
    source = "import time\ndef nap():\n    try:\n        time.sleep(0)\n    except Exception:\n        pass\n"
    nap = _code_of_the_collector(source)["nap"]

    async def block() -> None:
        assert callable(nap)
        nap()

    run(block())
    assert len(blocked) == 1
    assert "time.sleep" in blocked[0]
    blocked.clear()


def test_blocking_in_our_code_raises(blocked: list[str]) -> None:
    nap = _code_of_the_collector("import time\ndef nap():\n    time.sleep(0)\n")["nap"]

    async def block() -> None:
        assert callable(nap)
        nap()

    with pytest.raises(BlockingError):
        run(block())
    blocked.clear()


def test_blocking_in_a_test_is_the_tests_own_matter(blocked: list[str]) -> None:
    async def nap() -> None:
        time.sleep(0)  # noqa: ASYNC251 - the point of the test

    run(nap())
    assert not blocked
