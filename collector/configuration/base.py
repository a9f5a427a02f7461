"""What all mappings of a file have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationInfo
from pydantic.fields import FieldInfo


class Model(BaseModel):
    """One mapping: frozen, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


def keys(model: type[Model]) -> dict[str, FieldInfo]:
    """Return the fields of a model by the keys of a file: Python keeps some words, such as `from`, to itself."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def or_from_file(value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
    """Take a secret from its file (`password_file` for `password`), so that nobody need know where it came from."""
    return value if value is not None else info.data.get(f"{info.field_name}_file")
