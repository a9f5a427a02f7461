"""The golden cases: recorded answers in, line protocol and an exposition out. See tests/cases/README.md."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from collector.client import Client
from collector.configuration import StaticServer, read_configuration
from collector.discovery.making import target
from collector.failures import KINDS, Failure
from collector.observations import Comparable, Observation
from collector.readings import Reading
from collector.remarks import Remarks
from collector.sources import SourceFactory
from collector.sources.ethereum import Ethereum
from collector.sources.nodeos import Nodeos
from collector.targets import Target
from exporters.exposition import Layout
from exporters.lineprotocol import encode
from tests.answering import Answer, Answering, Answers
from tests.helpers import run

CASES = Path(__file__).parent / "cases"
OTHER_ANSWERS = CASES / "other-answers"
FOLDERS = sorted(path.parent for path in CASES.glob("*/config.yaml"))
SOURCES: dict[str, SourceFactory] = {"ethereum": Ethereum, "nodeos": Nodeos}

TIME_NS = 1_795_244_826_500_000_000
"""When every gather took place, as far as the expectations know."""


@dataclass
class Gathered:
    """What one gather of a case gave; failures as `kind: message`."""

    target: Target
    readings: list[Reading] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    observation: Observation | None = None


async def gather(folder: Path) -> Gathered:
    """Gather the server of a case's configuration once, by the real source and client."""
    async with Answering(*_answers(folder / "answers")) as server:
        environ = {"NODE": f"127.0.0.1:{server.port}"}
        configuration = await asyncio.to_thread(read_configuration, folder / "config.yaml", environ, SOURCES)
        chain = configuration.chains[0]
        node = chain.servers[0]
        assert isinstance(node, StaticServer)
        gathered = Gathered(target(configuration.agent, chain, node))
        factory = SOURCES[chain.kind]
        client = Client(gathered.target.url, advice=factory.advice)
        remarks = Remarks(logging.getLogger("chainwatch"), str(gathered.target))
        source = factory(
            gathered.target, client, remarks, lambda kind, message: gathered.failures.append(f"{kind}: {message}")
        )
        try:
            gathered.readings = await source.gather()
            assert isinstance(source, Comparable)
            gathered.observation = source.observation
        except Failure as failure:
            gathered.failures.append(f"{failure.kind}: {failure}")
        finally:
            await source.close()
            await client.close()
    return gathered


def outcome(gathered: Gathered) -> dict[str, bytes]:
    """Return what a case's expectations have to say, by file; the port is PORT, the time always the same."""
    readings = [
        Reading(reading.shape, reading.values, TIME_NS)
        for reading in sorted(gathered.readings, key=lambda reading: reading.shape.key)
    ]
    port = str(gathered.target.port)
    texts = {
        "expected.lp": b"".join(encode(reading) for reading in readings),
        "expected.prom": Layout([reading.shape for reading in readings]).render(readings, openmetrics=True),
        "expected.observation.yaml": _told(gathered.observation),
        "expected.failure": "".join(f"{failure}\n" for failure in gathered.failures).encode(),
    }
    if not readings:
        texts["expected.prom"] = b""
    place = re.compile(rb'(port=|port="|127\.0\.0\.1:)' + port.encode() + rb"\b")
    return {name: place.sub(rb"\1PORT", text) for name, text in texts.items()}


MEASURED = ("at", "took", "clock", "clock_within")


def _told(observation: Observation | None) -> bytes:
    """Return what an observation says, and nothing of what it leaves open or of what differs from run to run."""
    if observation is None:
        return b""
    told = {key: value for key, value in asdict(observation).items() if key not in MEASURED}
    return yaml.safe_dump(_without_unknown(told), sort_keys=False, width=120).encode()


def _without_unknown(told: Any) -> Any:  # noqa: ANN401 - what YAML can be made of
    if isinstance(told, dict):
        return {key: _without_unknown(value) for key, value in told.items() if value is not None and value != ""}
    return [_without_unknown(each) for each in told] if isinstance(told, list | tuple) else told


def _answers(folder: Path) -> tuple[Answers, Answer]:
    """Return the answers of a case by path, and the one that all else gets, by the rules of tests/cases/README.md."""
    answers: Answers = {}
    otherwise = Answer(status=404)
    methods: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        asked, _, form = name.partition(".")
        status, _, extension = form.rpartition(".")
        answer = Answer(path.read_bytes(), int(status or 200), cut=extension == "cut")
        if asked.startswith("rpc/"):
            methods[asked.removeprefix("rpc/")] = orjson.loads(answer.body)
        elif asked == "otherwise":
            otherwise = answer
        else:
            answers["/" if asked == "index" else f"/{asked}"] = answer
    if methods:
        answers["/"] = lambda body: Answer(orjson.dumps([_rpc(methods, call) for call in orjson.loads(body)]))
    return answers, otherwise


