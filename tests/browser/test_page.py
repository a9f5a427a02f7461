"""What the page shows of chains in every state, and that nothing of it comes from elsewhere or goes there."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from collector.health.assessment import Assessment, Finding, Severity
from collector.page.assets import HEADERS
from tests.browser.chromium import Visit, visiting
from tests.page.assessments import HOSTILE, NOW, clique, everything, forked, halted, many, producers, unknown
from tests.real.servers import fetch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator

    from tests.browser.conftest import Serve

pytestmark = pytest.mark.browser


def section(visit: Visit, chain: str) -> Locator:
    """Return the part of the page that is a chain's."""
    heading = visit.page.get_by_role("heading", level=2, name=chain)
    return visit.page.locator("section").filter(has=heading)


def names(table: Locator) -> list[str]:
    """Return the nodes of a table, from the first row that is shown to the last."""
    found: list[str] = table.locator("tbody tr:visible th span").evaluate_all("cells => cells.map(cell => cell.title)")
    return found


def test_every_chain_node_and_finding_is_shown(browser: Browser, serve: Serve) -> None:
    chains = everything()
    site = serve(chains)
    with visiting(browser, site.url) as visit:
        for chain in chains:
            part = section(visit, chain.chain)
            assert chain.sentence in part.inner_text()
            assert sorted(names(part)) == sorted(node.node for node in chain.nodes)
            told = part.get_by_role("list").first.get_by_role("listitem").all_inner_texts() if chain.findings else []
            assert len(told) == len(chain.findings)
            for line, finding in zip(told, chain.findings, strict=True):
                assert all(text in line for text in (finding.severity, finding.signal, finding.subject, finding.text))
            for finding in chain.findings:
                link = part.get_by_role("link", name=finding.signal, exact=True).first
                assert finding.signal in (link.get_attribute("href") or "")
        visit.shot("everything-light")
    with visiting(browser, site.url, dark=True) as visit:
        visit.shot("everything-dark")


def test_the_link_of_a_finding_leads_to_its_runbook(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve([forked()]).url) as visit:
        visit.page.get_by_role("link", name="network_split", exact=True).click()
        visit.page.get_by_role("heading", name="NetworkSplit").wait_for()
        visit.page.get_by_role("heading", name="What to do").wait_for()
        visit.page.get_by_role("link", name="All runbooks").click()
        visit.page.get_by_role("link", name="NodeBehind", exact=True).wait_for()


def test_what_is_wrong_comes_first(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve(everything()).url) as visit:
        headings = visit.page.locator("main h2").all_inner_texts()
        order = ["split", "stopped", "main", "new", "lab"]  # what is unknown is not known to be fine
        assert [heading.split()[-1] for heading in headings] == order
        assert [heading.split()[0] for heading in headings][:4] == ["critical", "critical", "warning", "unknown"]
        assert names(section(visit, "split"))[0] in ("client-4", "client-5", "sealer-2")


def test_a_change_is_shown_within_seconds(browser: Browser, serve: Serve) -> None:
    site = serve([clique()])
    with visiting(browser, site.url) as visit:
        site.show(replace(halted(), chain="lab"))
        visit.page.get_by_text("The chain has halted").first.wait_for(timeout=5_000)
        site.show(clique(), producers())
        section(visit, "main").get_by_role("table").wait_for(timeout=5_000)
        visit.page.get_by_text("The chain has halted").first.wait_for(state="detached", timeout=5_000)


def test_the_head_is_had_by_those_who_have_its_hash(browser: Browser, serve: Serve) -> None:
    chain = forked()
    nodes = [replace(node, head_number=chain.head_number) if node.branch else node for node in chain.nodes]
    with visiting(browser, serve([replace(chain, nodes=nodes)]).url) as visit:
        up = [node for node in nodes if node.head_hash and node.state == "up"]
        there = [node for node in up if node.head_hash == chain.head_hash]
        assert len(there) < len(up)
        visit.page.get_by_text(f"{len(there)} of {len(up)} nodes have it").wait_for()


def test_a_node_with_a_finding_about_it_is_not_simply_up(browser: Browser, serve: Serve) -> None:
    finding = Finding("no_peers", Severity.WARNING, "sealer-2", "sealer-2 is connected to no other node.", NOW)
    with visiting(browser, serve([replace(clique(), findings=[finding], severity=Severity.WARNING)]).url) as visit:
        row = visit.page.get_by_role("row").filter(has_text="sealer-2")
        assert row.locator(".state").inner_text() == "no peers"
        assert names(section(visit, "lab"))[0] == "sealer-2"
        assert visit.page.get_by_role("row").filter(has_text="sealer-1").locator(".state").inner_text() == "up"


