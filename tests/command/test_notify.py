"""The notifier as a process: a fault is told and its end as well, though the process is killed between the two."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP, SIGKILL

import pytest

from chainwatch.notifying import notify_settings
from collector.configuration import read_configuration
from tests.answering import Answer, Answering
from tests.command.processes import Settings, chainwatch, running, settings, written
from tests.command.surroundings import Background, Cluster
from tests.real.servers import free_port, wait_for

IMPATIENT = (sys.executable, "-m", "tests.command.impatient")


NODE = "worker-1"
"""The node that falls ill: others may be late on a busy machine, and their alerts are not looked at."""


class Receiver:
    """A webhook."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._answering = background.run(self._open())

    @property
    def url(self) -> str:
        """Where it is."""
        return self._answering.url + "/hook"

    def told(self, alert: str) -> list[tuple[str, str]]:
        """Return what it was told of an alert: subject and status, in order."""
        documents = [json.loads(body) for body in list(self._answering.bodies)]
        return [
            (each["labels"].get("subject", ""), each["status"])
            for document in documents
            for each in document["alerts"]
            if each["labels"]["alertname"] == alert and each["labels"].get("subject") in (NODE, "hook")
        ]

    @staticmethod
    async def _open() -> Answering:
        return await Answering({}, otherwise=Answer()).__aenter__()

    def close(self) -> None:
        """Be gone."""
        self._background.run(self._answering.__aexit__(None, None, None))


@pytest.fixture
def receiver(surroundings: Background) -> Iterator[Receiver]:
    """Run a webhook."""
    made = Receiver(surroundings)
    yield made
    made.close()


