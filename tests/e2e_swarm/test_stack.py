"""The stack on a swarm: every replica is seen, requests are answered whatever happens to workers, and nothing is stale.

The tests go by the order of the file; each leaves the stack with eight workers that keep up.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import chainwatch
from tests.e2e.engine import Failed
from tests.e2e.parts import ROOT
from tests.e2e_swarm.stack import API, PROMETHEUS, Stack, Task, by_node, head, labels_of, request, workers
from tests.real.servers import Prometheus, fetch, wait_for

Tell = Callable[[str], None]

WORKERS = 8
COLLECTORS = 2
INTERVAL = 2.0
"""Seconds between two gathers of a node, and between two scrapes of the collectors."""
SLACK = 3.0
"""Seconds beyond what is promised: all of this may run on two processors at once."""
BLOCKS_PER_SECOND = 2
OUT_WITHIN = 10.0
"""Seconds after which a worker that stands still has no requests."""
RATE = 100
"""Requests a second, of the tests that ask all the time."""


@pytest.fixture(scope="module")
def lab(stack: Stack, tell: Tell) -> Stack:
    """Deploy the stack for all tests."""
    began = time.monotonic()
    stack.deploy()
    wait_for(lambda: not stack.not_running(), "every service has its containers", within=180, every=1)
    running = time.monotonic()
    wait_for(lambda: up() == everybody(), "all nodes are up in Prometheus", within=90, every=0.5)
    tell(
        f"deployed: all containers run after {running - began:.1f} s, all nodes are up in Prometheus after "
        f"{time.monotonic() - began:.1f} s"
    )
    wait_for(_answered, "requests are answered", within=60, every=0.5)
    return stack


def everybody(count: int = WORKERS) -> list[str]:
    """Return the names of all nodes while there are so many workers."""
    return sorted(["producer", "snapshots", *workers(range(1, count + 1))])


def up() -> list[str]:
    """Return the nodes that Prometheus knows as up, each as often as it has a series."""
    return labels_of("chain_node_up == 1")


def known() -> list[str]:
    """Return the nodes that Prometheus has a series of now, up or not, each as often as it has one."""
    return labels_of("chain_node_up")


def on_pages(lab: Stack) -> list[str]:
    """Return the nodes that are on the collectors' pages, each as often as it is there."""
    found: list[str] = []
    for task in lab.tasks("collector"):
        with suppress(OSError, LookupError):  # it is just beginning, or ending
            found += [node for node, _ in by_node(task.ask(9273, "/metrics"), "chain_node_up")]
    return sorted(found)


def _answered() -> bool:
    try:
        return head() > 0
    except OSError:
        return False


def test_every_node_is_in_prometheus_once_by_its_slot(lab: Stack) -> None:
    assert up() == everybody()
    assert labels_of('chain_node_up{role="worker"}') == workers(range(1, WORKERS + 1))
    heads = [sample.value for sample in Prometheus(PROMETHEUS).query("chain_head_block_number")]
    assert len(heads) == WORKERS + 2
    assert max(heads) - min(heads) <= (INTERVAL + SLACK) * BLOCKS_PER_SECOND
    wait_for(
        lambda: min(sample.value for sample in Prometheus(PROMETHEUS).query("chain_head_block_number")) > max(heads),
        "all heads move",
        within=20,
    )
    assert len({task.address("lab_inner") for task in lab.tasks("worker")}) == WORKERS


def test_each_of_two_collectors_has_its_share(lab: Stack) -> None:
    shares = [_answers(lab, task.slot).keys() for task in lab.tasks("collector")]

    assert len(shares) == COLLECTORS
    assert all(shares)
    assert sorted(node for share in shares for node in share) == everybody()


def test_prometheus_reaches_every_target(lab: Stack) -> None:
    def down() -> list[str]:
        targets = [target for target in Prometheus(PROMETHEUS).targets() if target["health"] != "up"]
        return [f"{target['scrapePool']}: {target['lastError']}" for target in targets]

    wait_for(lambda: not down(), "all targets are up", within=60, every=1)
    assert len(labels_of("nodeos_entrypoint_info")) == len(lab.tasks("worker")) + 2


