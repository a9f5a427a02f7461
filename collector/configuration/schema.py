"""The JSON Schema of the configuration file for editors, and defaults as people write them."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticUndefined, core_schema

from collector.configuration import alerting, models, values
from collector.configuration.base import keys


def json_schema() -> dict[str, Any]:
    """Return the schema as a JSON object."""
    schema = models.Configuration.model_json_schema(schema_generator=_Generator)
    described = [schema, *schema["$defs"].values()]
    for definition in described:
        title = definition["title"]
        model = getattr(models, title, None) or getattr(alerting, title)
        for name, field in keys(model).items():
            entry = definition["properties"][name]
            entry["description"] = field.description  # pydantic leaves it out beside some references
            entry.pop("default", None)
            if (default := default_as_written(field)) is not None:
                entry["default"] = default
    for name in ("page", "influxdb"):  # one, or a list
        output = schema["$defs"]["Outputs"]["properties"][name]
        output["anyOf"] = [output["items"], {"type": output.pop("type"), "items": output.pop("items")}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "chainwatch.yaml",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def default_as_written(field: FieldInfo) -> object:
    """Return a field's default as it would stand in a file; None where there is none to show."""
    default = field.default
    if default in (None, PydanticUndefined, "", (), {}):
        return None
    readers = [item.func for item in field.metadata if isinstance(item, BeforeValidator)]
    if values.duration in readers:
        return f"{default:g}s"
    if values.size in readers:
        return f"{default >> 20}MiB"
    return default if isinstance(default, bool | int) else str(default)


class _Generator(GenerateJsonSchema):
    """The schema of a file: keys are left out rather than null, and their names need no titles."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - the signature is pydantic's
        return False
