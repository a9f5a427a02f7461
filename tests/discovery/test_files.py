"""Servers in files: read when they change, kept when they break."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from collector.configuration import Agent, Chain, Configuration, FileServer, StaticServer
from collector.discovery import Discovery, mistakes_in_files
from tests.helpers import run


class Watched:
    """Discovery of a chain whose servers are in files, and what it said."""

    def __init__(self, *patterns: Path | str, within: float = 5.0, environ: dict[str, str] | None = None) -> None:
        self.said: list[str] = []
        self.chain = Chain(name="lab", kind="ethereum", servers=[FileServer(file=str(pattern)) for pattern in patterns])
        self.discovery = Discovery(Agent(), self.chain, self.said.append, within=within, environ=environ or {})

    async def nodes(self) -> list[str]:
        """Return the names of the nodes at present."""
        return [target.name for target in await self.discovery.targets()]


def test_servers_in_the_form_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "nodes.yaml").write_text(
        "- http://a:1\n"
        "- {url: 'http://u:${PASSWORD}@b:2', name: b, role: sealer, interval: 20s, labels: {dc: east}}\n"
        "- {url: http://c:3, metrics: [p2p], metrics_url: http://c:6060/debug/metrics}\n"
    )
    entry = FileServer(
        file=str(tmp_path / "nodes.yaml"),
        role="client",
        interval=30,
        metrics=("chain",),
        labels={"dc": "west", "x": "y"},
    )
    chain = Chain(name="lab", kind="ethereum", servers=[entry], timeout=7, block_period=15, labels={"net": "test"})
    discovery = Discovery(Agent(jitter=1), chain, pytest.fail, environ={"PASSWORD": "secret"})
    a, b, c = run(discovery.targets())
    assert (a.name, a.role, a.interval, a.timeout, a.jitter, a.block_period) == ("a:1", "client", 30, 7, 1, 15)
    assert a.labels == (("dc", "west"), ("net", "test"), ("x", "y"))
    assert (b.name, b.role, b.interval, b.url) == ("b", "sealer", 20, "http://u:secret@b:2")
    assert b.labels == (("dc", "east"), ("net", "test"), ("x", "y"))
    assert (a.metrics, c.metrics, c.metrics_url) == (("chain",), ("p2p",), "http://c:6060/debug/metrics")


FILE_SD = [
    {
        "targets": ["a:8545", "b:8545"],
        "labels": {"role": "sealer", "dc": "east", "__scheme__": "https", "__metrics_path__": "/x", "__meta_a": "b"},
    },
    {"targets": ["c:8545"], "labels": {"node": "client-1"}},
    {"targets": ["http://d:8545/path"]},
]


@pytest.mark.parametrize(
    ("name", "indent"),
    [("nodes.json", None), ("nodes.json", 2), ("nodes.json", "\t"), ("nodes.yaml", None), ("nodes.yaml", 2)],
)
def test_files_of_prometheus_file_sd(tmp_path: Path, name: str, indent: int | str | None) -> None:
    (tmp_path / name).write_text(json.dumps(FILE_SD, indent=indent))
    watched = Watched(tmp_path / name)
    targets = run(watched.discovery.targets())
    assert [(target.name, target.url, target.role, target.labels) for target in targets] == [
        ("a:8545", "https://a:8545", "sealer", (("dc", "east"),)),
        ("b:8545", "https://b:8545", "sealer", (("dc", "east"),)),
        ("client-1", "http://c:8545", "", ()),
        ("d:8545", "http://d:8545/path", "", ()),
    ]
    assert not watched.said


def test_files_come_change_and_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        watched = Watched(tmp_path / "*.yaml")
        assert await watched.nodes() == []
        assert watched.said == [f"{tmp_path}/*.yaml: there is no such file"]
        (tmp_path / "b.yaml").write_text("- http://b:1")
        assert await watched.nodes() == ["b:1"]
        (tmp_path / "a.yaml").write_text("- http://a:1")
        (tmp_path / "c.yaml").mkdir()
        (tmp_path / "other").write_text("- http://c:1")
        assert await watched.nodes() == ["a:1", "b:1"]
        (tmp_path / "b.yaml").write_text("- http://b:1\n- http://b:2")
        assert await watched.nodes() == ["a:1", "b:1", "b:2"]
        (tmp_path / "a.yaml").unlink()
        assert await watched.nodes() == ["b:1", "b:2"]
        (tmp_path / "b.yaml").write_text("[]")
        assert await watched.nodes() == []
        assert len(watched.said) == 1

    run(scenario())


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        file = tmp_path / "nodes.yaml"
        file.write_text("- http://a:1")
        watched = Watched(file)
        assert await watched.nodes() == ["a:1"]
        other = tmp_path / "new"
        other.write_text("- http://b:1")
        status = file.stat()
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.replace(file)
        assert await watched.nodes() == ["b:1"]

    run(scenario())


@pytest.mark.parametrize(
    ("broken", "line", "key"),
    [
        ("", "", ""),
        ("- http://a:1\n- {url: http://b:1", ":2", ""),
        ("- http://a:1\n- url: ftp://b", ":2", "[1].url"),
        ("- http://a:1\n- {url: http://b:1, nmae: b}", ":2", "[1].nmae"),
        ("- http://a:1\n- http://a:1", ":2", "[1]"),
        ("- file: others.yaml", ":1", "[0].file"),
        ("servers:\n- http://a:1", ":1", ""),
        ("- targets: [a b]", ":1", "[0].targets[0]"),
        ("- targets: []", ":1", "[0].targets"),
        ("- targets: ['a:1', 'b:1']\n  labels:\n    node: x", ":3", "[0].labels.node"),
        ("- targets: ['a:1']\n  labels: {__scheme__: ftp}", ":2", "[0].labels.__scheme__"),
        ("- targets: ['a:1']\n  labels:\n    version: 1", ":3", "[0].labels.version"),
        ("- url: ${MISSING}", ":1", "[0].url"),
        ("- http://\xff:1", ":1", ""),
        ("x" * (1 << 20) + "x", "", ""),
    ],
)
def test_a_broken_file_keeps_its_servers_and_is_told_once_per_change(
    tmp_path: Path, broken: str, line: str, key: str
) -> None:
    async def scenario() -> None:
        file = tmp_path / "nodes.yaml"
        file.write_text("- http://good:1")
        watched = Watched(tmp_path / "*.yaml")
        assert await watched.nodes() == ["good:1"]
        file.write_text(broken, encoding="latin-1")
        for _ in range(3):
            assert await watched.nodes() == ["good:1"]
        (said,) = watched.said
        assert said.startswith(f"{file}{line}: {key}{': ' if key else ''}")
        assert said.endswith("; its 1 servers from before are kept")
        file.write_text(broken + "\n#", encoding="latin-1")
        assert await watched.nodes() == ["good:1"]
        assert len(watched.said) == 2
        file.write_text("- http://better:1")
        assert await watched.nodes() == ["better:1"]
        assert len(watched.said) == 2

    run(scenario())


def test_a_broken_file_takes_nothing_from_the_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "a.yaml").write_text("- {")
        (tmp_path / "b.yaml").write_text("- http://b:1")
        watched = Watched(tmp_path / "*.yaml")
        assert await watched.nodes() == ["b:1"]
        assert len(watched.said) == 1

    run(scenario())


def test_a_pipe_among_the_files_is_not_waited_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        os.mkfifo(tmp_path / "a.yaml")
        (tmp_path / "b.yaml").write_text("- http://b:1")
        watched = Watched(tmp_path / "*.yaml")
        for _ in range(2):
            assert await watched.nodes() == ["b:1"]
        assert watched.said == [f"{tmp_path}/a.yaml: is no regular file"]

    run(scenario())


def test_what_may_not_be_read_keeps_its_servers_until_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        file = tmp_path / "nodes.yaml"
        file.write_text("- http://a:1")
        watched = Watched(file)
        assert await watched.nodes() == ["a:1"]
        file.write_text("- http://b:1")
        with monkeypatch.context() as patched:  # the tests may run as root, who may read everything

            def refuse(_: object) -> bytes:
                raise PermissionError(13, "Permission denied")

            patched.setattr("collector.discovery.files.content_of", refuse)
            for _ in range(2):
                assert await watched.nodes() == ["a:1"]
        assert watched.said == [f"{file}: cannot be read: Permission denied; its 1 servers from before are kept"]
        assert await watched.nodes() == ["b:1"]

    run(scenario())


def test_a_directory_that_cannot_be_read_keeps_all_servers(tmp_path: Path) -> None:
    async def scenario() -> None:
        folder = tmp_path / "nodes"
        folder.mkdir()
        (folder / "a.yaml").write_text("- http://a:1")
        watched = Watched(folder / "*.yaml")
        assert await watched.nodes() == ["a:1"]
        folder.rename(tmp_path / "away")
        folder.symlink_to(folder)  # a loop: for root, too, an error other than "there is none"
        for _ in range(2):
            assert await watched.nodes() == ["a:1"]
        assert len(watched.said) == 1
        assert watched.said[0].startswith(f"{folder}/*.yaml: cannot be read: ")
        folder.unlink()
        assert await watched.nodes() == []

    run(scenario())


def test_a_file_system_that_hangs_costs_one_thread_and_no_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    reads = 0

    def hang(_: object) -> bytes:
        nonlocal reads
        reads += 1
        answers.wait(10)
        return b"- http://b:1"

    async def scenario() -> None:
        file = tmp_path / "nodes.yaml"
        file.write_text("- http://a:1")
        watched = Watched(file, within=0.1)
        assert await watched.nodes() == ["a:1"]
        file.write_text("- http://b:1")
        monkeypatch.setattr("collector.discovery.files.content_of", hang)
        for _ in range(3):
            assert await watched.nodes() == ["a:1"]
        assert reads == 1
        assert watched.said == [f"{file}: the file system did not answer within 0.075s"] * 3
        answers.set()
        for _ in range(100):
            if await watched.nodes() == ["b:1"]:
                break
        else:
            pytest.fail("never read again")
        answers.clear()
        file.write_text("- http://c:1")
        await watched.nodes()
        await watched.discovery.close()
        answers.set()

    run(scenario())


def test_nothing_is_read_or_made_again_while_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        (tmp_path / "nodes.yaml").write_text("\n".join(f"- http://n{number}:1" for number in range(100)))
        watched = Watched(tmp_path / "*.yaml")
        first = await watched.discovery.targets()
        monkeypatch.setattr("collector.discovery.files.content_of", pytest.fail)
        second = await watched.discovery.targets()
        assert len(first) == 100
        assert all(one is other for one, other in zip(first, second, strict=True))
        second.clear()  # the caller's list is the caller's
        assert len(await watched.discovery.targets()) == 100

    run(scenario())


def test_the_first_of_two_nodes_with_one_name_wins(tmp_path: Path) -> None:
    async def scenario() -> None:
        (tmp_path / "a.yaml").write_text("- {url: 'http://u:secret@a:1', name: x}")
        chain = Chain(
            name="lab",
            kind="ethereum",
            servers=[StaticServer(url="http://static:1", name="x"), FileServer(file=str(tmp_path / "a.yaml"))],
        )
        said: list[str] = []
        discovery = Discovery(Agent(), chain, said.append)
        for _ in range(2):
            assert [target.url for target in await discovery.targets()] == ["http://static:1"]
        assert said == ["lab/x: http://a:1 has the name of http://static:1, and is left out"]

    run(scenario())


def test_too_many_files_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collector.discovery.files.MOST_FILES", 3)
    for number in range(5):
        (tmp_path / f"{number}.yaml").write_text(f"- http://n{number}:1")
    watched = Watched(tmp_path / "*.yaml")
    assert run(watched.nodes()) == ["n0:1", "n1:1", "n2:1"]
    assert len(watched.said) == 1


def test_mistakes_in_files_are_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- http://a:1\n- http://a:x\n- nothing: here")
    (tmp_path / "b.yaml").write_text("- http://b:1")
    watched = Watched(tmp_path / "*.yaml", tmp_path / "missing.yaml")
    found = mistakes_in_files(Configuration(chains=[watched.chain]), {})
    assert [(mistake.file, mistake.line) for mistake in found] == [
        (f"{tmp_path}/a.yaml", 2),
        (f"{tmp_path}/a.yaml", 3),
        (f"{tmp_path}/missing.yaml", 0),
    ]
