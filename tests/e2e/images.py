"""Builds the images that a compose file names, under those very names, from real programs: no registry is asked.

What they hold, and where that differs from the official images, is said at each of them. What must hold in either for a
compose file to work is the same: the paths, the entrypoint, the user, the working directory, the volumes, and a shell
that is busybox's where the official one has busybox.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.e2e import parts
from tests.e2e.archive import Archive
from tests.e2e.engine import Docker, find

OURS = Path(__file__).parent / "contents"
NOBODY = 65_534
DEBIAN = "debian:bookworm-slim"

LEFT_OUT = {
    "grafana/grafana": "there is no Grafana to be had as a package",
    "gcr.io/cadvisor/cadvisor": "there is no cAdvisor to be had as a package",
}
"""Images that can't be built, by name without the tag. Services that run one are left out."""

PLAYED = {"nodeos": "none is to be had as a package; a stand-in that behaves as the recorded ones is in its place"}
"""Programs that are not the real ones."""


def fetch(names: Iterable[str]) -> None:
    """Fetch what the images of these names are made of: before an engine runs, as that leaves the network.

    Raises AssertionError, naming it, for an image that is not known.
    """
    parts.busybox()
    for name in names:
        assert repository(name) in BUILDERS, f"{name}: {__name__}.BUILDERS has no builder for an image of this name"
        version = name.rpartition("v")[2]
        match repository(name):
            case "ethereum/client-go":
                parts.go_ethereum(version)
            case "traefik":
                parts.traefik(version)
            case "chainwatch":
                parts.wheels()


def build(docker: Docker, names: Iterable[str]) -> None:
    """Build the images of these names, once they are fetched."""
    for name in names:
        if not _is_there(docker, name):
            BUILDERS[repository(name)](docker, name)


def repository(name: str) -> str:
    """Return the name of an image without its tag."""
    return name.rpartition(":")[0]


def _client_go(docker: Docker, name: str) -> None:
    """Build geth on busybox. The official one is Alpine with geth and more of its tools."""
    programs = parts.go_ethereum(name.rpartition("-v")[2])
    with _imported(docker, name, "EXPOSE 8545 8546 30303 30303/udp") as archive:
        _busybox(archive)
        for program in ("geth", "bootnode"):  # the official one has abigen, clef, evm, rlpdump and others beside them
            archive.copy(programs / program, f"usr/local/bin/{program}")


def _traefik(docker: Docker, name: str) -> None:
    """Build Traefik on busybox. The official one is Alpine with the same program."""
    program = parts.traefik(name.rpartition(":v")[2])
    with _imported(docker, name, 'ENTRYPOINT ["/entrypoint.sh"]', 'CMD ["traefik"]', "EXPOSE 80") as archive:
        _busybox(archive)
        archive.copy(OURS / "traefik-entrypoint.sh", "entrypoint.sh")
        archive.copy(program, "usr/local/bin/traefik")


def _prometheus(docker: Docker, name: str) -> None:
    """Build Prometheus, of Debian's version: 2.42. The official one has consoles, too."""
    programs = {"prometheus": "prometheus", "promtool": "promtool"}
    arguments = ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
    _of_prometheus(docker, name, programs, arguments=arguments, volume="prometheus")


def _alertmanager(docker: Docker, name: str) -> None:
    """Build Alertmanager, of Debian's version: 0.25, which has no web page."""
    programs = {"alertmanager": "prometheus-alertmanager", "amtool": "amtool"}
    arguments = ["--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"]
    beside = Path("/usr/share/prometheus/alertmanager")
    _of_prometheus(docker, name, programs, arguments=arguments, volume="alertmanager", beside=beside)


def _node_exporter(docker: Docker, name: str) -> None:
    """Build node-exporter, of Debian's version: 1.5."""
    _of_prometheus(docker, name, {"node_exporter": "prometheus-node-exporter"})


