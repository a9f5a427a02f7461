"""What the tests of the page share: one browser, and one event loop for all that is served to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from collector.health.assessment import Assessment
from tests.browser.chromium import chromium
from tests.browser.site import Site
from tests.command.surroundings import Background, background

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Serve = Callable[..., Site]


@pytest.fixture(scope="package")
def serving() -> Iterator[Background]:
    """Run the event loop of what is served."""
    with background() as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Run the browser; of this folder alone, for while it runs the thread of the tests has an event loop."""
    with chromium() as running:
        yield running


@pytest.fixture
def serve(serving: Background) -> Iterator[Serve]:
    """Return what serves the page over some chains, until the test is over."""
    sites: list[Site] = []

    def made(chains: Sequence[Assessment], *, public: bool = False) -> Site:
        sites.append(Site(serving.run, chains, public=public))
        return sites[-1]

    yield made
    for site in sites:
        site.stop()