def test_scaling_shows_within_two_intervals_and_leaves_nothing_stale(lab: Stack, tell: Tell) -> None:
    before = {task.slot: task.container for task in lab.tasks("worker")}

    lab.scale("worker", 3)
    wait_for(lambda: len(lab.tasks("worker")) == 3, "three are left", within=60, every=0.2)
    _shows_soon(lab, everybody(3), "scaled to 3", tell)
    assert {task.slot: task.container for task in lab.tasks("worker")} == {slot: before[slot] for slot in (1, 2, 3)}

    lab.scale("worker", WORKERS)
    wait_for(lambda: len(lab.tasks("worker")) == WORKERS, "eight run", within=60, every=0.2)
    _shows_soon(lab, everybody(), "scaled to 8", tell)
    wait_for(lambda: up() == everybody(), "all are up", within=30, every=0.5)


def _shows_soon(lab: Stack, nodes: list[str], what: str, tell: Tell) -> None:
    """See to it that the collectors' pages and Prometheus have just these nodes within two intervals, and from then on.

    Prometheus has them a scrape later than the pages.
    """
    began = time.monotonic()
    wait_for(lambda: on_pages(lab) == nodes, f"{what}: just these on pages", within=2 * INTERVAL + SLACK, every=0.1)
    on_page = time.monotonic() - began
    wait_for(lambda: known() == nodes, f"{what}: just these in Prometheus", within=INTERVAL + SLACK, every=0.1)
    tell(
        f"{what}: on the collectors' pages after {on_page:.1f} s, in Prometheus after {time.monotonic() - began:.1f} s"
    )
    for _ in range(4):
        time.sleep(INTERVAL / 2)
        assert on_pages(lab) == known() == nodes
    anything = set(labels_of('{node!="", job="chainwatch"}'))
    assert anything == set(nodes)


@contextmanager
def asked_all_the_time(tell: Tell, what: str) -> Iterator[None]:
    """Ask through the load balancer for as long as the block lasts: not one request may fail."""
    command = [sys.executable, "-m", "chainwatch", "load", API, "--json", "--timeout", "20", "--processes", "1"]
    command += ["--workers", "50", "--requests", "1000000", "--rate", str(RATE)]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(2)
        yield
        running.send_signal(signal.SIGINT)
        told, complaint = running.communicate(timeout=30)
    finally:
        running.kill()
        running.communicate()
    assert told, complaint
    found = json.loads(told)
    latency = found["latency"]
    tell(
        f"{what}: {found['ok']} of {found['made']} requests answered in {found['seconds']:.0f} s, "
        f"at the median in {latency['p50'] * 1000:.0f} ms, 99 of 100 in {latency['p99'] * 1000:.0f} ms, the slowest in "
        f"{latency['max'] * 1000:.0f} ms"
    )
    assert found["failed_by"] == {}
    assert found["ok"] == found["made"] > RATE * 5


def test_every_request_is_answered_while_workers_are_killed_one_by_one(lab: Stack, tell: Tell) -> None:
    began = time.monotonic()
    with asked_all_the_time(tell, "workers killed one by one"):
        for slot in range(1, WORKERS + 1):
            before = lab.task("worker", slot).container
            lab.docker("kill", before)
            wait_for(lambda: _is_another(lab, slot, before), f"worker.{slot} is back", within=60, every=0.5)  # noqa: B023 - it is called at once
            time.sleep(1)
        tell(f"eight workers killed, each once the one before was back: {time.monotonic() - began:.1f} s")
    wait_for(lambda: up() == everybody(), "all are up again", within=60, every=0.5)


def _is_another(lab: Stack, slot: int, before: str) -> bool:
    return any(task.slot == slot and task.container != before for task in lab.tasks("worker"))


