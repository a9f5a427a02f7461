"""compose.yaml: all services, in the order in which they start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from compose.rendering.document import Shared, document, whole
from compose.rendering.plan import Plan

_CHECKSUM = "chainwatch.configuration"
"""Label with a checksum of what a service reads when it starts: where that has changed, `up` starts it anew."""


def compose_file(plan: Plan) -> str:
    """Return compose.yaml."""
    services = dict(plan.services)
    for name, paths in plan.read_at_start.items():
        if name in services:
            services[name]["labels"][_CHECKSUM] = checksum(
                text for path, text in sorted(plan.files.items()) if path.startswith(paths)
            )
    content: dict[str, Any] = {
        f"x-{shared.anchor}": shared for service in services.values() for shared in _bases(service)
    }
    content["services"] = services
    content["networks"] = used_networks(plan, services)
    content["volumes"] = {name: {} for name in _volumes(services)}
    return document(escaped(content), plan.header, _comments(plan, content))


def used_networks(plan: Plan, services: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the networks that services are in."""
    used = {name for service in services.values() for name in whole(service).get("networks", [])}
    return {name: settings for name, settings in plan.networks.items() if name in used}


def checksum(texts: Iterator[str]) -> str:
    """Return what changes when one of the texts does."""
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def _volumes(services: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the named volumes that services use, those of the nodes first."""
    mounts = [mount.partition(":")[0] for service in services.values() for mount in service.get("volumes", [])]
    named = dict.fromkeys(name for name in mounts if not name.startswith((".", "/")))
    return [name for name in named if name in services] + [name for name in named if name not in services]


def _comments(plan: Plan, content: Mapping[str, Any]) -> dict[str, str]:
    """Return the comments on what is there; a service that has none stands apart from the one before at least."""
    comments = {f"services.{name}": "" for name in content["services"]} | dict(plan.comments)
    there = {*content, *(f"{part}.{name}" for part in content for name in content[part])}
    return {path: comment for path, comment in comments.items() if path in there}


def _bases(service: Mapping[str, Any]) -> Iterator[Shared]:
    """Yield what a service, or a mapping in it, is based on, each after its own base."""
    for value in service.values():
        if isinstance(value, dict):
            yield from _bases(value)
        if isinstance(value, Shared):
            yield value


def escaped(content: dict[str, Any]) -> dict[str, Any]:
    """Return a document in which Compose finds no variable."""
    found: dict[str, Any] = _escaped(content, {})
    return found


def _escaped(value: Any, done: dict[int, Shared]) -> Any:  # noqa: ANN401 - a document holds anything
    """Return a value in which Compose finds no variable: what is shared stays shared."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_escaped(inner, done) for inner in value]
    if not isinstance(value, dict):
        return value
    if id(value) in done:
        return done[id(value)]
    mapping = {key: _escaped(inner, done) for key, inner in value.items()}
    if isinstance(value, Shared):
        done[id(value)] = mapping = Shared(value.anchor, mapping)
    return mapping
