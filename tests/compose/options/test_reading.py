"""From any file to options or mistakes, and from options to a file and back."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from collector.configuration import Mistake, WrongConfiguration
from compose.options.eos.models import Options as EosOptions
from compose.options.ethereum.cluster import nodes
from compose.options.ethereum.flags import _DECIDED
from compose.options.ethereum.models import Options
from compose.options.keys import is_replaced
from compose.options.reading import read_options
from compose.options.writing import SECRETS, as_yaml


def read(file: Path, text: str) -> Options:
    """Return what a text says as an options file."""
    file.write_text(text)
    options, _ = read_options(file, {})
    assert isinstance(options, Options)
    return options


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a file to write."""
    return tmp_path / "options.yaml"


def test_a_file_that_says_nothing_is_the_defaults(file: Path) -> None:
    assert read(file, "{}") == Options()
    assert read_options(file, {})[1] == []


def test_the_counts_of_the_dcos_package_by_default() -> None:
    assert [node.name for node in nodes(Options())] == ["sealer-1", "sealer-2", "sealer-3", "client-1", "client-2"]
    assert Options().geth.network_id == 18


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WrongConfiguration, match=r"options\.yaml: cannot be read: No such file or directory"):
        read_options(tmp_path / "options.yaml", {})
    with pytest.raises(WrongConfiguration, match="cannot be read: Is a directory"):
        read_options(tmp_path, {})


def test_json_and_yaml_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"sealer": {"count": 1, "labels": "a:b"}}')
    (tmp_path / "a.yaml").write_text("sealer:\n  count: 1\n  labels:\n    a: b\n")
    assert read_options(tmp_path / "a.json", {}) == read_options(tmp_path / "a.yaml", {})


def test_a_replaced_option_is_told_whatever_it_says(file: Path) -> None:
    for name, section in Options.model_fields.items():
        model = type(section.default)
        for key in filter(lambda key: is_replaced(model, key), model.model_fields):
            for value in ("", "x", "0", "false", "[1, {a: b}]", "~"):
                file.write_text(f"{name}: {{{key}: {value}}}\n")
                options, (remark,) = read_options(file, {})
                assert options == Options()
                assert str(remark).startswith(f"{file}:1: {name}.{key}: is replaced: ")
                assert len(remark.message) > 20


DECIDED = [f"{name}x" if name.endswith(".") else name for name in _DECIDED]


@pytest.mark.parametrize("flag", DECIDED)
def test_a_decided_flag_is_a_mistake_in_each_way_of_writing_it(file: Path, flag: str) -> None:
    for written in (f"--{flag}", f"-{flag}=1", f"--{flag} --nodiscover"):
        file.write_text(f"client: {{args: '{written}'}}\n")
        with pytest.raises(WrongConfiguration) as caught:
            read_options(file, {})
        (mistake,) = caught.value.mistakes
        assert mistake.message.startswith(f"--{flag} "), written


def test_many_mistakes_are_told_at_once_and_in_order(file: Path) -> None:
    file.write_text("sealer:\n  args: attach\n  rpcapi: nett\ngeth: {syncmode: light}\npublish: {grafana: 9090}\n")
    with pytest.raises(WrongConfiguration) as caught:
        read_options(file, {})
    assert [(mistake.line, mistake.key) for mistake in caught.value.mistakes] == [
        (2, "sealer.args"),
        (3, "sealer.rpcapi"),
        (4, "geth.syncmode"),
        (5, "publish.prometheus"),
    ]


KEYS = [f"{name}.{key}" for name, section in Options.model_fields.items() for key in type(section.default).model_fields]
VALUES = st.sampled_from(
    [
        *("", "~", "x", "0", "1", "3", "true", "1.5", "30303", "'q'", "'${A}'", "[a]", "{a: b}", "clique", "eth,net"),
        *("--mine", "1.9.25", "1.8.27", "fast", "::1", "a:b", "512", "10s", "1" * 64, f"'0x{'5' * 40}'"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6) | st.text() | st.binary())
def test_any_file_is_options_or_told_to_be_wrong(file: Path, content: dict[str, str] | str | bytes) -> None:
    if isinstance(content, dict):
        sections: dict[str, list[str]] = {}
        for key, value in content.items():
            sections.setdefault(key.partition(".")[0], []).append(f"{key.partition('.')[2]}: {value}")
        content = "\n".join(f"{name}: {{{', '.join(said)}}}" for name, said in sections.items()) or "{}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    told: list[Mistake]
    try:
        options, told = read_options(file, {"A": "${B}"})
    except WrongConfiguration as wrong:
        told = wrong.mistakes
        assert told
    else:
        assert isinstance(options, Options)
        again(file, options)
    assert all(str(mistake).isprintable() for mistake in told)


def again(file: Path, options: Options) -> None:
    """Check that options, written and read, are the same less secrets."""
    written = as_yaml(options)
    file.write_text(written)
    found, _ = read_options(file, {"A": "a", "B": "b"})
    assert as_yaml(found) == written
    for name, section in Options.model_fields.items():
        less = {key: type(section.default).model_fields[key].default for key in SECRETS.get(name, ())}
        if name in ("sealer", "client"):
            less["create_accounts"] = getattr(options, name).have_accounts
        assert getattr(found, name) == getattr(options, name).model_copy(update=less)


TEXTS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20).filter(str.strip)


OPTIONS = st.fixed_dictionaries(
    {
        "geth": st.fixed_dictionaries(
            {
                "prefund": st.dictionaries(
                    st.binary(min_size=20, max_size=20).map(lambda address: f"0x{address.hex()}"),
                    st.integers(0, 2**255),
                )
            }
        ),
        "client": st.fixed_dictionaries(
            {
                "labels": st.dictionaries(TEXTS.map(lambda text: f"x{text}"), TEXTS, max_size=3),
                "args": TEXTS.map(lambda text: [f"--identity={text}"]),
                "cpus": st.floats(0.01, 1024).map(lambda number: round(number, 3)),
            }
        ),
        "collector": st.fixed_dictionaries({"interval": st.integers(10, 10**7).map(lambda number: number / 1000)}),
        "transfers": st.fixed_dictionaries({"rate": st.integers(0, 10**6).map(lambda number: number / 1000)}),
    }
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(OPTIONS)
def test_what_is_written_is_read_as_it_was(file: Path, said: dict[str, object]) -> None:
    again(file, Options.model_validate(said))


def test_no_secret_is_written(file: Path) -> None:
    options = read(
        file,
        "ethstats: {websocket_secret: hunter2}\n"
        f"sealer: {{account_secret: hunter2, account_privatekeys: '{'1' * 64}', create_accounts: false}}\n",
    )
    assert yaml.safe_load(as_yaml(options)) == {}


def secret_fields() -> list[tuple[str, str, FieldInfo]]:
    """Return every field that holds a secret."""
    return [
        (name, key, field)
        for options in (Options, EosOptions)
        for name, section in options.model_fields.items()
        for key, field in type(section.default).model_fields.items()
        if "SecretStr" in str(field.annotation) and name != "alerts"  # of those, files are written
    ]


def test_every_secret_is_known_as_one() -> None:
    assert {(name, key) for name, key, _ in secret_fields()} == {
        (name, key) for name, keys in SECRETS.items() for key in keys
    }