@contextmanager
def impatient(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the collector, whose alerts end soon."""
    with (tmp_path / "log").open("ab") as log:
        arguments = [*IMPATIENT, "run", "--config", str(tmp_path / "chainwatch.yaml")]
        process = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
    assert "a defect" not in (tmp_path / "log").read_text()


def notifying(cluster: Cluster, url: str, **more: object) -> Settings:
    """Return a configuration that tells a webhook of everything."""
    configuration = settings(cluster.nodes, {"notify": more}, interval=0.5, timeout=1.0)
    channel = {"name": "hook", "severity": "info", "webhook": {"url": url}}
    return configuration | {"alerts": {"channels": [channel], "rules": {"NodeDown": {"for": "0s"}}}}


def noted(tmp_path: Path) -> bool:
    """Tell whether the process has noted that the node's alert was told."""
    state = json.loads((tmp_path / "state" / "notify.json").read_text())
    known = state["channels"]["hook"]["records"]
    return any(each["identity"] == ["NodeDown", "nodeos-demo", NODE] and each["record"]["told"] for each in known)


def test_who_is_told_that_it_fires_is_told_of_its_end_by_another_process(
    tmp_path: Path, cluster: Cluster, receiver: Receiver
) -> None:
    written(tmp_path, notifying(cluster, receiver.url))
    with impatient(tmp_path) as process:
        wait_for(lambda: "delivers to notify" in (tmp_path / "log").read_text(), "a start")
        time.sleep(1)  # a gather or two of a cluster that is well
        cluster.fault(NODE, "hang")
        wait_for(lambda: receiver.told("NodeDown"), "the alert", 15)
        wait_for(lambda: noted(tmp_path), "a note that it was told")  # before that, it would be told again
        process.send_signal(SIGKILL)
        process.wait()
    assert receiver.told("NodeDown") == [(NODE, "firing")]
    assert (tmp_path / "state" / "notify.json").stat().st_mode & 0o777 == 0o600
    with impatient(tmp_path):  # while it still hangs
        time.sleep(7)
        assert receiver.told("NodeDown") == [(NODE, "firing")]
    cluster.heal(NODE)
    with impatient(tmp_path):
        wait_for(lambda: len(receiver.told("NodeDown")) > 1, "the end of the alert", 25)
        assert receiver.told("NodeDown") == [(NODE, "firing"), (NODE, "resolved")]
    state = json.loads((tmp_path / "state" / "notify.json").read_text())
    assert "NodeDown" not in {known["identity"][0] for known in state["firing"]}


@pytest.mark.parametrize(
    ("outputs", "section", "expected"),
    [
        ({}, {}, ""),
        ({"page": {"listen": "127.0.0.1:9281"}}, {}, "http://localhost:9281"),
        ({"prometheus": None}, {}, "http://localhost:9273"),
        ({}, {"address": "https://monitor.example"}, "https://monitor.example"),
    ],
)
def test_links_lead_to_pages_that_are_served(
    tmp_path: Path, outputs: Settings, section: Settings, expected: str
) -> None:
    """Where none is, there is no link, rather than one that leads nowhere at three in the morning."""
    chain = {"name": "lab", "kind": "ethereum", "servers": ["http://127.0.0.1:1"]}
    section = {"channels": [{"webhook": {"url": "http://127.0.0.1:1"}}], **section}
    path = written(tmp_path, {"chains": [chain], "alerts": section, "outputs": outputs | {"notify": {}}})
    made = notify_settings(read_configuration(path))
    assert made is not None
    assert made.runbooks == expected


def tried(tmp_path: Path, receiver: Receiver, *arguments: str) -> tuple[int, list[str], str]:
    """Run `notify test`: one channel gets through, another doesn't. Returns the code, what was said, the errors."""
    channels = [
        {"name": "hook", "webhook": {"url": receiver.url}},
        {"name": "nobody", "slack": {"url": f"http://127.0.0.1:{free_port()}/hunter2-and-more"}},
    ]
    chain = {"name": "lab", "kind": "ethereum", "servers": ["http://127.0.0.1:1"]}
    path = written(tmp_path, {"chains": [chain], "alerts": {"channels": channels}})
    ended = chainwatch("notify", "test", "--config", path, *arguments)
    assert "hunter2" not in ended.stdout + ended.stderr
    return ended.code, ended.stdout.splitlines(), ended.stderr


def test_each_channel_is_tried(tmp_path: Path, receiver: Receiver) -> None:
    code, said, _ = tried(tmp_path, receiver)
    assert code == 1
    assert said[0] == "hook: sent"
    assert said[1].startswith("nobody: no connection: ")
    assert receiver.told("NotificationTest") == [("hook", "firing"), ("hook", "resolved")]


def test_one_channel_is_tried_alone(tmp_path: Path, receiver: Receiver) -> None:
    assert tried(tmp_path, receiver, "--channel", "hook")[:2] == (0, ["hook: sent"])
    code, said, errors = tried(tmp_path, receiver, "--channel", "hooks")
    assert (code, said) == (2, [])
    assert errors == "chainwatch: no channel is called hooks; there are: hook, nobody\n"


def test_without_channels_nobody_is_told(tmp_path: Path) -> None:
    chain = {"name": "lab", "kind": "ethereum", "servers": ["http://127.0.0.1:1"]}
    ended = chainwatch("notify", "test", "--config", written(tmp_path, {"chains": [chain]}))
    assert (ended.code, ended.stdout) == (1, "alerts.channels names none: nobody would be told of anything\n")


def test_a_reload_takes_channels_over_and_forgets_nothing(
    tmp_path: Path, cluster: Cluster, receiver: Receiver, surroundings: Background
) -> None:
    """A new channel is told what fires; the one that was told before is not told again."""
    configuration = notifying(cluster, receiver.url)
    another = Receiver(surroundings)
    cluster.fault(NODE, "hang")
    try:
        with running(tmp_path, "run", "--config", written(tmp_path, configuration)) as process:
            wait_for(lambda: receiver.told("NodeDown"), "the alert", 15)
            configuration["alerts"]["channels"].append({"name": "another", "webhook": {"url": another.url}})
            written(tmp_path, configuration)
            process.signal(SIGHUP)
            wait_for(lambda: another.told("NodeDown"), "the alert, elsewhere", 15)
            assert process.stop() == 0
        assert receiver.told("NodeDown") == another.told("NodeDown") == [(NODE, "firing")]
    finally:
        another.close()
