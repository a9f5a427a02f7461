"""Keys of an options file that are unknown, or without a value: told as the file was written, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType

from collector.configuration.base import Model
from collector.configuration.document import Document
from collector.configuration.mistakes import nearest


def check_keys(document: Document, options: type[Model], elsewhere: Mapping[str, str]) -> None:
    """Note keys that these options don't have, and those without a value.

    `elsewhere` says of sections that another kind of cluster has what is to be done about them.
    """
    whole = document.data
    if not isinstance(whole, dict):
        return
    for name in whole:
        if name in elsewhere and name not in options.model_fields:
            document.wrong((name,), elsewhere[name])
    _known(document, (), whole, options)
    for name, section in whole.items():
        field = options.model_fields.get(name)
        if field is not None and isinstance(section, dict):
            model = type(field.default)
            _known(document, (name,), section, model)
            for key, value in section.items():
                if value is None and key in model.model_fields and not is_replaced(model, key):
                    document.wrong((name, key), "has no value; give it one, or leave it out")


def is_replaced(model: type[Model], key: str) -> bool:
    """Tell whether a key is one of the DC/OS package whose work is done by something else."""
    return model.model_fields[key].annotation is NoneType


def _known(document: Document, path: tuple[str, ...], section: dict[str, object], model: type[Model]) -> None:
    for key in section:
        if ":" in key:
            document.wrong((*path, key), "has no space behind its colon; write key: value")
        elif key not in model.model_fields:
            wanted = [name for name in model.model_fields if not is_replaced(model, name)]
            document.wrong((*path, key), f"is unknown; {nearest(key, wanted)}")
