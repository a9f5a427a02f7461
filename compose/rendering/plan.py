"""A cluster as it is rendered: what of it depends on its kind, in the form that all kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """The services of a cluster and what they read.

    `services` are Docker Compose's, in the order in which they start; `networks` holds all that they may be in,
    `files` what they mount, by path in the directory, and `comments` what is said of a place of compose.yaml.
    """

    header: str
    services: Mapping[str, dict[str, Any]]
    networks: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, str]
    comments: Mapping[str, str]
    read_at_start: Mapping[str, tuple[str, ...]]
    """By service the paths, or beginnings of paths, of what it reads once: where that changes it has to start anew."""
