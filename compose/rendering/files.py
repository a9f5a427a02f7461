"""Every file of a cluster's directory that is made of its options alone."""

from __future__ import annotations

from compose.options.kinds import EosOptions, Options
from compose.rendering.composefile import compose_file
from compose.rendering.eos.plan import plan as eos_plan
from compose.rendering.ethereum.plan import plan as ethereum_plan


def rendered(options: Options, *, source: str | None = None) -> dict[str, str]:
    """Return the files by relative path. The same options give the same files; no secret is in them.

    `source` is where the image of chainwatch is built from, relative to the directory; without it there is no build.
    """
    plan = eos_plan(options, source) if isinstance(options, EosOptions) else ethereum_plan(options, source)
    return {
        ".env": f"# Compose's name of this cluster.\nCOMPOSE_PROJECT_NAME={options.service.name}\n",
        "compose.yaml": compose_file(plan),
        "keys/.gitignore": "# Keys and secrets are for this directory alone.\n*\n!.gitignore\n",
        **plan.files,
    }
