"""Traefik's dynamic configuration, where an output names it: looked at closely enough to know that it is one.

It is passed on as the text that it is. What Traefik makes of all else in it is Traefik's matter.
"""

from __future__ import annotations

from pydantic import ValidationInfo

from collector.configuration import values
from collector.configuration.document import Document, content_of, parse
from collector.configuration.mistakes import Path, unreadable


def traefik_file(value: object, info: ValidationInfo) -> str:
    """Return the text of a file that holds a dynamic configuration of Traefik, as YAML, with servers to steer.

    Raises ValueError with the first mistake of the file: its name, line and key.
    """
    file = values.path(value, info)
    try:
        content = content_of(file)
    except OSError as error:
        raise ValueError(unreadable(error)) from None
    # `${1}` is a group of a regular expression there, and no variable.
    document = parse(str(value), content.replace(b"${", b"$${"), {})
    if document.lines:  # it is YAML
        _check(document)
    if document.mistakes:
        raise ValueError(f"names a file that is wrong: {min(document.mistakes)}")
    return content.decode("utf-8-sig")


def _check(document: Document) -> None:
    here: Path = ("http", "services")
    services = _mapping(document, (), here)
    found = False
    for name, service in services.items():
        if isinstance(service, dict) and "loadBalancer" in service:  # it may be of another sort, such as weighted
            at = (*here, name, "loadBalancer")
            found |= _servers(document, _mapping(document, at[:-1], at[-1:]).get("servers"), (*at, "servers"))
    if not found and not document.mistakes:
        document.wrong(here, "has no loadBalancer with servers; there is nobody to leave out")


def _servers(document: Document, servers: object, at: Path) -> bool:
    if not isinstance(servers, list):
        document.wrong(at, "is no list; write - url: http://host:8545 below it")
        return False
    for index, server in enumerate(servers):
        if not isinstance(server, dict) or not isinstance(server.get("url"), str):
            document.wrong((*at, index), "has no url; write url: http://host:8545")
    return bool(servers)


def _mapping(document: Document, start: Path, path: Path) -> dict[str, object]:
    """Return the mapping at a path below another; empty, with a mistake noted, where there is none."""
    value = document.data
    for part in (*start, *path):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict):
        return value
    document.wrong((*start, *path), "is no mapping; this is no dynamic configuration of Traefik")
    return {}