def test_the_load_balancer_knows_workers_though_the_rotation_begins_at_the_same_time(lab: Stack, tell: Tell) -> None:
    for service in ("traefik", "rotation"):
        lab.docker("kill", lab.task(service).container)
    began = time.monotonic()
    statuses: list[int] = []

    def answers_again() -> bool:
        with suppress(OSError):  # refused: it is not there yet
            statuses.append(request().status)
        return statuses[-20:] == [200] * 20

    wait_for(answers_again, "twenty requests in a row are answered", within=60, every=0.1)
    tell(f"load balancer and rotation killed at once: requests are answered after {time.monotonic() - began - 2:.1f} s")
    assert set(statuses) == {200}
    wait_for(lambda: not lab.not_running(), "the rotation is back", within=60, every=1)


def test_a_stalled_worker_leaves_the_rotation_and_comes_back(lab: Stack, tell: Tell) -> None:
    task = lab.task("worker", 5)
    url = f"http://{task.address('lab_inner')}:8888"

    def in_rotation() -> bool:
        return url in lab.task("rotation").ask(9274, "/traefik")

    def own_head() -> int:
        return int(json.loads(task.ask(8888, "/v1/chain/get_info"))["head_block_num"])

    wait_for(in_rotation, "it is in the rotation", within=30, every=0.2)
    with cut_off(lab, 5):
        began = time.monotonic()
        stalled_at = own_head()
        wait_for(lambda: not in_rotation(), "it is out of the rotation", within=OUT_WITHIN, every=0.1)
        tell(f"a worker that stands still is out of the rotation after {time.monotonic() - began:.1f} s")
        time.sleep(max(0.0, began + OUT_WITHIN - time.monotonic()))
        old = [number for number in (head() for _ in range(200)) if number <= stalled_at + 1]
        assert old == [], f"it is asked, though its head is {stalled_at}"
        assert own_head() <= stalled_at + 1, "it answers, and stands still"
        assert "worker-5" in up(), "it does answer"

    healed = time.monotonic()
    wait_for(in_rotation, "it is back", within=90, every=0.2)
    tell(f"it is back {time.monotonic() - healed:.1f} s after its peers are within reach again")


@contextmanager
def cut_off(lab: Stack, slot: int) -> Iterator[None]:
    """Drop what a worker and its peers say to each other for as long as the block lasts."""
    task = lab.task("worker", slot)
    ends = [(chain, side) for chain in ("INPUT", "OUTPUT") for side in ("--dport", "--sport")]

    def rules(how: str) -> None:
        for chain, side in ends:
            task.inside("iptables", "--wait", how, chain, "--protocol", "tcp", side, "9876", "--jump", "DROP")

    rules("--insert")
    try:
        yield
    finally:
        rules("--delete")


def test_a_dirty_database_is_restored_from_the_newest_snapshot(lab: Stack, tell: Tell) -> None:
    _has_snapshots(lab)
    restores = _status(lab, "worker", 2)["restores"]
    began = time.monotonic()
    for process in lab.task("worker", 2).children:
        subprocess.run(["kill", "-KILL", str(process)], check=True)

    def restored() -> bool:
        found = _status(lab, "worker", 2)
        return found.get("restores") == restores + 1 and found["state"] == "running" and not found["reason"]

    wait_for(restored, "it runs again, restored", within=90, every=0.5)
    assert _status(lab, "worker", 2)["started_from"].startswith("snapshot-")
    tell(f"nodeos killed with -9, restored from a snapshot, and answering: {time.monotonic() - began:.1f} s")
    wait_for(lambda: up() == everybody(), "all are up", within=60, every=0.5)


def test_a_new_worker_starts_from_a_snapshot(lab: Stack, tell: Tell) -> None:
    _has_snapshots(lab)
    began = time.monotonic()
    lab.scale("worker", WORKERS + 1)
    try:
        wait_for(lambda: up() == everybody(WORKERS + 1), "a ninth worker is up", within=60, every=0.5)
        tell(f"a ninth worker, with an empty volume, is up in Prometheus after {time.monotonic() - began:.1f} s")
        assert _status(lab, "worker", 9)["started_from"].startswith("snapshot-")
        info = json.loads(lab.task("worker", 9).ask(8888, "/v1/chain/get_info"))
        assert info["earliest_available_block_num"] > 2, "it has not the blocks from before the snapshot"
        said = lab.logs(lab.task("worker", 9))
        assert "starting from the snapshot" in said
        assert "starting from the genesis" not in said
    finally:
        lab.scale("worker", WORKERS)
        wait_for(lambda: len(lab.tasks("worker")) == WORKERS, "eight are left", within=60, every=0.5)
    wait_for(lambda: known() == everybody(), "it is gone from Prometheus", within=30, every=0.5)


