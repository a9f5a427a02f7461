"""From a file to the models: everything that is wrong with it at once, or what it says."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path as FilePath
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from collector.configuration.checks import check_alerts, check_configuration
from collector.configuration.document import Document, content_of, parse
from collector.configuration.mistakes import Mistake, Path, WrongConfiguration, shown, unreadable
from collector.configuration.models import FORM, Agent, Chain, Configuration, ServerModel, Shielded, schedule
from collector.configuration.values import Surroundings
from collector.sources import known_kinds

T = TypeVar("T")

_WORDS = {
    "missing": "is missing; write it",
    "extra_forbidden": "is unknown; leave it out",
    "model_type": "is no mapping; write key: value on lines of their own below it",
    "model_attributes_type": "is no mapping; write key: value on lines of their own below it",
    "dict_type": "is no mapping; write key: value on lines of their own below it",
    "tuple_type": "is no list; begin each item with a dash, on a line of its own",
}
"""What is wrong, by pydantic's name of it; all else is said in `values`."""


def read_configuration(
    path: FilePath | str,
    environ: Mapping[str, str] = os.environ,
    kinds: Collection[str] | None = None,
    warn: Callable[[Mistake], None] | None = None,
    alerts: Collection[str] | None = None,
) -> Configuration:
    """Return what a configuration file says. It reads files, so on an event loop it belongs into a thread.

    `kinds` are the known kinds of chain, those of the installed sources if left out. `warn` is told what is allowed,
    but hardly meant. `alerts` are the names of the alerts that there are; left out, `alerts.rules` may name any.

    Raises:
        WrongConfiguration: with every mistake of the file.

    """
    path = FilePath(path)
    try:
        document = parse(str(path), content_of(path), environ)
    except OSError as error:
        raise WrongConfiguration([Mistake(str(path), 0, "", unreadable(error))]) from None
    if document.lines:  # it is YAML
        check_configuration(document)
        if alerts is not None:
            check_alerts(document, alerts)
        surroundings = Surroundings(path.absolute().parent, known_kinds() if kinds is None else kinds)
        configuration = validated(document, TypeAdapter(Configuration), surroundings)
        if configuration is not None and not document.mistakes:
            if warn:
                _warn(configuration, document, warn)
            return configuration
    raise WrongConfiguration(document.mistakes)


def validated(document: Document, kind: TypeAdapter[T], surroundings: Surroundings | None = None) -> T | None:
    """Return the document's data as a model, or None with its mistakes noted."""
    try:
        return kind.validate_python(document.data, context=surroundings)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            document.wrong(_place(document.data, details["loc"]), _told(details))
    return None


def _told(details: ErrorDetails) -> str:
    """Return what is wrong. pydantic's own words for it would do, but ours say what to do as well."""
    if details["input"] is None and details["type"] != "form":
        return "has no value; give it one, or leave it out"
    return _WORDS.get(details["type"]) or details["msg"].removeprefix("Value error, ")


def _place(data: object, location: tuple[str | int, ...]) -> Path:
    """Return where in the file a model's error is.

    Models put a server's form into the location, an index where one mapping stands for a list, and the key `url`
    where a text stands for a mapping.
    """
    path: Path = ()
    for part in location:
        if isinstance(data, dict) and isinstance(part, str) and not FORM.fullmatch(part):
            path = (*path, part)
            if part not in data:
                break
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int):
            path = (*path, part)
            data = data[part]
    return path


def _warn(configuration: Configuration, document: Document, warn: Callable[[Mistake], None]) -> None:
    """Tell of timeouts longer than their interval, at the place that says one of the two."""
    agent = configuration.agent

    def check(section: Agent | Chain | ServerModel | Shielded, path: Path, interval: float, timeout: float) -> None:
        key = next((key for key in ("timeout", "interval") if getattr(section, key) is not None), None)
        if key and timeout > interval:
            message = f"makes the timeout, {timeout:g}s, longer than the interval, {interval:g}s; slow nodes miss ticks"
            warn(Mistake(document.file, document.line((*path, key)), shown((*path, key)), message))

    check(agent, ("agent",), agent.interval, agent.timeout or 0.0)
    for index, chain in enumerate(configuration.chains):
        path: Path = ("chains", index)
        check(chain, path, *schedule(agent, chain))
        for number, server in enumerate(chain.servers):
            check(server, (*path, "servers", number), *schedule(agent, chain, server))
        for number, shielded in enumerate(chain.shielded):
            check(shielded, (*path, "shielded", number), *schedule(agent, chain, shielded))
