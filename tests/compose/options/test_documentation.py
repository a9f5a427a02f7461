"""docs/deploy.md and docs/deploy-eos.md say what the models say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from collector.configuration.base import Model
from collector.configuration.schema import default_as_written
from compose.eos_keys import new_private_key, public_key_of
from compose.identities.eos.genesis import build, text_of
from compose.options.eos.config_lines import _BEGAN, _ENDED
from compose.options.eos.models import Options as EosOptions
from compose.options.eos.values import RELEASES
from compose.options.ethereum.models import Options
from compose.options.keys import is_replaced
from compose.options.reading import read_options

DOCUMENT = Path(__file__).parents[3] / "docs" / "deploy.md"
DOCUMENT_OF_EOS = DOCUMENT.with_name("deploy-eos.md")
REPLACED = "Options of the DC/OS package that something else replaces"

GENESIS = text_of(build(public_key_of(new_private_key()), datetime.now(UTC)))

DCOS = {
    "debug config": ("list", "show", "target", "target_id"),
    "debug pod": ("pause", "resume"),
    "debug state": ("framework_id", "properties", "property", "refresh_cache"),
    "plan": ("list", "status", "start", "stop", "pause", "resume", "force-restart", "force-complete"),
    "pod": ("list", "status", "info", "restart", "replace"),
    "update": ("start", "force-complete", "force-restart", "package-versions", "pause", "resume", "status"),
}
"""The commands of the DC/OS package, by their first words."""

COMMANDS = ["describe", "endpoints", *(f"{first} {name}" for first, names in DCOS.items() for name in names)]


def sections(options: type[Model]) -> dict[str, type[Model]]:
    """Return the sections of an options file; those that are alike share a heading."""
    titles: dict[type[Model], list[str]] = {}
    for name, section in options.model_fields.items():
        titles.setdefault(type(section.default), []).append(f"`{name}`")
    return {", ".join(names): model for model, names in titles.items()}


TABLES = [
    pytest.param(document, title, model, id=f"{document.stem}: {title}")
    for document, options in ((DOCUMENT, Options), (DOCUMENT_OF_EOS, EosOptions))
    for title, model in sections(options).items()
]


def default(field: FieldInfo) -> str:
    """Return a key's default as it would stand in a file."""
    if isinstance(field.default, tuple) and field.default:
        return f"`{','.join(field.default)}`"
    if isinstance(field.default, float) and not isinstance(written := default_as_written(field), str | None):
        return f"`{written}`"
    if isinstance(field.default, float):
        written = default_as_written(field)
        return f"`{field.default:g}`" if written == str(field.default) else f"`{written}`"
    written = default_as_written(field)
    return "" if written is None else f"`{str(written).lower() if isinstance(written, bool) else written}`"


def rows(model: type[Model]) -> Iterator[str]:
    """Yield the lines of the table of a section."""
    for key, field in model.model_fields.items():
        if not is_replaced(model, key):
            yield f"| `{key}` | {default(field)} | {field.description} |"


def replaced() -> Iterator[str]:
    """Yield the lines of the table of what is replaced."""
    found: dict[str, list[str]] = {}
    for name, section in Options.model_fields.items():
        model = type(section.default)
        for key, field in model.model_fields.items():
            if is_replaced(model, key):
                found.setdefault(field.description or "", []).append(f"`{name}.{key}`")
    for text, keys in found.items():
        yield f"| {', '.join(keys)} | {text[0].upper() + text[1:]} |"


def part(title: str, document: Path = DOCUMENT) -> str:
    """Return a part of a document, up to the next heading."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", document.read_text(), re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


@pytest.mark.parametrize(("document", "title", "model"), TABLES)
def test_every_option_is_documented(document: Path, title: str, model: type[Model]) -> None:
    found = [line for line in part(title, document).splitlines() if line.startswith("| `")]
    assert found == list(rows(model))


def test_every_replaced_option_is_documented() -> None:
    assert [line for line in part(REPLACED).splitlines() if line.startswith("| `")] == list(replaced())


@pytest.mark.parametrize("options", [Options, EosOptions])
def test_every_description_is_a_sentence(options: type[Model]) -> None:
    for model in sections(options).values():
        for field in model.model_fields.values():
            assert field.description
            assert field.description.endswith("."), field.description


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_dcos_package_has_its_row(command: str) -> None:
    found = re.findall(
        rf"^\| `dcos ethereum {re.escape(command)}[` ].* \| (.+) \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    assert found
    assert all(len(text) > 10 for text in found)


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_so_have_install_and_uninstall(command: str) -> None:
    assert f"| `dcos package {command} ethereum" in DOCUMENT.read_text()


@pytest.mark.parametrize(("document", "some"), [(DOCUMENT, 3), (DOCUMENT_OF_EOS, 3)])
def test_the_examples_are_right(tmp_path: Path, document: Path, some: int) -> None:
    examples = re.findall(r"^```(yaml|json)\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
    assert len(examples) >= some
    (tmp_path / "genesis.json").write_text(GENESIS)
    for secret in ("slack-url", "pagerduty-key", "watchdog-url"):
        (tmp_path / secret).write_text("https://secret.example/of-the-example")
    for kind, example in examples:
        (tmp_path / f"options.{kind}").write_text(example)
        target = "swarm" if "placement" in example else "compose"
        read_options(tmp_path / f"options.{kind}", {"SEALERS": "1" * 64, "KEY": new_private_key()}, target)


def test_every_release_and_every_line_that_is_decided_is_documented() -> None:
    text = DOCUMENT_OF_EOS.read_text()
    assert [release for release in RELEASES if f"`{release}`" not in text] == []
    assert [name for name in [*_ENDED, *_BEGAN] if f"`{name}`" not in text] == []