def test_no_name_turns_the_text_around_it(browser: Browser, serve: Serve) -> None:
    chain = forked()
    turning = "\u202egnp\x07"
    branches = [replace(chain.branches[0], nodes=[turning]), chain.branches[1]]
    findings = [replace(chain.findings[0], text=f"{turning} is lost.")]
    with visiting(browser, serve([replace(chain, branches=branches, findings=findings)]).url) as visit:
        text = visit.page.locator("main").inner_text()
        assert "\ufffdgnp\ufffd is lost." in text
        assert "\u202e" not in text


def test_names_without_end_leave_the_page_in_shape(browser: Browser, serve: Serve) -> None:
    endless = "n" * 10_000
    chain = forked()
    nodes = [replace(node, node=endless, role=endless, version=endless, address=endless) for node in chain.nodes[:1]]
    findings = [replace(chain.findings[0], subject=endless, text=f"{endless} is lost.")]
    branches = [replace(chain.branches[0], nodes=[endless]), chain.branches[1]]
    chain = replace(chain, chain=endless, nodes=nodes, findings=findings, branches=branches, sentence=endless)
    with visiting(browser, serve([chain, clique()]).url, phone=True) as visit:
        visit.page.wait_for_timeout(1_000)
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 360
        assert visit.page.evaluate("document.documentElement.scrollHeight") < 9_000


def test_forks_are_drawn(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve([forked(), clique()]).url) as visit:
        picture = section(visit, "split").get_by_role("img", name="2 branches")
        assert picture.count() == 1
        assert "Parted at block 1,224: 2 nodes (sealer-2, client-5)" in (picture.get_attribute("aria-label") or "")
        assert picture.locator("path").count() >= 2  # a line for each branch
        assert section(visit, "lab").locator("figure.forks:visible").count() == 0


def test_the_peer_graph_is_drawn(browser: Browser, serve: Serve) -> None:
    chain = forked()
    assert chain.peers
    with visiting(browser, serve([chain, many()]).url) as visit:
        picture = section(visit, "split").get_by_role("img", name="2 parts")
        assert picture.locator("line").count() == len(chain.peers.edges)
        assert picture.locator("circle").count() == 6  # one is down: it has another shape, or is not in any part
        crowd = section(visit, "crowd")
        crowd.get_by_text("Peers: ").click()
        clusters = crowd.get_by_role("img", name="500 nodes")
        assert clusters.locator("circle").count() < 60
        assert "500" in (clusters.text_content() or "")


def test_squares_have_shapes_and_say_what_they_are(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve([producers()]).url) as visit:
        part = section(visit, "main")
        made = part.get_by_role("img", name="12 turns: 12 made", exact=False).first
        partly = part.get_by_role("img", name="11 made, 1 partly")
        missed = part.get_by_role("img", name="9 made, 3 missed")
        shapes = [
            tuple(squares.locator(shape).count() for shape in ("rect", "path", "circle"))
            for squares in (made, partly, missed)
        ]
        assert len(set(shapes)) == 3, shapes
        assert part.locator("[aria-current=true]").filter(has_text="producera5").count() == 1


def test_the_legend_names_every_shape(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve([clique()]).url) as visit:
        visit.page.get_by_text("Legend").click()
        legend = visit.page.locator("#legend").inner_text()
        for word in ("critical", "warning", "info", "down", "on a fork", "behind", "partly", "missed", "lags"):
            assert word in legend, word
        assert visit.page.locator("#legend svg").count() >= 15


def test_what_nobody_knows_is_a_dash_and_no_0(browser: Browser, serve: Serve) -> None:
    with visiting(browser, serve([unknown()]).url) as visit:
        row = visit.page.get_by_role("row").filter(has_text="node-1")
        cells = row.get_by_role("cell").all_inner_texts()[:-2]  # all but its address
        assert not any(character.isdigit() for cell in cells for character in cell)
        assert cells.count("–") >= 8  # noqa: RUF001 - that is the dash


@pytest.mark.parametrize("chains", [everything(), [many()]], ids=["everything", "500 nodes"])
def test_a_phone_scrolls_tables_and_not_the_page(browser: Browser, serve: Serve, chains: list[Assessment]) -> None:
    with visiting(browser, serve(chains).url, phone=True) as visit:
        width = visit.page.evaluate("document.documentElement.scrollWidth")
        assert width == 360
        assert visit.page.evaluate("visualViewport.scale") == 1
        if len(chains) > 1:
            visit.shot("everything-phone")


