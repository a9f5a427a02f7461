"""stack.yaml: the services of Docker Compose as `docker stack deploy` of Docker 20.10 and newer takes them.

What Compose mounts from the directory becomes Docker's configs, and what is secret its secrets, so that they are there
on whatever machine a service runs. A config can't be changed: its name holds a checksum of its content, and a service
that is given another one starts anew. Secrets have fixed names: nothing that follows from one may stand in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from compose.rendering.composefile import checksum, escaped, used_networks
from compose.rendering.document import Octal, Shared, document, whole
from compose.rendering.plan import Handed, Plan, Spread, Swarm, files_below, network_name
from compose.rendering.services import SLOT

_AS_THEY_ARE = (
    "image",
    "hostname",
    "entrypoint",
    "command",
    "environment",
    "user",
    "read_only",
    "cap_drop",
    "cap_add",
    "stop_grace_period",
    "healthcheck",
    "networks",
    "labels",
)
_OTHERWISE = ("logging", "ports", "volumes", "tmpfs", "cpus", "mem_limit", "restart")
_LEFT_OUT = ("build", "depends_on", "security_opt", "pid")
"""Docker would warn that a swarm has no use for them, or refuse the file."""

_KEYS = "keys"
_MACHINE = "{{.Node.Hostname}}"
"""What Docker puts the name of the machine in for that a task is on."""
_LONGEST_NAME = 64
_LARGEST_CONFIG = 500_000
"""Limits of Docker's, the latter in bytes."""

_FOR_EVER = Shared("restart", {"condition": "any", "delay": "5s"})
_ONCE = {"condition": "on-failure", "delay": "5s"}
_ONE_BY_ONE = Shared(
    "update", {"parallelism": 1, "delay": Spread().update_delay, "order": "stop-first", "failure_action": "pause"}
)

_COMMENTS = {
    "x-update": "The old task is gone before the new one begins: two on one volume would ruin it.",
    "configs": "A config can't be changed: another content has another name. What no service reads any more stays "
    "until `docker config rm`.",
    "secrets": "Nor can a secret, and nothing in its name tells of its content: for another one, `docker stack rm` "
    "comes first.",
}


def stack_file(plan: Plan) -> str:
    """Return stack.yaml."""
    assert plan.swarm is not None
    stack = _Stack(plan, plan.swarm)
    services = {name: stack.service(name, whole(service)) for name, service in plan.services.items()}
    networks = used_networks(plan, plan.services)
    content: dict[str, Any] = {
        "version": "3.8",
        "x-logging": stack.logging,
        "x-restart": _FOR_EVER,
        "x-update": _ONE_BY_ONE,
        "services": services,
        "networks": {
            name: {"name": network_name(plan.swarm.name, name), "driver": "overlay", **settings}
            for name, settings in networks.items()
        },
        "volumes": {name: stack.volume(name) for name in stack.volumes},
        "configs": stack.configs,
        "secrets": stack.secrets,
    }
    content = {key: value for key, value in content.items() if value}
    comments = {f"services.{name}": "" for name in services} | _COMMENTS | dict(plan.comments)
    there = {*content, *(f"{part}.{name}" for part in ("services", "networks") for name in content.get(part, ()))}
    said = {path: comment for path, comment in comments.items() if path in there}
    return document(escaped(content), plan.header, said)


