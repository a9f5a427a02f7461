"""A Docker engine of its own for the tests, in namespaces of its own: whatever happens, nothing of it is left behind.

The engine and all its containers live in one process namespace, so that the end of its first process is the end of all;
its mounts are in a mount namespace and go with it. Network bridges, firewall rules and published ports are in a network
namespace without any way out: they clash with nothing on this machine, and nothing in a container can come to depend on
the world outside. The test process itself enters that network namespace for as long as the engine runs.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from tests.real.servers import wait_for

_NETWORK = 0x40000000  # CLONE_NEWNET
_OWN_NETWORK = "/proc/thread-self/ns/net"
_CGROUPS = Path("/sys/fs/cgroup")
_PREFIX = "chainwatch-e2e-"

PROGRAMS = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "docker-compose": "docker-compose",
    "iptables": "iptables",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}
"""What an engine needs, each with the Debian package that has it."""


def missing(programs: dict[str, str]) -> list[str]:
    """Return a line for each program that is not installed, naming its Debian package."""
    return [
        f"{program} is not installed; the Debian package is {package}"
        for program, package in programs.items()
        if not find(program)
    ]


def find(program: str) -> str | None:
    """Return the path of a program, Debian's own before any other of that name."""
    return shutil.which(program, path=f"/usr/bin:/usr/sbin:/bin:/sbin:{os.environ.get('PATH', '')}")


class Failed(Exception):  # noqa: N818 - named for what is told
    """A command of docker or docker-compose ended with another status than 0, or took too long."""


class Docker:
    """The commands `docker` and `docker-compose`, speaking to one engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._env = {
            **os.environ,
            "DOCKER_HOST": f"unix://{folder / 'socket'}",
            "DOCKER_CONFIG": str(folder / "client"),  # not the user's: it may name helpers, proxies or other engines
            "DOCKER_BUILDKIT": "0",  # the builder that every engine has, whatever plugins the client finds
            "COMPOSE_HTTP_TIMEOUT": "300",
        }

    def __call__(self, *arguments: str, said: str = "", within: float = 60, check: bool = True) -> str:
        """Run `docker`, telling it what is `said`, and return what it printed on either stream. Raises Failed."""
        return self._run([find("docker") or "docker", *arguments], within, check=check, said=said)

    def compose(self, folder: Path, *arguments: str, within: float = 600, check: bool = True) -> str:
        """Run `docker-compose` in a folder and return what it printed on either stream. Raises Failed."""
        return self._run([find("docker-compose") or "docker-compose", *arguments], within, check=check, folder=folder)

    @contextmanager
    def feed(self, *arguments: str, within: float = 600) -> Iterator[IO[bytes]]:
        """Run `docker` and yield its standard input, for archives that are written as they are read. Raises Failed."""
        with (self.folder / "said").open("w+b") as said:
            command = [find("docker") or "docker", *arguments]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT, env=self._env
            ) as running:
                assert running.stdin
                try:
                    yield running.stdin
                    running.stdin.close()
                    running.wait(within)
                except (BrokenPipeError, subprocess.TimeoutExpired):
                    with suppress(subprocess.TimeoutExpired):
                        running.wait(5)  # what docker said tells why
                finally:
                    running.kill()
            if running.returncode:
                said.seek(0)
                raise Failed(f"{' '.join(command)}: status {running.returncode}\n{said.read().decode()[-4000:]}")

    def _run(
        self, command: Sequence[str], within: float, *, check: bool, said: str = "", folder: Path | None = None
    ) -> str:
        try:
            done = subprocess.run(
                command,
                input=said.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=folder,
                timeout=within,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{' '.join(command)}: not within {within:g} s\n{_tail(error.stdout)}") from None
        if check and done.returncode:
            raise Failed(f"{' '.join(command)}: status {done.returncode}\n{_tail(done.stdout)}")
        return done.stdout.decode(errors="replace")


@contextmanager
def engine() -> Iterator[Docker]:
    """Run an engine for as long as the block lasts, which is in the network namespace of the engine. Needs root."""
    _remove_what_was_killed()
    with ExitStack() as stack:
        # not below pytest's own folders: the path of a socket has 107 characters at most
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(_own_network())
        yield stack.enter_context(_daemon(folder))


@contextmanager
def _daemon(folder: Path) -> Iterator[Docker]:
    cgroup = folder.name
    (folder / "daemon.json").write_text("{}")  # not the one of this machine's own engine
    within_namespaces = ["setpriv", "--pdeathsig", "KILL"]  # the end of the tests is the end of the engine
    within_namespaces += ["unshare", "--mount", "--propagation", "slave", "--mount-proc"]
    within_namespaces += ["--pid", "--fork", "--kill-child"]
    options = ["--config-file", folder / "daemon.json", "--data-root", folder / "data", "--exec-root", folder / "exec"]
    options += ["--pidfile", folder / "pid", "--host", f"unix://{folder / 'socket'}"]
    options += ["--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", f"/{cgroup}"]
    # Names that no container has: refused at once, as a name server would, instead of asked for where no way leads.
    options += ["--dns", "127.0.0.1"]
    docker = Docker(folder)
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [*within_namespaces, "dockerd", *map(str, options)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the tests, which end it in their own order
        )
    try:
        try:
            wait_for(lambda: running.poll() is not None or _answers(docker), "dockerd answers", within=60)
            assert running.poll() is None, "dockerd ended"
        except AssertionError as error:
            error.add_note(f"dockerd said:\n{_tail((folder / 'log').read_bytes())}")
            raise
        yield docker
    finally:
        _end(docker, running)
        _remove_cgroups(cgroup)


def _answers(docker: Docker) -> bool:
    try:
        docker("version")
    except Failed:
        return False
    return True


def _end(docker: Docker, running: subprocess.Popen[bytes]) -> None:
    """End the containers, then the engine, each by force if it does not end by itself."""
    try:
        if containers := docker("ps", "--all", "--quiet").split():
            docker("rm", "--force", "--volumes", *containers)
        # The engine is the only child of `unshare`, which waits for it and forwards no signals.
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), signal.SIGTERM)
        running.wait(20)
    except (Failed, OSError, subprocess.TimeoutExpired):
        pass  # then by force
    finally:
        running.kill()
        running.wait()


@contextmanager
def _own_network() -> Iterator[None]:
    """Put this thread, and what it starts, into a network namespace that has nothing but loopback."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(name: str, *arguments: int) -> None:
        if getattr(libc, name)(*arguments):
            number = ctypes.get_errno()
            raise OSError(number, f"{name}: {os.strerror(number)}")

    before = os.open(_OWN_NETWORK, os.O_RDONLY)
    try:
        call("unshare", _NETWORK)
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
            yield
        finally:
            call("setns", before, _NETWORK)
    finally:
        os.close(before)


def _remove_what_was_killed() -> None:
    """Remove the folders of test processes that were killed, and could not do it themselves."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            shutil.rmtree(folder, ignore_errors=True)
            _remove_cgroups(folder.name)


def _remove_cgroups(name: str) -> None:
    """Remove the cgroups of containers: by themselves they outlive a container that was killed."""
    tops = [_CGROUPS / name, *_CGROUPS.glob(f"*/{name}")]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(top.exists() for top in tops):
        for top in tops:
            for folder, _, _ in os.walk(top, topdown=False):  # another run may be removing them as well
                _try_to_remove(Path(folder))
        time.sleep(0.1)


def _try_to_remove(folder: Path) -> None:
    with suppress(OSError):  # not empty yet: its processes are about to end
        folder.rmdir()


def _tail(said: bytes | None) -> str:
    return (said or b"").decode(errors="replace")[-4000:]