def test_names_are_text_whatever_they_hold(browser: Browser, serve: Serve) -> None:
    evil = replace(forked(), chain=HOSTILE, sentence=HOSTILE, kind=HOSTILE)
    assert evil.making
    makers = [replace(maker, name=f"{HOSTILE}{place}") for place, maker in enumerate(evil.making.makers)]
    nodes = [replace(node, role=HOSTILE, version=HOSTILE, address=HOSTILE) for node in evil.nodes]
    evil = replace(evil, making=replace(evil.making, makers=makers, verdict=HOSTILE), nodes=nodes)
    with visiting(browser, serve([evil, clique()]).url) as visit:
        visit.page.wait_for_timeout(1_500)
        assert visit.page.get_by_role("heading", level=2, name=HOSTILE).count() == 1
        assert HOSTILE in names(visit.page.locator("main"))
        assert "hit" not in visit.page.title()
        assert visit.page.locator("img, main script, iframe").count() == 0
        # A dialog would have been dismissed and told as an error of the page: `visiting` has looked.


def test_the_policy_forbids_what_the_page_does_not_do(browser: Browser, serve: Serve) -> None:
    site = serve([clique()])
    policy = fetch(site.url).headers["Content-Security-Policy"]
    assert policy == HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    with visiting(browser, site.url) as visit:
        assert len(visit.asked) > 5  # nothing was missed: the page, its style, its scripts, the stream
        for attempt in (
            "fetch('http://127.0.0.1:1/').then(() => false, () => true)",
            "new Promise((done) => Object.assign(new Image(), {src: 'http://x/', onerror: () => done(true)}))",
            "(() => { try { document.body.innerHTML = '<b>'; return false; } catch { return true; } })()",
        ):
            before = len(visit.complaints)
            assert visit.page.evaluate(attempt)
            visit.page.wait_for_timeout(100)
            assert len(visit.complaints) > before  # so what the page itself did against its policy would have been told
        visit.complaints.clear()
        visit.elsewhere.clear()


def test_the_public_view_tells_no_name_address_or_version(browser: Browser, serve: Serve) -> None:
    chains = [replace(chain, chain=f"chain{place}") for place, chain in enumerate([*everything(), many(70)])]
    site = serve(chains, public=True)
    told = ""
    with visiting(browser, site.url) as visit:
        visit.page.wait_for_timeout(1_500)
        shown = visit.page.content()
        assert visit.page.get_by_role("button", name="forget").count() == 0
        assert "sealer 1" in visit.page.locator("main").inner_text()
        visit.shot("public-light")
        for url in visit.asked:
            if not url.endswith("/api/events"):
                told += fetch(url).text
    told += shown + streamed(site.port, 1.5) + fetch(f"{site.url}api/state").text
    assert fetch(f"{site.url}api/forget", data=json.dumps({"chain": "chain0", "node": "boot-7"}).encode()).status == 404
    secrets = {HOSTILE, HOSTILE[:20]}
    for chain in chains:
        secrets |= {secret for node in chain.nodes for secret in (node.node, node.address, node.version) if secret}
        secrets |= {maker.name for maker in chain.making.makers} if chain.making else set()
    assert len(secrets) > 50
    assert [secret for secret in secrets if secret in told] == []


def streamed(port: int, seconds: float) -> str:
    """Return what the stream sends within some seconds."""
    deadline = time.monotonic() + seconds
    received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(b"GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n")
        while time.monotonic() < deadline:
            try:
                received += connection.recv(2**16)
            except TimeoutError:
                continue
    assert b"event: state" in received
    return received.decode()


_STATUS = "document.querySelector('[role=status]').textContent"


def broken(_: float) -> list[Assessment]:
    """Fail as health should not."""
    raise ZeroDivisionError


def test_the_page_shows_that_the_collector_is_gone_and_when_it_is_back(browser: Browser, serve: Serve) -> None:
    site = serve([clique()])
    with visiting(browser, site.url) as visit:
        status = visit.page.get_by_role("status")
        visit.until(f"{_STATUS}.includes('Live.')")
        site.stop()
        gone = time.monotonic()
        visit.until(f"{_STATUS}.includes('the collector is gone')", within=10)
        assert time.monotonic() - gone < 10
        assert "gone" in visit.page.title()
        assert section(visit, "lab").is_visible()  # the last that is known
        visit.shot("gone-light")
        first = status.inner_text()
        visit.page.wait_for_timeout(2_100)
        assert status.inner_text() != first  # the time since
        site.chains = broken
        site.start()
        visit.until(f"{_STATUS}.includes('the collector runs, but')", within=10)  # and there is no news all the same
        assert visit.page.evaluate("document.documentElement.classList.contains('gone')")
        site.show(halted())
        section(visit, "stopped").wait_for(timeout=10_000)
        assert "Live." in status.inner_text()
