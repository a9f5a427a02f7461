"""The real page over assessments that a test makes, on a listener that may go and come back."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from chainwatch.runbooks import all_runbooks
from collector.health.assessment import Assessment
from collector.page import Page
from tests.real.servers import free_port

RUNBOOKS = all_runbooks()


class Site:
    """Serves `chains`, whatever a test puts there, as they were assessed this second.

    `run` runs a coroutine where the listener is to work. What was asked to be forgotten is in `forgotten`.
    """

    def __init__(
        self, run: Callable[[Coroutine[Any, Any, Any]], Any], chains: Sequence[Assessment], *, public: bool = False
    ) -> None:
        self.chains: Callable[[float], Sequence[Assessment]] = lambda _: chains
        self.forgotten: list[tuple[str, str]] = []
        self.port = free_port()
        self._public = public
        self._run = run
        self._runner: web.AppRunner | None = None
        self._page = Page(self._assess, self._forget, RUNBOOKS)
        self.start()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"

    def show(self, *chains: Assessment) -> None:
        """Show these from now on."""
        self.chains = lambda _: chains

    def start(self) -> None:
        """Answer."""
        self._run(self._start())

    def stop(self) -> None:
        """Answer no more; connections that are open end."""
        if self._runner:
            self._run(self._runner.cleanup())
            self._runner = None

    async def _start(self) -> None:
        application = web.Application()
        application.add_routes(self._page.routes(public=self._public))
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    def _assess(self) -> Sequence[Assessment]:
        now = time.time()
        return [moved(chain, now - chain.at) for chain in self.chains(now)]

    def _forget(self, chain: str, node: str) -> bool:
        self.forgotten.append((chain, node))
        return True


def moved(chain: Assessment, by: float) -> Assessment:
    """Return the assessment as it would be, had all of it happened so many seconds later."""

    def later(moment: float | None) -> float | None:
        return None if moment is None else moment + by

    making = chain.making and replace(
        chain.making,
        makers=[replace(maker, next_turn=later(maker.next_turn)) for maker in chain.making.makers],
    )
    return replace(
        chain,
        at=chain.at + by,
        head_time=later(chain.head_time),
        nodes=[
            replace(node, head_time=later(node.head_time), last_answer=later(node.last_answer)) for node in chain.nodes
        ],
        findings=[replace(finding, since=finding.since + by) for finding in chain.findings],
        branches=[replace(branch, tip_time=branch.tip_time + by) for branch in chain.branches],
        making=making,
    )
