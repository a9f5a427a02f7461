"""What the tests share: deployed folders, one engine with the images that they name, and words about what failed."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e import images
from tests.e2e.cluster import copy_default, deploy, dump, started
from tests.e2e.engine import Docker, engine
from tests.e2e.requiring import mark_and_require

OPTIONS: dict[str, dict[str, object]] = {
    # The line of geth that answers debug_metrics, and no more around it than is needed to see what becomes of that.
    "old": {
        "service": {"name": "old"},
        "geth": {"version": "1.8.27", "clique_period": 2},
        "sealer": {"count": 2},
        "client": {"count": 1},
        "collector": {"interval": "5s"},
        "prometheus": {"count": 0},
        "alertmanager": {"count": 0},
        "grafana": {"count": 0},
        "node_exporter": {"count": 0},
    },
    # A nodeos network, and around it what watches it and leads to it.
    "eos": {
        "eos": {},
        "service": {"name": "eos"},
        "worker": {"count": 3, "mem": 256},
        "producer": {"mem": 256},
        "snapshots": {"every": "10s", "keep": 3, "mem": 256},
        "collector": {"interval": "2s"},
        "alertmanager": {"count": 0},
        "influxdb": {"count": 0},
        "grafana": {"count": 0},
        "node_exporter": {"count": 0},
    },
}
"""The clusters beside that of the default options, by name: what each one's options say."""


class Running(NamedTuple):
    """The engine, and where what its containers said goes when a test fails."""

    docker: Docker
    logs: Path


RUNNING = pytest.StashKey[Running]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and say what it lacks before anything begins: nothing is skipped."""
    mark_and_require(items, Path(__file__).parent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell how the containers were when a test, or what it was given, failed."""
    report = yield
    if report.failed and (running := item.config.stash.get(RUNNING, None)):
        target = running.logs / item.name
        report.sections.append((f"containers, more of it in {target}", dump(running.docker, target)))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not tried."""
    terminalreporter.section("not tried here")
    for image, reason in images.LEFT_OUT.items():
        terminalreporter.write_line(f"{image}: {reason}; its service is left out")
    for program, reason in images.PLAYED.items():
        terminalreporter.write_line(f"{program}: {reason}")


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a folder with each cluster: the default as the repository holds it, the others as they are deployed."""
    folder = tmp_path_factory.mktemp("deployed")
    copy_default(folder / "default")
    for name, options in OPTIONS.items():
        deploy(folder / name, options)
    return {name: folder / name for name in ("default", *OPTIONS)}


@pytest.fixture(scope="session")
def docker(
    deployed: dict[str, Path], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Docker]:
    """Run an engine that has the images of all clusters."""
    names = [image for folder in deployed.values() for image in started(folder).values()]
    images.fetch(names)  # before there is an engine, as there is no network then
    with engine() as docker:
        images.build(docker, names)
        request.config.stash[RUNNING] = Running(docker, tmp_path_factory.mktemp("containers"))
        yield docker
        del request.config.stash[RUNNING]
