"""The types of the models' fields: how each value is read, and how the JSON Schema describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr, WithJsonSchema

from collector.configuration import values
from collector.configuration.traefikfile import traefik_file
from collector.health.assessment import Severity

VARIABLE = r"\$\{"
"""In the schema, what a text may hold where a number is due: `${NAME}`, whose value an editor doesn't know."""


def _frequent(seconds: float) -> float:
    if seconds < 0.01:  # noqa: PLR2004 - see the message
        raise ValueError("is shorter than 10ms; write a longer one")
    return seconds


def at_least(least: int) -> AfterValidator:
    """Return a check for numbers."""

    def check(number: int) -> int:
        if number < least:
            raise ValueError(f"is too small; write {least} at least")
        return number

    return AfterValidator(check)


def at_most(most: int) -> AfterValidator:
    """Return a check for numbers."""

    def check(number: int) -> int:
        if number > most:
            raise ValueError(f"is too large; write {most} at most")
        return number

    return AfterValidator(check)


def _not_empty(items: tuple[object, ...]) -> tuple[object, ...]:
    if not items:
        raise ValueError("is empty; write one at least")
    return items


def empty_is_default(value: object) -> object:
    """Take a key without a value for an empty mapping: `prometheus:` alone turns that output on."""
    return {} if value is None else value


NOT_EMPTY = AfterValidator(_not_empty)

_DURATION = {"type": ["string", "number"], "pattern": rf"^([0-9.]+(ms|us|[dhms])?)+$|{VARIABLE}", "minimum": 0}
_SIZE = {"type": ["string", "integer"], "pattern": rf"^[0-9.]+ ?([kKmMgGtT]?i?[bB])?$|{VARIABLE}", "minimum": 0}
_WHOLE = {"type": ["integer", "string"], "pattern": VARIABLE}
_SHARE = {"type": ["number", "string"], "pattern": VARIABLE, "exclusiveMinimum": 0, "maximum": 1}
_SWITCH = {"type": ["boolean", "string"], "pattern": VARIABLE}
_TEXT = {"type": "string", "minLength": 1}
SHARD_SCHEMA = {"type": "string", "pattern": rf"^[0-9]+/[0-9]+$|{VARIABLE}"}
URL_SCHEMA = {"type": "string", "pattern": rf"^[Hh][Tt][Tt][Pp][Ss]?://|{VARIABLE}"}

Delay = Annotated[float, BeforeValidator(values.duration), WithJsonSchema(_DURATION)]
Duration = Annotated[float, BeforeValidator(values.duration), AfterValidator(_frequent), WithJsonSchema(_DURATION)]
Size = Annotated[int, BeforeValidator(values.size), at_least(1024), WithJsonSchema(_SIZE)]
Whole = Annotated[int, BeforeValidator(values.whole), WithJsonSchema(_WHOLE)]
Switch = Annotated[bool, BeforeValidator(values.switch), WithJsonSchema(_SWITCH)]

SeverityField = Annotated[
    Severity, BeforeValidator(values.severity), WithJsonSchema({"type": "string", "enum": [*Severity]})
]
MailAddress = Annotated[str, BeforeValidator(values.mail_address), WithJsonSchema(_TEXT)]
Encryption = Annotated[
    str, BeforeValidator(values.encryption), WithJsonSchema({"type": "string", "enum": [*values.ENCRYPTION]})
]
Share = Annotated[float, BeforeValidator(values.share), WithJsonSchema(_SHARE)]

Text = Annotated[str, BeforeValidator(values.text), WithJsonSchema(_TEXT)]
PossiblyEmpty = Annotated[str, BeforeValidator(values.possibly_empty), WithJsonSchema({"type": "string"})]
LabelName = Annotated[str, BeforeValidator(values.label_name)]
OutputName = Annotated[str, BeforeValidator(values.output_name), WithJsonSchema(_TEXT)]
Kind = Annotated[str, BeforeValidator(values.kind), WithJsonSchema({**_TEXT, "examples": ["ethereum", "nodeos"]})]
MetricPath = Annotated[str, BeforeValidator(values.metric_path), WithJsonSchema(_TEXT)]

Url = Annotated[str, BeforeValidator(values.url), WithJsonSchema(URL_SCHEMA)]
UrlWithAddress = Annotated[str, BeforeValidator(values.url_with_address), WithJsonSchema(URL_SCHEMA)]
PlainUrl = Annotated[str, BeforeValidator(values.plain_url), WithJsonSchema(URL_SCHEMA)]
Scheme = Annotated[str, BeforeValidator(values.scheme), WithJsonSchema({"type": "string", "enum": ["http", "https"]})]
Port = Annotated[int, BeforeValidator(values.port), WithJsonSchema({**_WHOLE, "minimum": 1, "maximum": 65_535})]
UrlPath = Annotated[str, BeforeValidator(values.url_path), WithJsonSchema({"type": "string"})]
Page = Annotated[str, BeforeValidator(values.page), WithJsonSchema(_TEXT)]
DnsName = Annotated[str, BeforeValidator(values.dns_name), WithJsonSchema(_TEXT)]
ReplicaName = Annotated[str, BeforeValidator(values.replica_name), WithJsonSchema(_TEXT)]
Slot = Annotated[int, BeforeValidator(values.slot), WithJsonSchema({**_WHOLE, "minimum": 1})]
Shards = Annotated[
    int | str,
    BeforeValidator(values.shards),
    WithJsonSchema({"type": ["integer", "string"], "minimum": 1, "maximum": values.MOST_SHARDS, "minLength": 1}),
]
Place = Annotated[values.Address, BeforeValidator(values.place), WithJsonSchema(_TEXT)]
Listen = Annotated[values.Address, BeforeValidator(values.listen), WithJsonSchema(_TEXT)]

Pattern = Annotated[str, BeforeValidator(values.pattern), WithJsonSchema(_TEXT)]
FilePath = Annotated[Path, BeforeValidator(values.path), WithJsonSchema(_TEXT)]
Secret = Annotated[SecretStr, BeforeValidator(values.secret), WithJsonSchema({**_TEXT, "format": "password"})]
SecretFile = Annotated[SecretStr, BeforeValidator(values.secret_file), WithJsonSchema(_TEXT)]
TraefikFile = Annotated[str, BeforeValidator(traefik_file), WithJsonSchema(_TEXT)]