def _of_prometheus(
    docker: Docker,
    name: str,
    programs: dict[str, str],
    *,
    arguments: Sequence[str] = (),
    volume: str = "",
    beside: Path | None = None,
) -> None:
    """Build what the images of the Prometheus project have in common: busybox, and one program as `nobody`.

    `beside` is a folder of files that Debian's program reads and the official one has within itself.
    """
    entrypoint = next(iter(programs))
    changes = [f'ENTRYPOINT ["/bin/{entrypoint}"]', "USER nobody"]
    if arguments:
        changes.append(f"CMD {json.dumps(arguments)}")
    if volume:
        changes += [f"VOLUME /{volume}", f"WORKDIR /{volume}"]
    with _imported(docker, name, *changes) as archive:
        _busybox(archive)
        for program, installed in programs.items():
            archive.copy(_installed(installed), f"bin/{program}")
        for file in sorted(beside.glob("*.tmpl")) if beside else ():
            archive.copy(file, str(file), 0o644)
        if volume:
            archive.folder(f"etc/{volume}")
            archive.folder(volume, owner=NOBODY)


def _influxdb(docker: Docker, name: str) -> None:
    """Build InfluxDB, of Debian's version: 1.6.7. The official one's entrypoint also makes users and a database."""
    _debian(docker)
    with _built(docker, name) as archive:
        archive.text(
            "Dockerfile",
            f'FROM {DEBIAN}\nCOPY files /\nEXPOSE 8086\nVOLUME /var/lib/influxdb\nENTRYPOINT ["/entrypoint.sh"]\n'
            'CMD ["influxd"]\n',
        )
        archive.copy(OURS / "influxdb-entrypoint.sh", "files/entrypoint.sh")
        archive.text("files/etc/influxdb/influxdb.conf", _INFLUXDB)
        for program in ("influxd", "influx"):
            archive.copy(_installed(program), f"files/usr/bin/{program}")


_INFLUXDB = """\
[meta]
  dir = "/var/lib/influxdb/meta"
[data]
  dir = "/var/lib/influxdb/data"
  wal-dir = "/var/lib/influxdb/wal"
  engine = "tsm1"
"""


def _chainwatch(docker: Docker, name: str) -> None:
    """Build the real one: the repository's own Dockerfile, on a stand-in for the image that it starts from."""
    dockerfile = (parts.ROOT / "Dockerfile").read_text()
    for base in dict.fromkeys(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)):
        if not _is_there(docker, base):
            _python(docker, base)
    docker("build", "--tag", name, str(parts.ROOT), within=600)


def _python(docker: Docker, name: str) -> None:
    """Build Debian's Python, 3.11 whatever the name says. Its pip knows a folder of wheels, and no network."""
    if not name.startswith("python:"):
        raise KeyError(f"{name}: the Dockerfile starts from an image that can't be made here")
    _debian(docker)
    with _built(docker, name) as archive:
        archive.text("Dockerfile", f'FROM {DEBIAN}\nCOPY files /\nCMD ["python3"]\n')
        archive.link("files/usr/local/bin/python", "/usr/bin/python3")
        archive.text("files/etc/pip.conf", "[global]\nno-index = true\nfind-links = /wheels\n")
        for wheel in parts.wheels().iterdir():
            archive.copy(wheel, f"files/wheels/{wheel.name}", 0o644)


def _chainwatch_nodeos(docker: Docker, name: str) -> None:
    """Build the real one: its own Dockerfile, on a stand-in for Ubuntu, with one for what it installs."""
    folder = parts.ROOT / "compose" / "nodeos"
    bases = re.findall(r"^FROM (\S+)", (folder / "Dockerfile").read_text(), re.MULTILINE)
    for base in bases:
        if not _is_there(docker, base):
            _ubuntu(docker, base)
    docker("build", "--tag", name, str(folder), within=600)


