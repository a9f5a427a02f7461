"""The options of an EOSIO or Antelope network: any file, what depends on the release, and what is published where."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.configuration import Mistake, WrongConfiguration
from compose.eos_keys import new_private_key
from compose.options.eos import cluster
from compose.options.eos.config_lines import _BEGAN, _DECIDED, _ENDED
from compose.options.eos.genesis import what_is_wrong
from compose.options.eos.models import Options
from compose.options.eos.values import RELEASES
from compose.options.ethereum.models import Options as EthereumOptions
from compose.options.reading import read_options
from compose.options.targets import TARGETS
from compose.options.writing import SECRETS, as_yaml


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file to write."""
    return tmp_path / "options.yaml"


def read(file: Path, text: str, target: str = "compose") -> Options:
    """Return what a text says as an options file."""
    file.write_text(text)
    options, _ = read_options(file, {}, target)
    assert isinstance(options, Options)
    return options


def of_version(version: str) -> Options:
    """Return options with a release of nodeos."""
    return Options.model_validate({"eos": {"version": version}})


@pytest.mark.parametrize("text", ["eos:\n", "eos: {}\n", "{eos: ~}\n"])
@pytest.mark.parametrize("target", TARGETS)
def test_the_section_alone_makes_it_a_nodeos_network(file: Path, text: str, target: str) -> None:
    assert read(file, text, target) == Options()
    assert read_options(file, {}, target)[1] == []
    file.write_text("{}\n")
    assert read_options(file, {}) == (EthereumOptions(), [])


def test_a_relative_genesis_lies_beside_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    text = '{"initial_timestamp": "2018-06-08T08:08:08.888", "initial_key": "EOS7EarnUhcyYqmdnPon8rm7mBCTnBoot6o7fE2W'
    text += 'zjvEX2TdggbL3", "initial_configuration": {}}'
    (folder / "genesis.json").write_text(text)
    said = "eos: {create_genesis: false, genesis: genesis.json, peers: 'a:1'}\nproducer: {count: 0}\n"
    assert read(folder / "options.yaml", said).eos.genesis == text
    monkeypatch.chdir(folder)
    assert read(Path("options.yaml"), said).eos.genesis == text
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongConfiguration, match=r"options\.yaml:1: eos\.genesis: cannot be read: No such file"):
        read(tmp_path / "options.yaml", said)


@settings(max_examples=50)
@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str))
def test_any_text_is_no_genesis(text: str) -> None:
    told = what_is_wrong(text)
    assert told
    assert told.startswith("is no ")


@pytest.mark.parametrize("section", ["eos", "producer", "worker", "snapshots"])
@pytest.mark.parametrize("name", _DECIDED)
def test_a_decided_line_is_a_mistake_wherever_it_stands(file: Path, section: str, name: str) -> None:
    with pytest.raises(WrongConfiguration) as caught:
        read(
            file,
            f"eos:\n{section}: {{config: {{{name}: x}}}}\n" if section != "eos" else f"eos: {{config: {{{name}: x}}}}",
        )
    (mistake,) = caught.value.mistakes
    assert mistake.key == f"{section}.config.{name}"
    assert mistake.message.endswith("; leave it out")


@pytest.mark.parametrize("release", RELEASES)
def test_lines_that_a_release_lacks_are_told_for_it_alone(file: Path, release: str) -> None:
    kind, _, number = release.partition("-")
    line = (kind, int(number[0]))
    lacks = {name for name, (ended, _) in _ENDED.items() if line >= ended}
    lacks |= {name for name, began in _BEGAN.items() if line < began}
    every = "".join(f"    {name}: 1\n" for name in [*_ENDED, *_BEGAN])
    try:
        read(file, f"eos:\n  version: {release}\n  config:\n{every}")
        told = set()
    except WrongConfiguration as wrong:
        told = {mistake.key.removeprefix("eos.config.") for mistake in wrong.mistakes}
    assert told == lacks


def test_no_line_is_in_two_tables() -> None:
    tables = [*_DECIDED, *_ENDED, *_BEGAN]
    assert len(tables) == len(set(tables))


@pytest.mark.parametrize(
    ("release", "page", "own_page"),
    [
        ("leap-3.2.5", False, False),
        ("leap-4.0.6", True, True),
        ("leap-5.0.3", True, False),
        ("spring-1.0.4", True, False),
        ("spring-1.2.2", True, False),
    ],
)
def test_which_releases_have_figures_for_prometheus(release: str, *, page: bool, own_page: bool) -> None:
    options = of_version(release)
    assert (cluster.has_page(options), cluster.has_own_page(options)) == (page, own_page)


