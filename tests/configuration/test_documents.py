"""The schema, the documentation and the example say what the models say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

from collector.configuration import Mistake, alerting, json_schema, models, read_configuration
from collector.configuration.base import Model, keys
from collector.configuration.schema import default_as_written

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "configuration.schema.json"
DOCUMENT = ROOT / "docs" / "configuration.md"
EXAMPLE = ROOT / "chainwatch.example.yaml"

SECTIONS: dict[str, type[Model]] = {
    "agent": models.Agent,
    "shard": models.Shard,
    "chains": models.Chain,
    "A URL": models.StaticServer,
    "A DNS name": models.DnsServer,
    "Files": models.FileServer,
    "ethstats": models.Ethstats,
    "groups": models.EthstatsGroup,
    "shielded": models.Shielded,
    "health": models.Health,
    "outputs": models.Outputs,
    "prometheus": models.Prometheus,
    "page": models.LivePage,
    "influxdb": models.Influxdb,
    "traefik": models.Traefik,
    "notify": alerting.Notify,
    "alerts": alerting.Alerts,
    "rules": alerting.Rule,
    "channels": alerting.Channel,
    "webhook": alerting.Webhook,
    "slack": alerting.Slack,
    "telegram": alerting.Telegram,
    "mail": alerting.Mail,
    "pagerduty": alerting.PagerDuty,
}


def fields() -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield every key of the configuration, with the section of the documentation that explains it."""
    for section, model in SECTIONS.items():
        for key, field in keys(model).items():
            yield section, key, field


def row(key: str, field: FieldInfo) -> str:
    """Return the line of a table that explains a key."""
    default = default_as_written(field)
    shown = "required" if field.is_required() else "" if default is None else f"`{json.dumps(default).strip(chr(34))}`"
    return f"| `{key}` | {shown} | {field.description} |"


def section(title: str) -> str:
    """Return a section of the documentation, up to the next heading."""
    found = re.search(rf"^#+ `?{re.escape(title)}`?\n(.*?)(?=^#|\Z)", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def test_the_schema_is_the_one_of_the_models() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "collector.configuration"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(printed) == json_schema()
    assert SCHEMA.read_text() == printed, "run: python -m collector.configuration > docs/configuration.schema.json"


def test_the_schema_describes_every_key() -> None:
    schema = json_schema()
    for definition in (schema, *schema["$defs"].values()):
        assert definition["description"]
        assert definition["additionalProperties"] is False
        for entry in definition["properties"].values():
            assert entry["description"].endswith((".", ".)"))
            assert "default" not in entry or entry["default"] is not None


def test_every_model_is_documented() -> None:
    named = [*vars(models).values(), *vars(alerting).values()]
    known = {model for model in named if isinstance(model, type) and issubclass(model, Model)}
    without_keys = {Model, models.ServerModel, models.Configuration, models.Telegraf, models.Stdout}
    assert known == set(SECTIONS.values()) | without_keys


@pytest.mark.parametrize(
    ("title", "key", "field"), list(fields()), ids=lambda part: part if isinstance(part, str) else ""
)
def test_every_key_is_documented(title: str, key: str, field: FieldInfo) -> None:
    assert row(key, field) in section(title).splitlines()


def test_nothing_else_is_documented() -> None:
    rows = {(title, row(key, field)) for title, key, field in fields()}
    for title in SECTIONS:
        for line in section(title).splitlines():
            assert not line.startswith("| `") or (title, line) in rows


def test_the_example_is_right_and_names_every_key() -> None:
    warned: list[Mistake] = []
    configuration = read_configuration(EXAMPLE, {}, {"ethereum", "nodeos"}, warned.append)
    assert not warned
    assert configuration.outputs
    text = EXAMPLE.read_text()
    for _, key, _ in fields():
        assert re.search(rf"\b{key}:", text), key


def test_the_examples_of_the_documentation_are_right(tmp_path: Path) -> None:
    examples = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE)
    whole = [example for example in examples if "chains:" in example]
    assert whole
    [dynamic] = [example for example in examples if "loadBalancer:" in example]
    (tmp_path / "clients.yaml").write_text(dynamic)
    secrets = ("INFLUX_TOKEN", "SEALERS_SECRET", "CLIENTS_SECRET", "CLIENTS_NEXT_SECRET", "PAGERDUTY_KEY")
    environment = dict.fromkeys(secrets, "t") | {"SLOT": "2", "SLACK_URL": "https://hooks.example/t"}
    for example in whole:
        (tmp_path / "chainwatch.yaml").write_text(example)
        read_configuration(tmp_path / "chainwatch.yaml", environment, {"ethereum", "nodeos"})