def _status(lab: Stack, service: str, slot: int = 1) -> dict[str, Any]:
    """Return what the entrypoint of a node says of itself; nothing while there is none."""
    try:
        return dict(json.loads(lab.task(service, slot).ask(8889, "/status")))
    except (LookupError, OSError):
        return {}


def _has_snapshots(lab: Stack) -> None:
    wait_for(lambda: _status(lab, "snapshots").get("snapshots"), "there is a snapshot", within=60, every=0.5)


def test_nothing_outside_reaches_the_producer(lab: Stack) -> None:
    published = {task.service for task in lab.tasks() if any(task.about["NetworkSettings"]["Ports"].values())}
    assert published == {"traefik", "prometheus"}
    assert {name for name, service in lab.services.items() if service.get("ports")} == published
    listening = subprocess.run(["ss", "-Hltn"], capture_output=True, text=True, check=True).stdout
    assert [port for port in (8889, 9101, 9876) if f":{port} " in listening] == []

    producer, traefik = lab.task("producer"), lab.task("traefik")
    assert set(producer.about["NetworkSettings"]["Networks"]) == {"lab_chain"}
    assert set(traefik.about["NetworkSettings"]["Networks"]) == {"lab_inner", "lab_outside"}
    address = producer.address("lab_chain")
    _fetched_by(lab, traefik, f"{lab.task('worker').address('lab_inner')}:8888")
    for there in (*(f"{address}:{port}" for port in (8888, 8889, 9876)), "producer:8888", "tasks.producer:8888"):
        with pytest.raises(Failed):
            _fetched_by(lab, traefik, there)
    for port in (8888, 8889, 9876):
        with pytest.raises(OSError, match=r"timed out|unreachable|refused"):
            fetch(f"http://{address}:{port}/", timeout=2)


def _fetched_by(lab: Stack, task: Task, address: str) -> str:
    """Return what a container is answered that has busybox. Raises Failed if it is not."""
    return lab.docker("exec", task.container, "wget", "-T", "2", "-O", "-", f"http://{address}/v1/chain/get_info")


@pytest.mark.parametrize(
    "path", ["/v1/net/connections", "/v1/net/connect", "/v1/producer/pause", "/v1/chain/push_block", "/v1/db_size/get"]
)
@pytest.mark.parametrize("data", [None, b"{}"], ids=["GET", "POST"])
def test_the_world_is_offered_no_more_than_the_chain(lab: Stack, path: str, data: bytes | None) -> None:
    assert lab.tasks("traefik")
    assert request(path, data).status == 404


def test_secrets_are_told_nowhere(lab: Stack) -> None:
    secrets = lab.secrets()
    assert {"keys/producer/signing-key", "keys/secrets/influxdb-collector"} <= secrets.keys()
    told = {
        file.name: file.read_text() for file in lab.folder.rglob("*") if file.is_file() and "keys" not in file.parts
    }
    for service in lab.services:
        told[f"docker service inspect {service}"] = lab.docker("service", "inspect", f"{lab.name}_{service}")
    for config in lab.docker("config", "ls", "--quiet").split():
        told[f"config {config}"] = lab.docker("config", "inspect", "--pretty", config)
    for task in lab.tasks():
        told[f"docker inspect {task.name}"] = json.dumps(task.about)
        told[f"docker logs {task.name}"] = lab.logs(task)
    told["ps"] = subprocess.run(["ps", "-e", "-o", "args"], capture_output=True, text=True, check=True).stdout

    assert len(told) > 50
    assert [f"{file} in {place}" for place, text in told.items() for file, it in secrets.items() if it in text] == []