class _Stack:
    """A stack in the making: what its services refer to is gathered while they are converted."""

    def __init__(self, plan: Plan, swarm: Swarm) -> None:
        self._plan = plan
        self._swarm = swarm
        self.logging = Shared("logging", {})
        self.volumes: dict[str, None] = {}
        self.configs: dict[str, dict[str, str]] = {}
        self.secrets: dict[str, dict[str, str]] = {}

    def service(self, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return a service in the stack's form."""
        unknown = settings.keys() - {*_AS_THEY_ARE, *_OTHERWISE, *_LEFT_OUT}
        assert not unknown, f"{name}: nobody has said what becomes of {sorted(unknown)}"
        handed = self._swarm.handed.get(name, ())
        spread = self._swarm.spread.get(name, Spread())
        if spread.everywhere:  # its container is called what the machine is: figures of it are told by that name
            settings = {**settings, "hostname": _MACHINE}
        found = {key: settings[key] for key in _AS_THEY_ARE if settings.get(key)}
        configs = [*self._configs(settings), *(self._handed(it) for it in handed if not it.secret)]
        self.logging.update(settings["logging"])
        parts = {
            "logging": self.logging,
            "ports": [_port(port) for port in settings.get("ports", ())],
            "volumes": list(self._mounts(settings)),
            "configs": configs,
            "secrets": [self._handed(it) for it in handed if it.secret],
            "deploy": _deploy(settings, spread),
        }
        return found | {key: value for key, value in parts.items() if value}

    def volume(self, name: str) -> dict[str, str]:
        """Return a volume: where a service has several slots, each has its own."""
        return {"name": f"{self._swarm.name}-{name}-{SLOT}"} if name in self._swarm.per_slot else {}

    def _mounts(self, settings: Mapping[str, Any]) -> Iterator[str | dict[str, str]]:
        """Yield the mounts that stay mounts; what is kept in memory takes the long form in a swarm."""
        for mount in settings.get("volumes", ()):
            source = mount.partition(":")[0]
            if source.startswith(".") or source in self._swarm.handing:
                continue
            if not source.startswith("/"):
                self.volumes[source] = None
            yield mount
        yield from ({"type": "tmpfs", "target": target} for target in settings.get("tmpfs", ()))

    def _configs(self, settings: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        """Yield what is mounted of the directory. What is mounted of its keys, a swarm hands over itself."""
        for mount in settings.get("volumes", ()):
            source, target, *_ = mount.split(":")
            path = source.removeprefix("./")
            if path == source or path.startswith(f"{_KEYS}/"):
                continue
            found = list(files_below(self._plan.files, path))
            assert found, f"{mount}: there is nothing to make configs of"
            for file, text in found:
                yield {"source": self._config(file, text), "target": target + file.removeprefix(path)}

    def _config(self, path: str, text: str) -> str:
        """Return by what a service refers to the config of a file, which there is from now on."""
        assert len(text.encode()) <= _LARGEST_CONFIG, f"{path}: is too large for a config of Docker's"
        short = "-".join(dict.fromkeys(PurePosixPath(path).with_suffix("").parts[1:]))
        self.configs[short] = {
            "name": _name(self._swarm.name, short, checksum(iter([text]))[:8]),
            "file": f"./{path}",
        }
        return short

    def _handed(self, it: Handed) -> dict[str, Any]:
        """Return by what a service refers to a file that it is handed, as a secret or as a config."""
        short = PurePosixPath(it.source).with_suffix("").name
        kind = self.secrets if it.secret else self.configs
        kind[short] = {"name": _name(self._swarm.name, short), "file": f"./{_KEYS}/{it.source}"}
        owner = {"uid": str(it.uid), "gid": str(it.uid), "mode": Octal(0o400)}
        return {"source": short, "target": it.target, **(owner if it.secret else {})}


def _deploy(settings: Mapping[str, Any], spread: Spread) -> dict[str, Any]:
    found: dict[str, Any] = {"mode": "global"} if spread.everywhere else {"replicas": spread.replicas}
    found["endpoint_mode"] = "dnsrr"
    if spread.constraints:
        found["placement"] = {"constraints": list(spread.constraints)}
    found["resources"] = {
        "limits": {"cpus": f"{settings['cpus']:g}", "memory": settings["mem_limit"].upper()},
    }
    found["restart_policy"] = _ONCE if settings["restart"] == "on-failure" else _FOR_EVER
    usual = spread.update_delay == _ONE_BY_ONE["delay"]
    found["update_config"] = _ONE_BY_ONE if usual else {**_ONE_BY_ONE, "delay": spread.update_delay}
    return found


def _port(port: str) -> dict[str, Any]:
    """Return a port that is published by the machine on which the service runs, at all its addresses."""
    published, target = port.split(":")
    return {"target": int(target), "published": int(published), "protocol": "tcp", "mode": "host"}


def _name(stack: str, *parts: str) -> str:
    """Return a name that Docker takes. It is cut off where it is too long, but for a checksum at its end."""
    *before, last = (stack, *parts)
    head = "-".join(before)[: _LONGEST_NAME - len(last) - 1]
    return f"{head}-{last}"
