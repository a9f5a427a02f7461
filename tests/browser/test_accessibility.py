"""axe-core finds nothing serious on the page: light, dark, on a phone, with faults, without a collector."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.browser.chromium import Visit, visiting
from tests.page.assessments import everything, many
from tests.real.servers import unavailable

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import Serve

pytestmark = pytest.mark.browser

_RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map((violation) => ({
    id: violation.id,
    impact: violation.impact,
    help: violation.help,
    nodes: violation.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)),
}))"""


_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@pytest.fixture(scope="module")
def axe() -> str:
    """Return axe-core."""
    try:
        return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError:
        unavailable("axe-playwright-python is not installed")


def serious(visit: Visit, axe: str) -> list[dict[str, Any]]:
    """Return what stands in somebody's way."""
    visit.page.evaluate(axe)
    found: list[dict[str, Any]] = visit.page.evaluate(_RUN)
    return [violation for violation in found if violation["impact"] in ("serious", "critical")]


def unfolded(visit: Visit) -> None:
    """Open whatever can be opened."""
    visit.page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    visit.page.wait_for_timeout(1_500)


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_nothing_serious_whatever_is_wrong(browser: Browser, serve: Serve, axe: str, *, phone: bool) -> None:
    site = serve(everything())
    # axe-core writes styles and markup of its own, which the page's policy would not let pass.
    with visiting(browser, site.url, phone=phone, bypass_csp=True) as visit:
        unfolded(visit)
        assert in_light_and_dark(visit, axe) == []
        if phone:
            return  # the colours are those of the desktop
        site.stop()
        visit.until("document.documentElement.classList.contains('gone')", within=10)
        assert in_light_and_dark(visit, axe) == []


def in_light_and_dark(visit: Visit, axe: str) -> list[dict[str, Any]]:
    """Return what stands in somebody's way in one of the two."""
    found = []
    for scheme in _SCHEMES:
        visit.page.emulate_media(color_scheme=scheme)
        assert visit.page.evaluate(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        found += serious(visit, axe)
    return found


def test_nothing_serious_in_the_public_view(browser: Browser, serve: Serve, axe: str) -> None:
    with visiting(browser, serve([*everything(), many(70)], public=True).url, bypass_csp=True) as visit:
        unfolded(visit)
        assert serious(visit, axe) == []


@pytest.mark.parametrize("path", ["runbooks", "runbooks/behind"])
def test_nothing_serious_in_runbooks(browser: Browser, serve: Serve, axe: str, path: str) -> None:
    with visiting(browser, serve([]).url, path=path, bypass_csp=True, ready=False) as visit:
        assert in_light_and_dark(visit, axe) == []


def test_it_would_be_found(browser: Browser, serve: Serve, axe: str) -> None:
    with visiting(browser, serve([]).url, bypass_csp=True, ready=False) as visit:
        visit.page.evaluate("document.body.append(document.createElement('button'))")
        assert [violation["id"] for violation in serious(visit, axe)] == ["button-name"]
