"""Compose files as data, and before those who read them: docker-compose, and the Compose specification's schema."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.compose.rendering.options import files_of
from tests.real.servers import require, unavailable

ONE_SHOT = {"setup", "influxdb-setup"}
PUBLISHING = {"traefik", "grafana", "prometheus", "alertmanager", "collector"}
BESIDE = ["traefik", "collector", "prometheus", "alertmanager", "influxdb", "grafana", "node_exporter"]
"""Sections of the services beside the chain, of every kind of network, that are there by default."""


@cache
def compose_file(name: str) -> dict[str, Any]:
    """Return the compose file of a case as data."""
    found: dict[str, Any] = yaml.safe_load(files_of(name)["compose.yaml"])
    return found


def services(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the services of a case."""
    yield from compose_file(name)["services"].items()


def written(files: Mapping[str, str], folder: Path) -> Path:
    """Write the files of a cluster into a folder and return it."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def docker_compose(folder: Path, *arguments: str) -> str:
    """Run docker-compose in a folder and return what it printed."""
    # It is written in Python, and its package is called compose as well: it must not find ours.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COMPOSE_"))}
    argv = [require("docker-compose"), *arguments]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return done.stdout


@cache
def specification() -> dict[str, Any]:
    """Return the JSON Schema of the Compose specification, of Go's package compose-go."""
    named = os.environ.get("CHAINWATCH_COMPOSE_SPEC")
    modules = Path(os.environ.get("GOMODCACHE") or Path.home() / "go/pkg/mod")
    found = (
        [Path(named)] if named else sorted(modules.glob("github.com/compose-spec/compose-go/v2@*/schema/*-spec.json"))
    )
    if not found or not found[-1].exists():
        unavailable(
            "the schema of the Compose specification is not there: "
            "go mod download github.com/compose-spec/compose-go/v2@v2.16.2, or name the file in CHAINWATCH_COMPOSE_SPEC"
        )
    schema: dict[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
    return schema
