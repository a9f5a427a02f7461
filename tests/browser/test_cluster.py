"""The page over the real thing: a simulated cluster, watched by `chainwatch run`, a chain for each kind of fault."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from compose.simulated import GethOptions, NodeosOptions, SimulatedCluster
from tests.browser.chromium import Visit, visiting
from tests.browser.test_page import names, section
from tests.command.processes import Running, Settings, collector, free_address, page_at, settings
from tests.command.surroundings import Background
from tests.real.servers import answers, wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HEALTH = 8.0
"""Seconds in which the collector gets to know the chains, all in health."""

WITHIN = 45.0
"""Seconds after which every fault shows: producers that miss rounds have to have had them."""


class Case(NamedTuple):
    """A chain of its own: the nodes that get a fault, and the signals that then stand on the page."""

    kind: str
    fault: str
    nodes: tuple[str, ...]
    signals: tuple[str, ...]
    parameters: dict[str, float | str] = {}  # noqa: RUF012 - never changed
    makers: int = 3


ETHEREUM, NODEOS = "ethereum", "nodeos"

CASES = {
    "well-geth": Case(ETHEREUM, "", (), ()),
    "well-nodeos": Case(NODEOS, "", (), ()),
    "sealer-down": Case(ETHEREUM, "down", ("maker-1",), ("node_down", "quorum")),
    "halted": Case(ETHEREUM, "down", ("maker-1", "maker-2"), ("node_down", "halted")),
    "fork": Case(ETHEREUM, "fork", ("other-1",), ("fork", "forked"), {"depth": 7}),
    "split": Case(ETHEREUM, "split", ("maker-1", "other-1"), ("network_split",), {"side": "b"}),
    "no-peers": Case(ETHEREUM, "no_peers", ("other-2",), ("no_peers",)),
    "clock": Case(ETHEREUM, "clock", ("other-1",), ("clock",), {"seconds": 30.0}),
    "behind": Case(NODEOS, "lag", ("other-1",), ("behind",), {"blocks": 200}),
    "paused": Case(NODEOS, "paused", ("maker-2",), ("paused", "rounds_missed"), makers=2),
    "skipped": Case(NODEOS, "skip", ("maker-1",), ("rounds_missed",), {"blocks": 12, "rounds": 2}, makers=2),
    "finality": Case(NODEOS, "mute", ("maker-1",), ("finality",), makers=1),
    "silent": Case(NODEOS, "down", ("maker-1", "other-1", "other-2"), ("silent",), makers=1),
}


def options(chain: str, case: Case) -> Iterator[GethOptions | NodeosOptions]:
    """Return the nodes of a chain: those that make blocks, and two others."""
    for place in range(1, case.makers + 1):
        name = f"{chain}-maker-{place}"
        if case.kind == ETHEREUM:
            yield GethOptions(name=name, chain=chain, role="sealer")
        else:
            yield NodeosOptions(name=name, chain=chain, role="producer")
    for name in (f"{chain}-other-1", f"{chain}-other-2"):
        yield GethOptions(name=name, chain=chain) if case.kind == ETHEREUM else NodeosOptions(name=name, chain=chain)


@contextmanager
def cluster(serving: Background, more: Iterable[GethOptions | NodeosOptions]) -> Iterator[SimulatedCluster]:
    """Run a cluster of these nodes."""
    made = SimulatedCluster(
        sealers=0, clients=0, newer=0, producers=0, workers=0, more=more, ethereum_period=1.0, nodeos_period=0.5
    )
    serving.run(made.__aenter__())
    try:
        yield made
    finally:
        serving.run(made.__aexit__(None, None, None))


def configured(made: SimulatedCluster, address: str, public: str) -> Settings:
    """Return the configuration that watches the cluster, with a page at one address and a public one at the other."""
    outputs = page_at(address) | {"page": {"listen": public, "public": True}}
    configuration = settings(made.nodes.values(), outputs, interval=1.0, timeout=1.0)
    for chain in configuration["chains"]:
        chain["health"] = {"halted_least": "4s"}
    return configuration


def signals(visit: Visit, chain: str) -> set[str]:
    """Return the signals that stand on the page for a chain."""
    return set(section(visit, chain).locator(".findings a").all_inner_texts())


def test_every_kind_of_fault_is_shown(browser: Browser, serving: Background, tmp_path: Path) -> None:
    more = [option for chain, case in CASES.items() for option in options(chain, case)]
    address, public = free_address(), free_address()
    with cluster(serving, more) as made, collector(tmp_path, configured(made, address, public)) as process:
        watched(process, address)
        with visiting(browser, f"http://{address}/") as visit:
            time.sleep(HEALTH)
            for chain, case in CASES.items():
                assert signals(visit, chain) == set(), chain
                assert len(names(section(visit, chain))) == case.makers + 2
            for chain, case in CASES.items():
                for node in case.nodes:
                    serving.run(made.nodes[f"{chain}-{node}"].fault(case.fault, **case.parameters))
            until_shown(visit)
            for chain, case in CASES.items():
                well = "fine" in section(visit, chain).locator("h2").inner_text()
                assert well == (not case.fault), chain
            pictures(visit, "light")
            visit.page.emulate_media(color_scheme="dark")
            pictures(visit, "dark")
            with visiting(browser, f"http://{public}/") as shown:
                shown.page.wait_for_timeout(1_500)
                assert not any(name in shown.page.content() for name in made.nodes)
                assert "127.0.0.1" not in shown.page.locator("main").inner_text()
            the_collector_goes(process, visit)


def watched(process: Running, address: str) -> None:
    """Wait until the page is there."""
    wait_for(lambda: answers(f"http://{address}/api/state"), f"the page; {process.stderr}", 15)


def until_shown(visit: Visit) -> None:
    """Wait until every chain shows the signals of its fault."""
    deadline = time.monotonic() + WITHIN
    missing = {chain: set(case.signals) for chain, case in CASES.items() if case.signals}
    while missing:
        assert time.monotonic() < deadline, {chain: (left, signals(visit, chain)) for chain, left in missing.items()}
        time.sleep(0.5)
        seen = {chain: left - signals(visit, chain) for chain, left in missing.items()}
        missing = {chain: left for chain, left in seen.items() if left}


def pictures(visit: Visit, theme: str) -> None:
    """Keep a picture of each chain."""
    for chain in CASES:
        visit.shot(f"fault-{chain}-{theme}", section(visit, chain))


def the_collector_goes(process: Running, visit: Visit) -> None:
    """End it: the page shows it within ten seconds, and what it knew."""
    began = time.monotonic()
    process.stop()
    visit.until("document.documentElement.classList.contains('gone')", within=10)
    assert time.monotonic() - began < 10 + 3  # it may take a while to end
    assert "gone" in visit.page.get_by_role("status").inner_text()
