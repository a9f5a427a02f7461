"""What tests say to a stack that runs on a swarm, and ask of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.engine import Docker, Failed
from tests.real.servers import Answer, Prometheus, fetch, wait_for

API = "http://127.0.0.1:8888"
PROMETHEUS = "http://127.0.0.1:9090"
"""Where the machine's own ports lead, by default."""

_STACK_OF = "com.docker.stack.namespace"
_SERVICE_OF = "com.docker.swarm.service.name"
_TASK_OF = "com.docker.swarm.task.name"

_ASK = """
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
sys.stdout.buffer.write(opener.open(sys.argv[1], timeout=3).read())
"""


@dataclass(frozen=True)
class Task:
    """A container of a service, as `docker inspect` tells of it."""

    service: str
    slot: int
    about: dict[str, Any]

    @property
    def container(self) -> str:
        """Its id."""
        return str(self.about["Id"])

    @property
    def name(self) -> str:
        """Its name without the stack's and the task's: `worker.3`."""
        return f"{self.service}.{self.slot}"

    @property
    def health(self) -> str:
        """What its health check says; empty where it has none."""
        return str(self.about["State"].get("Health", {}).get("Status", ""))

    @property
    def process(self) -> int:
        """The number of its first process. What Docker tells is another, of the engine's own process namespace.

        Raises LookupError if it has ended.
        """
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                of_ours = self.container in (entry / "cgroup").read_text()
                if of_ours and re.search(r"^NSpid:.*\t1$", (entry / "status").read_text(), re.MULTILINE):
                    return int(entry.name)
        raise LookupError(f"{self.name} has no process")

    @property
    def children(self) -> list[int]:
        """The numbers of the processes that its first one has started."""
        process = self.process
        return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]

    def address(self, network: str) -> str:
        """Return its address in a network."""
        return str(self.about["NetworkSettings"]["Networks"][network]["IPAddress"])

    def inside(self, *command: str, within: float = 10) -> str:
        """Run a program of this machine in its network. Raises OSError if that fails, or takes too long."""
        entering = ["nsenter", "--target", str(self.process), "--net", "--"]
        try:
            done = subprocess.run([*entering, *command], capture_output=True, text=True, timeout=within, check=True)
        except subprocess.SubprocessError as error:
            raise OSError(f"{self.name}: {error}") from error
        return done.stdout

    def ask(self, port: int, path: str) -> str:
        """Return what it answers at a port of its own. Raises OSError if it does not."""
        return self.inside(sys.executable, "-I", "-S", "-c", _ASK, f"http://127.0.0.1:{port}{path}")


class Stack:
    """A stack that a deployed folder describes."""

    def __init__(self, docker: Docker, folder: Path) -> None:
        self.docker = docker
        self.folder = folder
        self.name: str = yaml.safe_load((folder / "options.yaml").read_text())["service"]["name"]

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services of the stack file."""
        found: dict[str, dict[str, Any]] = yaml.safe_load((self.folder / "stack.yaml").read_text())["services"]
        return found

    def deploy(self) -> None:
        """Deploy it, the first time and each time again."""
        file = str(self.folder / "stack.yaml")
        how = ["--prune", "--resolve-image", "never"]  # no registry is there to be asked
        self.docker("stack", "deploy", *how, "--compose-file", file, self.name, within=120)

    def remove(self) -> None:
        """End it, and wait until its containers are gone. The volumes stay."""
        self.docker("stack", "rm", self.name)
        wait_for(lambda: not self.tasks(), "all containers are gone", within=120, every=1)

    def scale(self, service: str, count: int) -> None:
        """Have so many replicas of a service; returns at once."""
        self.docker("service", "scale", "--detach", f"{self.name}_{service}={count}")

    def tasks(self, service: str = "") -> list[Task]:
        """Return the containers that run, of one service or of all, in the order of their slots."""
        wanted = f"{_SERVICE_OF}={self.name}_{service}" if service else f"{_STACK_OF}={self.name}"
        ids = self.docker("ps", "--quiet", "--no-trunc", "--filter", f"label={wanted}").split()
        return sorted(map(_task, self.inspect(*ids)), key=lambda task: (task.service, task.slot))

    def inspect(self, *containers: str) -> list[dict[str, Any]]:
        """Return what Docker tells of containers, but for those that have gone meanwhile."""
        told = self.docker("inspect", *containers, check=False) if containers else ""
        found = [line for line in told.splitlines() if not line.startswith("Error: ")]
        return list(json.loads("\n".join(found) or "[]"))

    def task(self, service: str, slot: int = 1) -> Task:
        """Return the container of a slot. Raises LookupError while there is none."""
        for task in self.tasks(service):
            if task.slot == slot:
                return task
        raise LookupError(f"{service}.{slot} has no container")

    def not_running(self) -> list[str]:
        """Return a line for each service that has not the containers it is to have, or one that is not healthy."""
        lines = []
        tasks = self.tasks()
        for name, service in self.services.items():
            wanted = service["deploy"]["replicas"]
            there = [task for task in tasks if task.service == name]
            if len(there) != wanted:
                lines.append(f"{name}: {len(there)} of {wanted}")
            lines += [f"{task.name}: {task.health}" for task in there if task.health not in ("", "healthy")]
        return lines

    def logs(self, task: Task, lines: str = "all") -> str:
        """Return what a container has said."""
        return self.docker("logs", "--timestamps", "--tail", lines, task.container, check=False)

    def secrets(self) -> dict[str, str]:
        """Return what is to stay secret, by the path of the file that holds it."""
        keys = self.folder / "keys"
        files = [*(keys / "secrets").iterdir(), keys / "producer" / "signing-key"]
        return {str(file.relative_to(self.folder)): file.read_text().strip() for file in files}


def _task(about: dict[str, Any]) -> Task:
    service, slot, *_ = about["Config"]["Labels"][_TASK_OF].partition("_")[2].split(".")
    return Task(service, int(slot), about)


def labels_of(query: str, label: str = "node") -> list[str]:
    """Return the values that a label has in what Prometheus answers, each as often as it is there."""
    return sorted(sample.labels.get(label, "") for sample in Prometheus(PROMETHEUS).query(query))


def by_node(page: str, metric: str) -> list[tuple[str, float]]:
    """Return the samples of a metric on a page for Prometheus, each with its node."""
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return [(sample.labels["node"], sample.value) for sample in samples if sample.name == metric]


def request(path: str = "/v1/chain/get_info", data: bytes | None = None) -> Answer:
    """Ask through the load balancer. Raises OSError if no answer comes."""
    return fetch(f"{API}{path}", data, timeout=20)


def head() -> int:
    """Return the number of the head that some worker tells of, through the load balancer. Raises OSError."""
    answer = request()
    if answer.status != 200:
        raise OSError(f"status {answer.status}: {answer.text[:200]}")
    return int(answer.json()["head_block_num"])


def workers(slots: range) -> list[str]:
    """Return the workers' names of these slots."""
    return sorted(f"worker-{slot}" for slot in slots)


@contextmanager
def swarm(docker: Docker) -> Iterator[None]:
    """Have the engine be a swarm of its own for as long as the block lasts."""
    docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1")
    try:
        yield
    finally:
        with suppress(Failed):  # the engine is about to end, and takes the swarm with it
            docker("swarm", "leave", "--force", within=60)
