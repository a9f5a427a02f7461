"""What holds for every compose file, whichever kind of network it is of and whatever the options are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import yaml

from compose.options.kinds import Options
from compose.rendering import rendered
from tests.compose.rendering import test_composefile as ethereum
from tests.compose.rendering import test_eos_composefile as eos
from tests.compose.rendering.composing import ONE_SHOT, compose_file, docker_compose, services, specification, written
from tests.compose.rendering.options import any_options_of, files_of

NAMES = [*ethereum.NAMES, *eos.NAMES]
WITHOUT_PORT = {"transfers"}
"""Nothing can be asked of it; it ends when it fails, and is started again."""


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_compose_specification_asks_for(name: str) -> None:
    """What Compose 2 itself checks before all else."""
    schema = specification()
    jsonschema.validators.validator_for(schema)(schema).validate(compose_file(name))


@pytest.mark.real
@pytest.mark.parametrize("name", NAMES)
def test_docker_compose_1_reads_it(name: str, tmp_path: Path) -> None:
    """Warnings included: on unused networks, on variables that are not set."""
    told = yaml.safe_load(docker_compose(written(rendered(any_options_of(name)), tmp_path), "config"))
    assert set(told["services"]) == {service for service, _ in services(name)}


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_kept_within_bounds(name: str) -> None:
    for service, settings in services(name):
        assert settings["restart"] in ({"no", "on-failure"} if service in ONE_SHOT else {"unless-stopped"}), service
        assert re.fullmatch(r"\d+m", settings["mem_limit"]), service
        assert settings["cpus"] > 0, service
        assert settings["security_opt"] == ["no-new-privileges:true"], service
        assert {"max-size", "max-file"} == set(settings["logging"]["options"]), service
        assert ("healthcheck" in settings) == (service not in ONE_SHOT | WITHOUT_PORT), service
        assert settings["cap_drop"] == ["ALL"] or service == "cadvisor", service
        assert "privileged" not in settings, service


@pytest.mark.parametrize("name", NAMES)
def test_every_image_has_a_version(name: str) -> None:
    for service, settings in services(name):
        assert re.search(r":[^/:]*\d[^/:]*$|:lab$", settings["image"]), service
        assert not settings["image"].endswith(":latest"), service
        assert settings["image"].startswith(any_options_of(name).images.mirror), service


@pytest.mark.parametrize("name", NAMES)
def test_each_waits_for_what_is_there(name: str) -> None:
    """Services that others wait for exist, and are asked for what they can tell."""
    there = dict(services(name))
    for settings in there.values():
        for other, wait in settings.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
            assert wait == {"condition": wanted}
            assert other in there


@pytest.mark.parametrize("name", NAMES)
def test_every_mounted_file_is_there(name: str) -> None:
    """Docker would make a folder, root's own, in the place of what is missing."""
    made = {"./options.yaml", "./keys"}
    for service, settings in services(name):
        for mount in settings.get("volumes", []):
            source = mount.partition(":")[0]
            if source.startswith("./") and source not in made and not source.startswith("./keys/"):
                assert any(path.startswith(source[2:]) for path in files_of(name)), (service, mount)


@pytest.mark.parametrize(
    ("sections", "with_counts"),
    [(ethereum.SECTIONS, ethereum.with_counts), (eos.SECTIONS, eos.with_counts)],
    ids=["ethereum", "eos"],
)
def test_some_counts_of_0_together(sections: list[str], with_counts: Callable[..., Options]) -> None:
    """Every pair of them: nothing waits for, leads to or mounts what is not there."""
    for pair in itertools.combinations(sections, 2):
        files = rendered(with_counts(**dict.fromkeys(pair, 0)))
        found = yaml.safe_load(files["compose.yaml"])
        for service, settings in found["services"].items():
            assert set(settings.get("depends_on", {})) <= set(found["services"]), (pair, service)
            for mount in settings.get("volumes", []):
                source = mount.partition(":")[0]
                assert source.startswith(("/", ".")) or source in found["volumes"], (pair, mount)
                if mount.startswith("./config/"):
                    assert any(path.startswith(source[2:]) for path in files), (pair, mount)