def test_the_image_is_that_of_the_release() -> None:
    assert cluster.nodeos_image(of_version("leap-4.0.6")).endswith("-leap-4.0.6")
    assert cluster.build_arguments(of_version("spring-1.2.0-rc1")) == {"DISTRIBUTION": "spring", "VERSION": "1.2.0-rc1"}
    assert cluster.nodeos_image(Options.model_validate({"images": {"nodeos": "a:1"}})) == "a:1"


def test_names_of_workers_go_by_slot() -> None:
    assert cluster.worker_names(Options.model_validate({"worker": {"count": 2}})) == ["worker-1", "worker-2"]
    assert len(cluster.worker_names(Options())) == 8


@pytest.mark.parametrize(
    ("target", "address", "keys"),
    [
        ("compose", "127.0.0.1", ["api", "grafana", "prometheus", "alertmanager", "page"]),
        ("compose", "0.0.0.0", ["api", "grafana", "prometheus", "alertmanager", "page"]),
        ("swarm", "127.0.0.1", ["api", "grafana"]),
        ("swarm", "::1", ["api", "grafana"]),
        ("swarm", "0.0.0.0", ["api", "grafana", "prometheus", "alertmanager", "page"]),
        ("swarm", "", ["api", "grafana", "prometheus", "alertmanager", "page"]),
    ],
)
def test_a_swarm_shows_nothing_to_the_world_that_was_for_one_machine(
    target: str, address: str, keys: list[str]
) -> None:
    options = Options.model_validate({"publish": {"address": address}})
    assert [key for key, _ in cluster.published(options, target)] == keys


def test_what_leads_nowhere_is_not_published() -> None:
    options = Options.model_validate({"worker": {"count": 0}, "grafana": {"count": 0}, "publish": {"prometheus": 0}})
    assert list(cluster.published(options, "compose")) == [("alertmanager", 9093), ("page", 9280)]


KEYS = [f"{name}.{key}" for name, section in Options.model_fields.items() for key in type(section.default).model_fields]
VALUES = st.sampled_from(
    [
        *(
            "",
            "~",
            "x",
            "0",
            "1",
            "3",
            "true",
            "false",
            "1.5",
            "30303",
            "'q'",
            "'${A}'",
            "[a]",
            "{a: b}",
            "eosio",
            "alice",
        ),
        *("leap-4.0.6", "spring-1.1.5", "::1", "a:b", "'a.example:9876'", "512", "10s", "5" * 51, "{plugin: [a]}"),
        *("{data-dir: x}", "node.role==worker", "options.yaml", "/", "0.0.0.0", new_private_key()),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6), st.sampled_from(TARGETS))
def test_any_file_is_options_or_told_to_be_wrong(file: Path, content: dict[str, str], target: str) -> None:
    sections: dict[str, list[str]] = {"eos": []}
    for key, value in content.items():
        sections.setdefault(key.partition(".")[0], []).append(f"{key.partition('.')[2]}: {value}")
    file.write_text("\n".join(f"{name}: {{{', '.join(said)}}}" for name, said in sections.items()))
    told: list[Mistake]
    try:
        options, told = read_options(file, {"A": "${B}"}, target)
    except WrongConfiguration as wrong:
        told = wrong.mistakes
        assert told
    else:
        assert isinstance(options, Options)
        again(file, options, target)
    assert all(str(mistake).isprintable() for mistake in told)


def again(file: Path, options: Options, target: str = "compose") -> None:
    """Check that options, written and read, are the same less secrets."""
    written = as_yaml(options)
    found = read(file, written, target)
    assert as_yaml(found) == written
    for name, section in Options.model_fields.items():
        less = {key: type(section.default).model_fields[key].default for key in SECRETS.get(name, ())}
        assert getattr(found, name) == getattr(options, name).model_copy(update=less)


TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="#"), min_size=1, max_size=20)
LINES = st.dictionaries(
    st.from_regex(r"x[a-z0-9-]{0,20}", fullmatch=True), st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(LINES, LINES)
def test_lines_that_are_written_are_read_as_they_were(
    file: Path, everywhere: dict[str, list[str]], own: dict[str, list[str]]
) -> None:
    again(file, Options.model_validate({"eos": {"config": everywhere}, "worker": {"config": own}}))


def test_no_key_shows() -> None:
    key = new_private_key()
    options = Options.model_validate({"producer": {"signature_key": key}})
    assert key not in repr(options)
    assert key not in as_yaml(options)
