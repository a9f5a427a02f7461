"""The image's Dockerfile: which package it installs, by a shell that only says what it would do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.compose.nodeos.living import PLACE

DOCKERFILE = PLACE / "compose" / "nodeos" / "Dockerfile"
RELEASES = "https://github.com/AntelopeIO"


def install(tmp_path: Path, **arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the instruction that installs nodeos, with programs that do nothing."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    [command] = re.findall(r"^RUN (set -eu;.*)$", text, re.MULTILINE)
    usual = dict(re.findall(r"^ARG (\w+)=(.*)$", text, re.MULTILINE))
    for name in ("apt-get", "curl", "sha256sum", "nodeos", "rm"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n[ {name} != sha256sum ] || cat\n')
        program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **usual, **arguments}
    return subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        ({}, "spring/releases/download/v1.2.2/antelope-spring_1.2.2_amd64.deb"),
        (
            {"DISTRIBUTION": "leap", "VERSION": "4.0.6"},
            "leap/releases/download/v4.0.6/leap_4.0.6-ubuntu22.04_amd64.deb",
        ),
        ({"DISTRIBUTION": "leap", "VERSION": "5.0.3"}, "leap/releases/download/v5.0.3/leap_5.0.3_amd64.deb"),
    ],
)
def test_the_package_of_a_release(tmp_path: Path, arguments: dict[str, str], package: str) -> None:
    done = install(tmp_path, **arguments)
    assert done.returncode == 0, done.stderr
    [curl] = [line for line in done.stdout.splitlines() if line.startswith("curl --fail")]
    assert curl.endswith(f" {RELEASES}/{package}")
    assert "sha256sum" not in done.stdout


def test_another_package_with_its_checksum(tmp_path: Path) -> None:
    done = install(tmp_path, PACKAGE="https://mirror.example/n.deb", SHA256="ab12")
    assert done.returncode == 0, done.stderr
    assert "https://mirror.example/n.deb" in done.stdout
    assert "sha256sum --check --strict" in done.stdout
    assert "ab12  /tmp/nodeos.deb" in done.stdout


def test_a_distribution_that_there_is_not(tmp_path: Path) -> None:
    done = install(tmp_path, DISTRIBUTION="eosio")
    assert done.returncode == 1
    assert "it may be leap or spring" in done.stderr
    assert not done.stdout


def test_no_privileges_and_no_shell_in_between() -> None:
    text = DOCKERFILE.read_text()
    assert "\nUSER nodeos\n" in text
    assert '\nENTRYPOINT ["python3", "-m", "compose.nodeos"]\n' in text  # a shell as PID 1 would keep TERM to itself
