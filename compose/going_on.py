"""What is said when a directory has been made: how to start what is in it, and what is in the way of that."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compose.options.eos.cluster import build_arguments, distribution, major, nodeos_image, published
from compose.options.kinds import EosOptions, EthereumOptions, Options
from compose.options.targets import COMPOSE, SWARM
from compose.options.values import line_of

FILE = {COMPOSE: "compose.yaml", SWARM: "stack.yaml"}
"""What describes the whole cluster, by what it is deployed for."""


@dataclass(frozen=True)
class Deployed:
    """A directory that has been made, and what it was before: None where it is new."""

    options: Options
    target: str
    output: Path
    checkout: Path | None
    """Where images can be built from, None if there is none."""
    before: Options | None
    target_before: str | None
    begins_anew: bool
    """The genesis is another one than before."""
    new_secret: bool
    """The secret that nodes are told when they start is another one than before."""


def _compose(output: Path) -> str:
    """Return the beginning of Compose's commands."""
    return f"docker compose -f {shlex.quote(str(output / FILE[COMPOSE]))}"


def where_to_go_on(made: Deployed) -> Iterator[str]:
    """Yield the lines."""
    yield from _left_behind(made)
    yield from _versions(made)
    if made.begins_anew:
        yield from _data_must_go(made)
    elif made.new_secret:
        yield from _told_anew(made)
    yield from (_on_a_swarm if made.target == SWARM else _on_this_machine)(made)
    secrets = made.output / "keys" / "secrets"
    yield f"Passwords and secrets: {secrets}"
    if made.options.grafana.count and made.options.publish.grafana:
        yield f"Grafana's is for the user admin: {secrets / 'grafana-admin'}"


def _left_behind(made: Deployed) -> Iterator[str]:
    """Yield what goes on running under another name, or under another command."""
    name = made.options.service.name
    before = made.before.service.name if made.before else name
    was = made.target_before or made.target
    ends = f"docker stack rm {before}" if was == SWARM else f"docker compose -p {before} down"
    if was != made.target:
        yield (
            f"The directory was made for {was}, and is for {made.target} now; what runs goes on, with its own volumes, "
            f"and what starts now begins without them. End it with: {ends}"
        )
    elif before != name:
        kind = "stack" if was == SWARM else "project"
        yield (
            f"The {kind} is called {name} now; what runs as {before} goes on, with its own volumes. End it with: {ends}"
        )


def _versions(made: Deployed) -> Iterator[str]:
    """Yield what of the nodes' data another version can't read."""
    before, now = made.before, made.options
    if made.begins_anew:
        return
    if isinstance(before, EthereumOptions) and isinstance(now, EthereumOptions):
        if line_of(now.geth.version) < line_of(before.geth.version):
            yield (
                f"geth goes back from {before.geth.version} to {now.geth.version}, which can't read every chain that "
                "the newer one has written: where a node ends over that, go forward again, or remove its volume."
            )
    elif isinstance(before, EosOptions) and isinstance(now, EosOptions) and _line(before) != _line(now):
        yield (
            f"nodeos goes from {before.eos.version} to {now.eos.version}, and neither reads the other's database: "
            "each node makes its own anew, the producer of its blocks, others from a snapshot. An older nodeos may not "
            "read a newer one's snapshots or blocks, either."
        )


def _line(options: EosOptions) -> tuple[str, int]:
    return distribution(options), major(options)


def _data_must_go(made: Deployed) -> Iterator[str]:
    yield "The genesis is a new one: the old chain's data must go before the nodes start again."
    if made.target == COMPOSE:
        yield f"    {_compose(made.output)} down --volumes"
        return
    name = made.options.service.name
    nodes = f"name=^{name}[-_](producer|snapshots|worker)"
    yield f"    docker stack rm {name}"
    yield "and, on each machine, once its containers have ended:"
    yield f"    docker volume rm $(docker volume ls --quiet --filter '{nodes}')"


def _told_anew(made: Deployed) -> Iterator[str]:
    """Yield how the secret comes to those who run."""
    eos = isinstance(made.options, EosOptions)
    what = "The key that blocks are signed with" if eos else "The stats page's secret"
    if made.target == SWARM:
        yield f"{what} is a new one, and Docker changes no secret that is in use: before the stack is deployed, end it:"
        yield f"    docker stack rm {made.options.service.name}"
        return
    yield f"{what} is a new one: what runs goes on with the old one until it is started anew, with"
    yield f"    {_compose(made.output)} up -d --force-recreate{' setup producer' if eos else ''}"


def _on_this_machine(made: Deployed) -> Iterator[str]:
    for image in _images(made.options):
        if made.checkout is None or image.named or "chainwatch" in made.options.images.model_fields_set:
            yield f"Compose looks for the image {image.name}."
    yield "Start it, or take over what has changed:"
    yield f"    {_compose(made.output)} up -d --remove-orphans"


def _on_a_swarm(made: Deployed) -> Iterator[str]:
    options, images = made.options, _images(made.options)
    assert isinstance(options, EosOptions), "whoever reads the options refuses another kind"
    yield "Every machine of the swarm has to find chainwatch's own images:"
    for image in images:
        place = f" {shlex.quote(str(made.checkout / image.folder))}" if made.checkout else ""
        brought = f"push {image.name}" if _in_registry(image.name) else f"save {image.name} | ssh MACHINE docker load"
        if place:
            yield f"    docker build -t {image.name}{image.arguments}{place}"
        yield f"    docker {brought}"
    if dict(published(options, COMPOSE)) != dict(published(options, SWARM)):
        yield (
            "A swarm publishes at every address of a machine: Prometheus, Alertmanager and the collector's page, which "
            "ask for no password, are not published. `publish.address: 0.0.0.0` does it."
        )
    stack = shlex.quote(str(made.output / FILE[SWARM]))
    yield "Start it on a manager of the swarm, or take over what has changed:"
    yield f"    docker stack deploy --prune --compose-file {stack} {options.service.name}"


@dataclass(frozen=True)
class _Image:
    """An image that is built of a checkout. `named` ones the options name, and Compose finds rather than builds."""

    name: str
    folder: str
    arguments: str
    named: bool


def _images(options: Options) -> list[_Image]:
    images = options.images
    found = [_Image(images.mirror + images.chainwatch, "", "", "chainwatch" in images.model_fields_set)]
    if isinstance(options, EosOptions):
        arguments = "".join(f" --build-arg {name}={value}" for name, value in build_arguments(options).items())
        name = images.mirror + nodeos_image(options)
        found.append(_Image(name, "compose/nodeos", arguments, options.images.nodeos is not None))
    return found


def _in_registry(name: str) -> bool:
    """Tell whether an image's name begins with a registry's: it has a port or a dot."""
    first, slash, _ = name.partition("/")
    return bool(slash) and ("." in first or ":" in first)
