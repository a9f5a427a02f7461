"""Sorting, filters, pins: kept in the URL, and to be had by the keyboard alone. And a node is forgotten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.chromium import Visit, visiting
from tests.browser.test_page import names, section
from tests.page.assessments import HOSTILE, clique, everything, forked, halted, producers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import Serve

pytestmark = pytest.mark.browser

LAG = re.compile("^Lag$")  # its arrow is not read out


def query(visit: Visit) -> dict[str, list[str]]:
    """Return the query of the URL."""
    return parse_qs(urlsplit(visit.page.url).query)


def test_a_link_shows_the_same_view_again(browser: Browser, serve: Serve) -> None:
    site = serve(everything())
    with visiting(browser, site.url) as visit:
        page = visit.page
        part = section(visit, "main")
        for _ in ("up", "down"):
            part.get_by_role("button", name=LAG).click()
        page.get_by_label("Filter nodes").fill("worker")
        part.get_by_role("button", name="Pin worker-9").click()
        page.get_by_role("link", name="main").click()
        visit.until("document.querySelectorAll('main section.chain').length === 1")
        visit.until("document.querySelectorAll('tbody tr:not([hidden])').length === 6")
        shown = names(part)
        assert query(visit) == {"chain": ["main"], "filter": ["worker"], "sort": ["-lag"], "pin": ["main/worker-9"]}
        assert shown[0] == "worker-9"  # before those with a greater lag
        assert shown[1:4] == ["worker-4", "worker-6", "worker-8"]
        link = page.url
    with visiting(browser, site.url, path=link.removeprefix(site.url)) as visit:
        page = visit.page
        part = section(visit, "main")
        visit.until("document.querySelectorAll('tbody tr:not([hidden])').length === 6")
        visit.until("document.querySelector('tbody tr:not([hidden]) th span').title === 'worker-9'")
        assert names(part) == shown
        assert page.locator("main section.chain").count() == 1
        assert page.get_by_label("Filter nodes").input_value() == "worker"
        assert part.get_by_role("columnheader", name=LAG).get_attribute("aria-sort") == "descending"
        assert part.get_by_role("button", name="Pin worker-9").get_attribute("aria-pressed") == "true"


def test_by_role_and_by_state(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve([forked()]).url) as visit:
        part = section(visit, "split")
        visit.page.get_by_label("State").select_option("forked")
        visit.until("document.querySelectorAll('tbody tr:not([hidden])').length === 2")
        assert sorted(names(part)) == ["client-5", "sealer-2"]
        visit.page.get_by_label("Role").select_option("sealer")
        visit.until("document.querySelectorAll('tbody tr:not([hidden])').length === 1")
        assert query(visit) == {"state": ["forked"], "role": ["sealer"]}


def test_a_node_is_forgotten(browser: Browser, serve: Serve) -> None:
    site = serve([forked()])
    with visiting(browser, site.url) as visit:
        visit.page.get_by_role("button", name="Forget").locator("visible=true").click()
        visit.page.get_by_text("is forgotten").wait_for(state="attached")
        assert site.forgotten == [("split", HOSTILE)]
        site.show(clique("split"))
        visit.until("document.querySelectorAll('tbody button:not([hidden])').length === 7")  # the pins


# Everything that can be operated, by where it stands, and whether it is to be seen when it has the focus.
_OPERABLE = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
    .filter((element) => element.checkVisibility({visibilityProperty: true}) && !element.disabled)
    .map((element) => { element.dataset.stop ??= String(Math.random()); return element.dataset.stop; })"""
_FOCUSED = """() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    return {
        stop: element.dataset.stop ?? "",
        what: element.outerHTML.slice(0, 120),
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        sized: box.width > 1 && box.height > 1,
    };
}"""


def test_every_control_is_reached_by_tab_and_seen(browser: Browser, serve: Serve) -> None:
    site = serve([forked(), producers(3), halted()])
    with visiting(browser, site.url) as visit:
        page = visit.page
        page.get_by_text("Legend").click()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.wait_for_timeout(1_200)  # until all is drawn
        wanted = set(page.evaluate(_OPERABLE))
        reached: dict[str, Any] = {}
        for _ in range(len(wanted) + 10):
            page.keyboard.press("Tab")
            focused = page.evaluate(_FOCUSED)
            if focused["stop"]:
                assert focused["outlined"], focused["what"]
                assert focused["sized"], focused["what"]
                reached[focused["stop"]] = focused["what"]
        assert len(wanted) > 60
        assert wanted <= set(reached), wanted - set(reached)


def test_every_kind_of_control_is_operated_by_the_keyboard(browser: Browser, serve: Serve) -> None:
    site = serve([forked(), clique()])
    with visiting(browser, site.url) as visit:
        page = visit.page
        part = section(visit, "split")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the way past everything
        assert page.evaluate("document.activeElement.id") == "chains"
        part.get_by_role("button", name="Height").focus()
        page.keyboard.press("Enter")
        assert query(visit)["sort"] == ["head"]
        pin = part.get_by_role("button", name="Pin sealer-3")
        pin.focus()
        page.keyboard.press("Space")
        visit.until("document.querySelector('tbody tr:not([hidden]) th span').title === 'sealer-3'")
        assert pin.get_attribute("aria-pressed") == "true"
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pin sealer-3"  # it was moved
        page.get_by_label("Filter nodes").focus()
        page.keyboard.type("sealer")
        page.get_by_label("Role").focus()
        page.keyboard.type("sea")
        part.locator("summary").first.focus()
        before = part.locator("details").first.get_attribute("open")
        page.keyboard.press("Enter")
        assert part.locator("details").first.get_attribute("open") != before
        page.get_by_role("link", name="lab").focus()
        page.keyboard.press("Enter")
        visit.until("document.querySelectorAll('main section.chain').length === 1")
        assert query(visit) == {
            "chain": ["lab"],
            "filter": ["sealer"],
            "role": ["sealer"],
            "sort": ["head"],
            "pin": ["split/sealer-3"],
        }


def test_the_focus_stays_while_rows_come_and_go(browser: Browser, serve: Serve) -> None:
    site = serve([clique()])
    with visiting(browser, site.url) as visit:
        page = visit.page
        page.get_by_role("button", name="Pin client-4").focus()
        site.show(clique(), forked(), halted())
        section(visit, "stopped").wait_for()
        page.wait_for_timeout(1_500)
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Pin client-4"
