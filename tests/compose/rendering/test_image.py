"""What gets into the image: the code, and no key of a cluster that somebody made in the checkout."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compose.options.eos.cluster import build_arguments
from compose.options.eos.models import Options
from compose.rendering.eos.handing_out import NODE_USER
from compose.rendering.services import COLLECTOR_USER

ROOT = Path(__file__).parents[3]


def ignored(path: str) -> bool:
    """Tell whether .dockerignore keeps a path out: the last line that names it, or a folder above it, decides."""
    out = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        if pattern and not pattern.startswith("#"):
            expression = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
            if re.fullmatch(f"{expression}(/.*)?", path):
                out = not line.startswith("!")
    return out


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/pyvenv.cfg",
        "lab/keys/genesis.json",
        "compose/keys/sealer-1/nodekey",
        "compose/keys/secrets/ethstats",
        "compose/join/client-3/config.toml",
        "compose/options.yaml",
        "compose/compose.yaml",
        "compose/config/geth/start.sh",
        "collector/__pycache__/about.cpython-313.pyc",
        "tests/conftest.py",
    ],
)
def test_it_stays_out(path: str) -> None:
    assert ignored(path)


@pytest.mark.parametrize(
    "path",
    ["pyproject.toml", "collector/about.py", "compose/rendering/ethereum/start.sh", "compose/rendering/firewall.sh"],
)
def test_it_is_built_from(path: str) -> None:
    assert not ignored(path)
    assert (ROOT / path).exists()


def test_every_package_that_is_installed_is_copied() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert copied == packages


@pytest.mark.parametrize(("path", "uid"), [("Dockerfile", COLLECTOR_USER), ("compose/nodeos/Dockerfile", NODE_USER)])
def test_the_image_has_the_user_that_files_are_handed_to(path: str, uid: int) -> None:
    text = (ROOT / path).read_text()
    (name,) = re.findall(rf"useradd --uid {uid} .*? (\w+) *\\\n", text)
    assert f"\nUSER {name}\n" in text


def test_the_node_image_has_the_volume_and_the_program_that_its_services_count_on() -> None:
    text = (ROOT / "compose/nodeos/Dockerfile").read_text()
    assert "\nVOLUME /data\n" in text
    assert "python3" in text
    assert set(build_arguments(Options())) <= set(re.findall(r"^ARG (\w+)=", text, re.MULTILINE))