def _ubuntu(docker: Docker, name: str) -> None:
    """Build Debian where packages are never fetched, since `nodeos` is there: the stand-in that acts as the real one.

    Debian's Python is 3.11, where Ubuntu 22.04 has 3.10.
    """
    if not name.startswith("ubuntu:"):
        raise KeyError(f"{name}: the Dockerfile starts from an image that can't be made here")
    _debian(docker)
    simulated = parts.ROOT / "compose" / "simulated"
    with _built(docker, name) as archive:
        archive.text("Dockerfile", f"FROM {DEBIAN}\nCOPY files /\nRUN python3 -m compileall -q /opt\n")
        for program in ("apt-get", "curl"):
            archive.text(f"files/usr/local/sbin/{program}", "#!/bin/sh\n# Nothing is fetched here.\n", 0o755)
        files = [*(simulated / "standin").glob("[!.]*"), *(simulated / "recorded").glob("nodeos-*.json")]
        for file in sorted(file for file in files if file.is_file()):
            archive.copy(file, f"files/opt/nodeos/{file.relative_to(simulated)}")
        archive.link("files/usr/local/bin/nodeos", "/opt/nodeos/standin/nodeos")


def _debian(docker: Docker) -> None:
    """Make Debian's minimal system. The official one has neither Python, curl nor wget."""
    if not _is_there(docker, DEBIAN):
        docker("import", "--change", 'CMD ["bash"]', str(parts.debian()), DEBIAN, within=300)


BUILDERS: dict[str, Callable[[Docker, str], None]] = {
    "chainwatch": _chainwatch,
    "chainwatch-nodeos": _chainwatch_nodeos,
    "ethereum/client-go": _client_go,
    "influxdb": _influxdb,
    "prom/alertmanager": _alertmanager,
    "prom/node-exporter": _node_exporter,
    "prom/prometheus": _prometheus,
    "traefik": _traefik,
}
"""What builds an image, by its name without the tag."""


def _busybox(archive: Archive) -> None:
    """Add a system of busybox alone, as Alpine and the images of Prometheus have it.

    Debian's busybox has other options compiled in than Alpine's. That matters for `wget -T`, which is mended here, and
    for `nc -z`, which is not: scripts do without it.
    """
    binary = parts.busybox()
    _libraries(archive, binary)
    for path in ("dev", "proc", "root", "run", "sys", "var", "var/run", "home", "mnt", "srv", "opt"):
        archive.folder(path)
    archive.folder("tmp", 0o1777)
    archive.folder("var/tmp", 0o1777)
    archive.text("etc/passwd", f"root:x:0:0:root:/root:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}:nobody:/home:/bin/false\n")
    archive.text("etc/group", f"root:x:0:\nnobody:x:{NOBODY}:\n")
    archive.copy(binary, "bin/busybox")
    archive.copy(OURS / "wget.sh", "bin/wget")
    archive.copy(_installed("getent"), "usr/bin/getent")  # Alpine has one of musl's
    applets = subprocess.run([binary, "--list"], capture_output=True, text=True, timeout=10, check=True).stdout.split()
    for applet in applets:
        if applet not in ("busybox", "wget"):
            archive.link(f"bin/{applet}", "/bin/busybox")


def _libraries(archive: Archive, program: Path) -> None:
    """Add the shared libraries that a program of Debian needs. Programs in Go need the same or fewer."""
    told = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=10, check=True).stdout
    for path in re.findall(r"(/\S+) \(0x", told):
        archive.copy(Path(path), path)


def _installed(program: str) -> Path:
    path = find(program)
    assert path, f"{program} is not installed"
    return Path(path)


def _is_there(docker: Docker, name: str) -> bool:
    return bool(docker("images", "--quiet", name).strip())


@contextmanager
def _imported(docker: Docker, name: str, *changes: str) -> Iterator[Archive]:
    """Make an image of the files that are written, and of nothing else."""
    options = [option for change in changes for option in ("--change", change)]
    with docker.feed("import", *options, "-", name) as stream, Archive(stream) as archive:
        yield archive


@contextmanager
def _built(docker: Docker, name: str) -> Iterator[Archive]:
    """Build an image from a context that is written: a `Dockerfile` and what it copies."""
    with docker.feed("build", "--tag", name, "-") as stream, Archive(stream) as archive:
        yield archive
