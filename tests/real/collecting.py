"""The collector as its users run it: a process of its own, a configuration file, a page for Prometheus."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.real.servers import Process, answers, fetch, free_port, process, wait_for


class Page:
    """What the collector said at one scrape."""

    def __init__(self, text: str) -> None:
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        """Return the value of the one series that has this name and, among others, these labels."""
        found = self.values(name, **labels)
        assert len(found) == 1, (name, labels, found)
        return found[0]

    def values(self, name: str, **labels: str) -> list[float]:
        """Return the values of all series that have this name and, among others, these labels."""
        wanted = labels.items()
        return [value for (key, has), value in self._values.items() if key == name and wanted <= has]

    def first_answer(self) -> float:
        """Return when the node answered whose last answer is the oldest, in seconds since the epoch."""
        return min(self.values("chain_node_last_answer_timestamp_seconds"))

    def last_answer(self) -> float:
        """Return when the node answered whose last answer is the newest."""
        return max(self.values("chain_node_last_answer_timestamp_seconds"))


@dataclass(frozen=True)
class Collector:
    """A running collector."""

    address: str
    process: Process

    @property
    def url(self) -> str:
        """Where Prometheus scrapes it."""
        return f"http://{self.address}/metrics"

    def page(self) -> Page:
        """Scrape it."""
        answer = fetch(self.url)
        assert answer.status == 200, answer.text
        return Page(answer.text)

    def page_gathered_after(self, moment: float) -> Page:
        """Return a page whose figures were all asked for after a moment, in seconds since the epoch.

        The time of an answer is that of its end: the gather after the first that answered later began later as well.
        """
        return self._page_answered_after(self._page_answered_after(moment).last_answer())

    def _page_answered_after(self, moment: float) -> Page:
        def later() -> Page | None:
            page = self.page()
            return page if page.first_answer() > moment else None

        page = wait_for(later, "every node answers again", within=15, every=0.05)
        assert page is not None
        return page


@contextmanager
def collector(
    tmp_path: Path, chain: dict[str, Any], interval: float = 1.0, timeout: float = 0.9
) -> Iterator[Collector]:
    """Run a collector that watches one chain, given as in the configuration, for as long as the block lasts.

    Fails if it does not end as it should when told to, or met with a defect of its own.
    """
    address = f"127.0.0.1:{free_port()}"
    settings = {
        "agent": {"interval": interval, "timeout": timeout, "state_dir": "state"},
        "chains": [chain],
        "outputs": {"prometheus": {"listen": address}},
    }
    file = tmp_path / "collector.yaml"
    file.write_text(yaml.safe_dump(settings))
    argv: Sequence[str | Path] = [sys.executable, "-m", "chainwatch", "run", "--config", file]
    url = f"http://{address}/metrics"
    with process(argv, ready=lambda: answers(url), log=tmp_path / "collector.log") as running:
        yield Collector(address, running)
        assert running.stop() == 0
    said = (tmp_path / "collector.log").read_text()
    assert not re.search("Traceback|a defect", said), said