def test_nodes_are_stopped_and_updated_with_care(lab: Stack) -> None:
    for service in ("worker", "producer", "snapshots"):
        (about,) = json.loads(lab.docker("service", "inspect", f"{lab.name}_{service}"))
        spec = about["Spec"]
        assert spec["TaskTemplate"]["ContainerSpec"]["StopGracePeriod"] == 300 * 10**9
        assert spec["UpdateConfig"]["Order"] == "stop-first"
        assert spec["UpdateConfig"]["Parallelism"] == 1
        assert spec["EndpointSpec"]["Mode"] == "dnsrr"


def test_collectors_share_the_nodes_while_they_are_scaled(lab: Stack, tell: Tell) -> None:
    for count in (1, COLLECTORS):
        lab.scale("collector", count)
        wait_for(lambda: _collectors_run(lab, count), f"{count} collectors", within=60, every=0.2)  # noqa: B023 - as above
        began = time.monotonic()
        wait_for(lambda: _shared_by(lab, count), f"{count} share the nodes", within=30, every=0.2)  # noqa: B023 - as above
        tell(f"collectors scaled to {count}: each node is one's {time.monotonic() - began:.1f} s after they run")
        time.sleep(INTERVAL)
        before = {slot: _answers(lab, slot) for slot in range(1, count + 1)}
        time.sleep(3 * INTERVAL)
        asked = [node for slot in before for node, when in _answers(lab, slot).items() if when > before[slot][node]]
        assert sorted(asked) == everybody(), "each is asked, by one of them"
    assert known() == everybody()


def _collectors_run(lab: Stack, count: int) -> bool:
    tasks = lab.tasks("collector")
    return len(tasks) == count and all(task.health == "healthy" for task in tasks)


def _shared_by(lab: Stack, count: int) -> bool:
    """Tell whether each node is on one page, and in Prometheus from one collector, of so many that have some."""
    return on_pages(lab) == known() == everybody() and len(set(labels_of("chain_node_up", "instance"))) == count


def _answers(lab: Stack, slot: int) -> dict[str, float]:
    """Return when each of a collector's nodes has answered it last."""
    page = lab.task("collector", slot).ask(9273, "/metrics")
    return dict(by_node(page, "chain_node_last_answer_timestamp_seconds"))


def test_an_update_goes_from_worker_to_worker_and_requests_are_answered(lab: Stack, tell: Tell) -> None:
    file = lab.folder.parent / "options.yaml"
    options = yaml.safe_load(file.read_text())
    options["worker"]["config"] = {"max-transaction-time": 100}
    file.write_text(yaml.safe_dump(options))
    workers_before = {task.container for task in lab.tasks("worker")}
    others_before = {task.container for task in lab.tasks() if task.service != "worker"}
    chainwatch("deploy", str(file), "--output", str(lab.folder))

    fewest = WORKERS

    def all_new() -> bool:
        nonlocal fewest
        now = {task.container for task in lab.tasks("worker")}
        fewest = min(fewest, len(now))
        return len(now) == WORKERS and not now & workers_before

    with asked_all_the_time(tell, "workers updated one by one"):
        began = time.monotonic()
        lab.deploy()
        wait_for(all_new, "all workers are new", within=240, every=0.5)
        tell(f"eight workers updated, one after the other: {time.monotonic() - began:.1f} s")

    assert fewest >= WORKERS - 1
    assert {task.container for task in lab.tasks() if task.service != "worker"} == others_before
    ended = {about["Id"]: about["State"]["ExitCode"] for about in lab.inspect(*workers_before)}
    assert ended == dict.fromkeys(workers_before, 0), "each closed its database"
    assert all("max-transaction-time = 100" in _config(lab, slot) for slot in range(1, WORKERS + 1))
    wait_for(lambda: up() == everybody(), "all are up", within=60, every=0.5)


def _config(lab: Stack, slot: int) -> str:
    return lab.docker("exec", lab.task("worker", slot).container, "cat", "/etc/nodeos/config.ini")
