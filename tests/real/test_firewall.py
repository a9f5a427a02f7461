"""The firewall script, on a machine of its own: what the world, the containers and the machine itself reach then."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import pytest

import compose.rendering
from collector.configuration import Address
from collector.readings import Value
from collector.shielded import Shielded, Trial
from tests.helpers import run
from tests.real.namespaces import Namespace, address, cable, namespaces, route
from tests.real.servers import require

pytestmark = pytest.mark.real

SCRIPT = Path(compose.rendering.__file__).with_name("firewall.sh")
BACKENDS = ("nft", "iptables", "iptables-legacy")

HOST = ("10.77.0.1", "fd77::1")
STRANGER = ("10.77.0.2", "fd77::2")
FRIEND = ("10.77.0.3", "fd77::3")
CONTAINER = ("10.78.0.2", "fd78::2")
OTHER_CONTAINER = ("10.78.0.3", "fd78::3")
REPLACED, TRIED = 6, 50
"""How often rules are replaced, and connections tried meanwhile, at least."""

CLOSED = (8888, 9876)
"""A process of the host serves the first; Docker publishes the second, which is another in the container."""
OPEN = (8890, 9000)
"""The same for two that are nobody's business; the second is 8888 in its container."""
DOCKER = """\
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A DOCKER ! -i bridge -p tcp --dport 9876 -j DNAT --to-destination {1}:1234
-A DOCKER ! -i bridge -p tcp --dport 9000 -j DNAT --to-destination {1}:8888
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o bridge -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o bridge -j DOCKER
-A FORWARD -i bridge -j ACCEPT
-A DOCKER -d {0} ! -i bridge -o bridge -p tcp --dport 1234 -j ACCEPT
-A DOCKER -d {0} ! -i bridge -o bridge -p tcp --dport 8888 -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
"""
"""Rules as Docker writes them for its containers, and writes anew when it starts."""


def named(backend: str) -> str:
    """Return what the script calls a backend."""
    return backend.removesuffix("-legacy")


@dataclass
class Machines:
    """The world with a stranger's and a friend's addresses, the host, and two containers on a bridge of the host."""

    outside: Namespace
    host: Namespace
    container: Namespace
    other_container: Namespace
    programs: Path
    """Where the script finds iptables before it looks elsewhere."""
    listeners: dict[int, socket.socket]
    """Those on the host, and those in the container, by the port that the world knows."""

    def firewall(self, *arguments: str, status: int = 0) -> str:
        """Run the script on the host, with nothing in its environment; return what it printed."""
        path = f"PATH={self.programs}:/usr/bin:/bin"
        done = self.host.run("env", "-i", path, "sh", str(SCRIPT), *arguments, check=False)
        assert done.returncode == status, (arguments, done.stderr)
        return done.stdout

    def rules(self) -> str:
        """Return every rule of the host, without counts and dates."""
        told = ""
        for program in ("iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save"):
            told += f"{program}\n{self.host.run(program).stdout}"
        told += self.host.run("nft", "--stateless", "list", "ruleset").stdout
        return re.sub(r"^#.*\n|\[\d+:\d+\]| packets \d+ bytes \d+", "", told, flags=re.MULTILINE)

    def docker_starts(self) -> None:
        """Write Docker's rules anew, as it does when it starts."""
        for program, to in (("iptables", CONTAINER[0]), ("ip6tables", CONTAINER[1])):
            rules = DOCKER.format(to, f"[{to}]" if ":" in to else to)
            self.host.run(str(self.programs / f"{program}-restore"), said=rules)

    def reached_from(self, source: tuple[str, str]) -> dict[int, set[str]]:
        """Return by which of the host's addresses each port is reached from an address outside."""
        return {
            port: {to for by, to in zip(source, HOST, strict=True) if self.outside.reaches(to, port, by)}
            for port in (*CLOSED, *OPEN)
        }


ALL = {port: set(HOST) for port in (*CLOSED, *OPEN)}
OTHERS = {port: set[str]() for port in CLOSED} | {port: set(HOST) for port in OPEN}


@contextmanager
def _machines(programs: Path, variant: str) -> Iterator[Machines]:
    for program in ("iptables", "ip6tables"):
        for end in ("", "-restore"):
            (programs / f"{program}{end}").symlink_to(require(f"{program}-{variant}{end}"))
    require("nft")
    with namespaces("outside", "host", "one", "two") as (outside, host, one, two), ExitStack() as open_:
        cable(outside, "eth0", host, "eth0")
        address(outside, "eth0", *(f"{each}/{64 if ':' in each else 24}" for each in (*STRANGER, *FRIEND)))
        address(host, "eth0", *(f"{each}/{64 if ':' in each else 24}" for each in HOST))
        host.run("ip", "link", "add", "bridge", "type", "bridge")
        host.run("ip", "link", "set", "bridge", "up")
        address(host, "bridge", "10.78.0.1/24", "fd78::1/64")
        for number, (container, addresses) in enumerate(((one, CONTAINER), (two, OTHER_CONTAINER))):
            cable(host, f"port{number}", container, "eth0")
            host.run("ip", "link", "set", f"port{number}", "master", "bridge")
            address(container, "eth0", *(f"{each}/{64 if ':' in each else 24}" for each in addresses))
            route(container, "10.78.0.1", "fd78::1")
        route(outside, HOST[0], HOST[1])
        host.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        listeners = {}
        for namespace, ports in (
            (outside, {8888: 0}),
            (host, {8888: 8888, 8890: 8890}),
            (one, {1234: 9876, 8888: 9000}),
        ):
            for port, known_as in ports.items():
                listeners[known_as] = open_.enter_context(namespace.listening(port))
        machines = Machines(outside, host, one, two, programs, listeners)
        machines.docker_starts()
        yield machines


