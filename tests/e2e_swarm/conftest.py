"""What the tests share: one engine that is a swarm, with the stack's images; figures, and words about what failed."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e import images
from tests.e2e.cluster import chainwatch
from tests.e2e.engine import engine
from tests.e2e.requiring import mark_and_require
from tests.e2e_swarm.stack import Stack, swarm

OPTIONS: dict[str, dict[str, object]] = {
    "eos": {},
    "publish": {"address": "0.0.0.0"},  # as is every port of a stack
    "service": {"name": "lab"},
    "worker": {"count": 8, "mem": 256},
    "producer": {"mem": 256},
    "snapshots": {"every": "10s", "keep": 3, "mem": 256},
    "collector": {"count": 2, "interval": "2s"},
    "alertmanager": {"count": 0},
    "influxdb": {"count": 0},
    "grafana": {"count": 0},
    "node_exporter": {"count": 0},
}
"""The stack: a network of the usual size, whose figures and snapshots come often enough for tests."""

RUNNING = pytest.StashKey[tuple[Stack, Path]]()
FIGURES = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and say what it lacks before anything begins: nothing is skipped."""
    mark_and_require(items, Path(__file__).parent, {"nsenter": "util-linux"})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell how the tasks were when a test, or what it was given, failed."""
    report = yield
    if report.failed and (running := item.config.stash.get(RUNNING, None)):
        stack, logs = running
        report.sections.append((f"tasks, more of it in {logs / item.name}", _dump(stack, logs / item.name)))
    return report


def _dump(stack: Stack, target: Path) -> str:
    target.mkdir(parents=True, exist_ok=True)
    short = [stack.docker("stack", "ps", "--no-trunc", stack.name, check=False)]
    for task in stack.tasks():
        logs = stack.logs(task, "2000")
        (target / f"{task.name}.log").write_text(logs)
        (target / f"{task.name}.json").write_text(json.dumps(task.about, indent=1))
        short += [f"-- {task.name} {task.health}", *(f"   {line[:300]}" for line in logs.splitlines()[-4:])]
    return "\n".join(short)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show the figures, which are worth a look where all went well, too, and say what was not tried."""
    if figures := config.stash.get(FIGURES, None):
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.write_line(line)
    terminalreporter.section("not tried here")
    for program, reason in images.PLAYED.items():
        terminalreporter.write_line(f"{program}: {reason}")


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what takes a figure."""
    return request.config.stash.setdefault(FIGURES, []).append


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the command makes of the options."""
    place = tmp_path_factory.mktemp("deployed")
    (place / "options.yaml").write_text(yaml.safe_dump(OPTIONS))
    chainwatch("deploy", str(place / "options.yaml"), "--output", str(place / "lab"), "--target", "swarm")
    return place / "lab"


@pytest.fixture(scope="session")
def stack(folder: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Return the stack, not deployed yet, on a swarm that has its images."""
    services = yaml.safe_load((folder / "stack.yaml").read_text())["services"].values()
    names = sorted({service["image"] for service in services})
    images.fetch(names)  # before there is an engine, as there is no network then
    with engine() as docker, swarm(docker):
        images.build(docker, names)
        found = Stack(docker, folder)
        request.config.stash[RUNNING] = found, tmp_path_factory.mktemp("containers")
        yield found
        del request.config.stash[RUNNING]
        found.remove()