def _rpc(methods: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    message = f"the method {call['method']} does not exist/is not available"
    absent = {"jsonrpc": "2.0", "error": {"code": -32601, "message": message}}
    # One method is asked for different things at a time: of which block, its first parameter says.
    what = [part for part in call["params"][:1] if part not in ("latest", True)]
    return {**methods.get("-".join([call["method"], *what]), absent), "id": call["id"]}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_case(folder: Path, pytestconfig: pytest.Config) -> None:
    found = outcome(run(gather(folder)))
    if pytestconfig.getoption("--update-cases"):
        for name, text in found.items():
            (folder / name).write_bytes(text)
            if not text:
                (folder / name).unlink()
    for name, text in found.items():
        expected = (folder / name).read_bytes() if (folder / name).exists() else b""
        assert text.decode() == expected.decode(), f"{folder.name}/{name}; if it should be so: pytest --update-cases"


def test_every_recorded_answer_has_its_place() -> None:
    """Nothing that was recorded is left out, and no case answers with something that nobody recorded."""
    recorded = yaml.safe_load((CASES / "recorded.yaml").read_text())
    files = {
        path.relative_to(CASES).as_posix()
        for path in CASES.rglob("*")
        if path.is_file() and ("answers" in path.parent.relative_to(CASES).parts or OTHER_ANSWERS in path.parents)
    }
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == {folder.name for folder in FOLDERS} | {
        OTHER_ANSWERS.name
    }
    contents = {(CASES / name).read_bytes() for name in recorded.values()}
    assert set(recorded.values()) <= files
    assert {name for name in files if (CASES / name).read_bytes() not in contents} == set()


OTHERS = sorted(OTHER_ANSWERS.rglob("*.json"))


@pytest.mark.parametrize("path", [path for path in OTHERS if "nodeos" in path.parts], ids=lambda path: path.stem)
def test_the_answer_to_another_question_is_not_taken_for_get_info(path: Path) -> None:
    answer = Answer(path.read_bytes())

    async def test() -> None:
        async with Answering({"/v1/chain/get_info": answer}) as server:
            client = Client(server.url)
            source = Nodeos(Target("lab", "nodeos", "api1", server.url), client, _remarks(), lambda *_: None)
            with pytest.raises(Failure) as caught:
                await source.gather()
            assert caught.value.kind == "bad_answer"
            await client.close()

    run(test())


@pytest.mark.parametrize("path", [path for path in OTHERS if "geth" in path.parts], ids=lambda path: path.stem)
def test_the_answer_to_another_question_is_not_taken_for_a_block(path: Path) -> None:
    batch = path.read_bytes()
    single = orjson.loads(batch)

    def answer(body: bytes) -> Answer:
        if isinstance(single, list):
            return Answer(batch)
        return Answer(orjson.dumps([{**single, "id": call["id"]} for call in orjson.loads(body)]))

    async def test() -> None:
        problems: list[str] = []
        async with Answering({"/": answer}) as server:
            client = Client(server.url)
            node = Target("lab", "ethereum", "sealer-1", server.url)
            source = Ethereum(node, client, _remarks(), lambda kind, _: problems.append(kind))
            readings = await source.gather()
            assert not any("head_block_number" in reading.as_dict() for reading in readings)
            assert problems
            assert set(problems) <= set(KINDS)
            await client.close()

    run(test())


def _remarks() -> Remarks:
    return Remarks(logging.getLogger("chainwatch"), "lab")


# The same names as the Telegraf plugin for geth


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, float]]:  # noqa: ANN401 - JSON can be anything
    for key, value in tree.items():
        name = f"{path}_{key}" if path else key
        if isinstance(value, dict):
            yield from _leaves(value, name)
        elif isinstance(value, int | float):
            yield name.lower(), float(value)


def test_every_number_of_debug_metrics_goes_by_the_name_that_telegrafs_plugin_gave_it() -> None:
    """Measurement `geth`, tags server and port, the path joined by `_` in lower case: whoever migrates keeps it all."""
    folder = CASES / "geth-1.8.27"
    expected = dict(_leaves(orjson.loads((folder / "answers/rpc/debug_metrics.json").read_bytes())["result"]))
    assert len(expected) == 577
    gathered = run(gather(folder))
    [line] = [
        line
        for line in b"".join(encode(reading) for reading in gathered.readings).decode().splitlines()
        if line.startswith("geth,")
    ]
    series, fields, _ = line.split(" ")
    port = gathered.target.port
    assert set(series.split(",")) == {
        "geth",
        "server=127.0.0.1",
        f"port={port}",
        "chain=lab",
        "node=sealer-1",
        "role=sealer",
    }
    assert {name: float(value) for name, _, value in (pair.partition("=") for pair in fields.split(","))} == expected
