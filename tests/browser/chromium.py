"""Chromium as it is installed, driven by Playwright. Nothing is ever downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.real.servers import require, unavailable, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, ViewportSize

SCREENSHOTS = Path(os.environ.get("CHAINWATCH_SCREENSHOTS", "build/screenshots"))

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}

# The page draws in steps: first the chains, then all of each, at last its nodes, where these are unfolded.
_DRAWN = """(() => {
    const chains = [...document.querySelectorAll("section.chain")];
    return chains.length > 0 && chains.every((chain) => {
        const { open, firstElementChild: summary } = chain.querySelector("details.table");
        const rows = chain.querySelectorAll("tbody tr").length;
        return chain.querySelector(".sentence").textContent && (!open || rows === parseInt(summary.textContent));
    });
})()"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser, without a window. Skips where there is none, or no Playwright."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - it may be missing
    except ImportError:
        unavailable("playwright is not installed")
    binary = require("chromium")
    # In a container root has no namespaces of its own to make, and /dev/shm is small.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, headless=True, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """A tab that shows a page, and what the browser complained of meanwhile."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        """Addresses of other origins that were asked for."""
        self.asked: set[str] = set()
        """Addresses that were asked for."""
        self._origin = origin
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"{error}"))
        page.on("request", self._asked)

    def _said(self, message: Any) -> None:  # noqa: ANN401 - Playwright's own
        # A violation of the page's policy is told here too. That the collector is gone is no defect of the page.
        if message.type in ("error", "warning") and "net::ERR" not in message.text:
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:  # noqa: ANN401 - as above
        self.asked.add(request.url)
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}/" != self._origin and parts.scheme not in ("data", "blob"):
            self.elsewhere.append(request.url)

    def until(self, expression: str, within: float = 15.0) -> None:
        """Wait until an expression holds in the page. Playwright's own way is one that the page's policy forbids."""
        wait_for(lambda: self.page.evaluate(expression), expression, within, every=0.1)

    def shot(self, name: str, part: Locator | None = None) -> None:
        """Keep a picture of the whole page, or of a part of it, among what is built."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        if part:
            part.screenshot(path=path, animations="disabled")
        else:
            self.page.screenshot(path=path, full_page=True, animations="disabled")


@contextmanager
def visiting(
    browser: Browser,
    url: str,
    *,
    phone: bool = False,
    dark: bool = False,
    bypass_csp: bool = False,
    path: str = "",
    ready: bool = True,
) -> Iterator[Visit]:
    """Show the page for as long as the block lasts, and fail where the browser complained or asked others."""
    context = browser.new_context(
        viewport=PHONE if phone else DESKTOP,
        device_scale_factor=1,
        is_mobile=phone,
        has_touch=phone,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        bypass_csp=bypass_csp,
    )
    context.set_default_timeout(10_000)
    try:
        page = context.new_page()
        visit = Visit(page, url)
        page.goto(url + path)
        if ready:
            visit.until(_DRAWN)
        yield visit
        assert not visit.complaints, visit.complaints
        assert not visit.elsewhere, visit.elsewhere
    finally:
        context.close()
