"""Every file of a cluster's directory that is made of its options alone."""

from __future__ import annotations

from compose.options.kinds import EosOptions, Options
from compose.options.targets import COMPOSE, SWARM
from compose.rendering.composefile import compose_file
from compose.rendering.eos.plan import plan as eos_plan
from compose.rendering.ethereum.plan import plan as ethereum_plan
from compose.rendering.stackfile import stack_file


def rendered(options: Options, *, source: str | None = None, target: str = COMPOSE) -> dict[str, str]:
    """Return the files by relative path. The same options give the same files; no secret is in them.

    `source` is where images are built from, relative to the directory; without it there is no build. `target` is
    `compose`, or `swarm` for an EOSIO or Antelope network.
    """
    if isinstance(options, EosOptions):
        plan = eos_plan(options, source, target)
    else:
        assert target == COMPOSE, "whoever reads the options refuses this"
        plan = ethereum_plan(options, source)
    keys = {"keys/.gitignore": "# Keys and secrets are for this directory alone.\n*\n!.gitignore\n"}
    if target == SWARM:
        return {"stack.yaml": stack_file(plan), **keys, **plan.files}
    return {
        ".env": f"# Compose's name of this cluster.\nCOMPOSE_PROJECT_NAME={options.service.name}\n",
        "compose.yaml": compose_file(plan),
        **keys,
        **plan.files,
    }
