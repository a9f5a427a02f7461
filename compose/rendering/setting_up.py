"""The one-shot service `setup`: makes what is missing of keys, genesis and secrets, and hands each service its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from compose.options.kinds import Options
from compose.rendering.document import Shared, based_on
from compose.rendering.services import SETUP, labels, limits

_MEGABYTES = 256
"""To make a keystore takes 32 MB, and Python with its libraries 100."""


def setup(options: Options, base: Shared, gifts: Iterable[str], volumes: Iterable[str]) -> dict[str, Any]:
    """Return the service, given the arguments that say who is handed what, and the volumes that this goes into."""
    return based_on(
        base,
        {
            "entrypoint": ["python", "-m", "compose.identities"],
            "command": ["--options=/options.yaml", "--directory=/keys", *gifts],
            "restart": "no",
            "user": "0:0",
            "cap_add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
            "network_mode": "none",
            **limits(1.0, _MEGABYTES),
            "volumes": ["./options.yaml:/options.yaml:ro", "./keys:/keys", *volumes],
            "labels": labels(options, SETUP, {}),
        },
    )