@pytest.fixture
def machines(tmp_path: Path, backend: str) -> Iterator[Machines]:
    """Make the machines, with the iptables of a backend; legacy where the kernel has it."""
    legacy = backend == "iptables-legacy"
    if legacy and not os.geteuid():
        done = subprocess.run([require(backend), "-t", "mangle", "-S"], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("this kernel has no iptables-legacy")
    with _machines(tmp_path, "legacy" if legacy else "nft") as made:
        yield made


@contextmanager
def connected(machines: Machines) -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    """Connect from outside to each port that will be closed, by IPv4 and IPv6, and return the two ends of each."""
    with ExitStack() as open_:
        both = []
        for to in HOST:
            for port in CLOSED:
                connection = machines.outside.connected(to, port)
                assert connection
                accepted, _ = machines.listeners[port].accept()
                both.append((open_.enter_context(connection), open_.enter_context(accepted)))
        yield both


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_world_reaches_neither_processes_nor_containers_and_all_else_goes_on(
    machines: Machines, backend: str
) -> None:
    with connected(machines) as connections:
        assert machines.reached_from(STRANGER) == machines.reached_from(FRIEND) == ALL
        machines.firewall("--backend", named(backend), "--allow", FRIEND[0], "--allow", f"{FRIEND[1]}/128")
        assert machines.reached_from(STRANGER) == OTHERS
        assert machines.reached_from(FRIEND) == ALL
        for to in ("127.0.0.1", "::1", *HOST):
            assert machines.host.reaches(to, 8888), "the host reaches itself"
        for to in CONTAINER:
            assert machines.other_container.reaches(to, 8888), "containers reach each other at a port of that number"
        for to in STRANGER:
            assert machines.other_container.reaches(to, 8888), "and one in the world"
            assert machines.host.reaches(to, 8888), "as the host does"
        for to in HOST:
            assert not machines.other_container.reaches(to, 8888), "to the host's, they come from outside"
        for connection, accepted in connections:
            connection.sendall(b"still here")
            accepted.settimeout(2)
            assert accepted.recv(10) == b"still here"


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_collector_outside_sees_it(machines: Machines, backend: str) -> None:
    def seen() -> set[tuple[Value, ...]]:
        found = set[tuple[Value, ...]]()
        for host in HOST:
            for port in CLOSED:
                with machines.outside.entered():
                    at = Shielded("main", "producer", Address(host, port), timeout=0.3)
                    run(Trial(at, lambda readings, _: found.update(tuple(each.values) for each in readings)).attempt())
        return found

    assert seen() == {(1, 1)}
    machines.firewall("--backend", named(backend))
    assert seen() == {(0, 1)}


@pytest.mark.parametrize("backend", BACKENDS)
def test_answers_to_a_port_of_that_number_come_in(machines: Machines, backend: str) -> None:
    """A connection of the host's own may have begun at such a port."""
    machines.firewall("--backend", named(backend), "--ports", "40000")
    for to, own in zip(STRANGER, HOST, strict=True):
        with machines.host.entered(), socket.create_connection((to, 8888), 1, (own, 40_000)) as connection:
            assert connection.getpeername()[0] == to


@pytest.mark.parametrize("backend", BACKENDS)
def test_run_again_it_changes_nothing_and_otherwise_replaces_all(machines: Machines, backend: str) -> None:
    backend = named(backend)
    machines.firewall("--backend", backend, "--ports", "8888", "--allow", FRIEND[0], "--allow", "fd77::2/127")
    once = machines.rules()
    machines.firewall("--backend", backend, "--ports", "8888", "--allow", FRIEND[0], "--allow", "fd77::2/127")
    assert machines.rules() == once
    assert machines.reached_from(STRANGER) == ALL | {8888: {HOST[1]}}
    machines.firewall("--backend", backend, "--ports", "9876,8890", "--allow", STRANGER[0])
    assert machines.reached_from(FRIEND) == ALL | {9876: set(), 8890: set()}
    assert machines.reached_from(STRANGER) == ALL | {9876: {HOST[0]}, 8890: {HOST[0]}}


@pytest.mark.parametrize("backend", ["nft", "iptables"])
def test_the_other_backend_takes_over(machines: Machines, backend: str) -> None:
    """So a machine that gets nft later is not left with rules that nobody changes any more."""
    other = "iptables" if backend == "nft" else "nft"
    machines.firewall("--backend", backend, "--ports", "8890")
    machines.firewall("--backend", other)
    assert machines.reached_from(STRANGER) == OTHERS
    left = machines.rules()
    machines.firewall("--remove")
    machines.firewall("--backend", other)
    assert machines.rules() == left


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("others", [False, True])
def test_removed_it_leaves_nothing_behind_and_all_others_rules(machines: Machines, backend: str, others: bool) -> None:
    if others:
        for rule in (
            "iptables -t mangle -A PREROUTING -p tcp --dport 8888 -j MARK --set-mark 7",
            "ip6tables -t mangle -A OUTPUT -p tcp --dport 8888 -j MARK --set-mark 7",
            "iptables -A INPUT -i eth9 -j DROP",
        ):
            program, *arguments = rule.split()
            machines.host.run(str(machines.programs / program), *arguments)
        machines.host.run("nft", "add table inet chainwatch; add chain inet chainwatch shield")
    elif named(backend) != backend:
        machines.host.run("iptables-legacy", "-t", "mangle", "-S")  # which makes its tables, for good
        machines.host.run("ip6tables-legacy", "-t", "mangle", "-S")
    before = machines.rules()
    machines.firewall("--remove")
    assert machines.rules() == before
    machines.firewall("--backend", named(backend), "--allow", FRIEND[0])
    assert machines.rules() != before
    machines.firewall("--remove")
    assert machines.rules() == before
    assert machines.reached_from(STRANGER) == ALL


@pytest.mark.parametrize("backend", BACKENDS)
def test_docker_starts_again(machines: Machines, backend: str) -> None:
    machines.firewall("--backend", named(backend))
    for program in ("iptables", "ip6tables"):
        for table in ("nat", "filter"):
            for what in ("-F", "-X"):
                machines.host.run(str(machines.programs / program), "-t", table, what)
    machines.docker_starts()
    assert machines.reached_from(STRANGER) == OTHERS


@pytest.mark.parametrize("backend", BACKENDS)
def test_there_is_no_moment_between_old_rules_and_new(machines: Machines, backend: str) -> None:
    """Connections are tried all the time while the rules are replaced, by other ports around the same one."""
    machines.firewall("--backend", named(backend))
    over = threading.Event()
    tries: list[bool] = []

    def keep_trying() -> None:
        while not over.is_set():
            tries.append(machines.outside.reaches(HOST[len(tries) % 2], 8888, within=0.002))

    trying = threading.Thread(target=keep_trying)
    trying.start()
    try:
        for count, ports in enumerate(cycle(("8888", "8888,9876", "1,8888,2"))):
            if count >= REPLACED and len(tries) >= TRIED:
                break
            machines.firewall("--backend", named(backend), "--ports", ports)
    finally:
        over.set()
        trying.join()
    assert not any(tries)
    machines.firewall("--remove")
    assert machines.outside.reaches(HOST[0], 8888)


@pytest.mark.parametrize("backend", ["nft", "iptables"])
def test_dry_it_changes_nothing_and_shows_what_would_be_done(machines: Machines, backend: str) -> None:
    def shown(*arguments: str) -> dict[str, str]:
        printed = machines.firewall("--dry-run", "--backend", backend, *arguments)
        parts = re.split(r"^# (.*)\n", printed, flags=re.MULTILINE)
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    options = ("--ports", "8888", "--allow", FRIEND[0])
    before = machines.rules()
    closing = shown(*options)
    assert machines.rules() == before
    machines.firewall("--backend", backend, *options)
    done = machines.rules()
    opening = shown("--remove")
    assert machines.rules() == done
    machines.firewall("--remove")
    for parts, after in ((closing, done), (opening, None)):
        for command, said in parts.items():
            machines.host.run("env", f"PATH={machines.programs}:/usr/sbin", *command.split(), said=said)
        assert after in (None, machines.rules())
    assert machines.reached_from(STRANGER) == ALL
    assert shown("--remove") == {}


@pytest.mark.parametrize("backend", ["nft"])
def test_what_fails_is_said(machines: Machines, backend: str) -> None:
    before = machines.rules()
    for program in ("nft", "iptables-restore"):
        (machines.programs / program).unlink(missing_ok=True)
        (machines.programs / program).write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
        (machines.programs / program).chmod(0o755)
    for chosen in ("nft", "iptables"):
        done = machines.host.run(
            "env", f"PATH={machines.programs}:/usr/bin:/bin", "sh", str(SCRIPT), "--backend", chosen, check=False
        )
        assert done.returncode == 1
        assert (
            done.stderr
            == f"no room\nfirewall.sh: {chosen} has not taken the rules, for the reason above; nothing has changed\n"
        )
    assert machines.rules() == before


def test_without_any_backend_it_says_what_to_install() -> None:
    with namespaces("bare") as [bare]:
        hide = 'for folder in /usr/sbin /sbin; do mount -t tmpfs none "$(readlink -f $folder)"; done; exec sh "$@"'
        done = bare.run(
            "unshare", "--mount", "env", "-i", "PATH=/usr/bin:/bin", "sh", "-c", hide, "sh", str(SCRIPT), check=False
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "neither nft nor iptables with ip6tables is installed; on Debian" in done.stderr
