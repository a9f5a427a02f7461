"""Which modules of geth's JSON-RPC are left of `rpcapi`: those that the version has, and that a node may offer."""

from __future__ import annotations

from collections.abc import Collection

from collector.configuration.mistakes import listed, nearest
from compose.options.ethereum.models import Options
from compose.options.notes import Notes
from compose.options.values import line_of

_KNOWN = {
    *(
        "admin",
        "clique",
        "debug",
        "engine",
        "eth",
        "ethash",
        "les",
        "miner",
        "net",
        "personal",
        "rpc",
        "txpool",
        "web3",
    ),
}
_NEVER = {"db", "network"}
"""What the DC/OS package named, and geth passes over without a word."""

_NOT_OF_CLIENTS = {"admin", "debug", "personal"}
"""With these, whoever reaches the load balancer can stop a client, fill its disk, or guess at passphrases."""

_PERSONAL_ENDS = 11
"""geth 1.11, and later ones, offer `personal` only with a flag of its own, which says that it is deprecated."""
_DEPRECATED_PERSONAL = "--rpc.enabledeprecatedpersonal"

_LOOKED_AT = ("eth", "net", "txpool", "clique")
"""What the collector asks for; `clique` where that is what seals."""


def offered(options: Options, role: str, modules: Collection[str], notes: Notes) -> tuple[str, ...]:
    """Return the modules that are left of a role's `rpcapi`; mistakes and remarks are noted."""
    path = (role, "rpcapi")
    for name in modules:
        if name not in _KNOWN | _NEVER:
            notes.wrong(path, f"names a module that geth has not; {nearest(name, _KNOWN)}")
    left = list(modules)

    def leave_out(names: Collection[str], reason: str) -> None:
        found = [name for name in left if name in names]
        if found:
            notes.remark(path, f"{listed(found)} {'is' if len(found) == 1 else 'are'} left out: {reason}")
            left[:] = [name for name in left if name not in found]

    leave_out(_NEVER, "geth has no such module; `net` tells of the network")
    if role == "client":
        leave_out(_NOT_OF_CLIENTS, "whoever reaches the load balancer could use it; ask a sealer")
    elif line_of(options.geth.version) >= _PERSONAL_ENDS and _DEPRECATED_PERSONAL not in options.sealer.args:
        leave_out({"personal"}, f"geth {options.geth.version} offers it with {_DEPRECATED_PERSONAL} in `args` alone")
    if notes.says(*path) and options.collector.count:
        _unseen(left, options, path, notes)
    return tuple(left)


def _unseen(left: Collection[str], options: Options, path: tuple[str, str], notes: Notes) -> None:
    wanted = _LOOKED_AT if options.geth.consensus_engine == "clique" else _LOOKED_AT[:-1]
    if not left:
        notes.remark(
            path, "is empty, which shuts RPC: the collector can't ask these nodes, and has only what they push"
        )
    elif missing := [name for name in wanted if name not in left]:
        notes.remark(path, f"lacks {listed(missing)}: the collector can't ask these nodes for it; add what is lacking")
