"""What becomes of options whose values are each right: checked together, and less what can't be had."""

from __future__ import annotations

from compose.options.ethereum import flags
from compose.options.ethereum.checks import check_together, remark_on
from compose.options.ethereum.models import Options
from compose.options.ethereum.offered import offered
from compose.options.notes import Notes
from compose.options.values import line_of

_FAST_ENDS = 10
"""geth 1.10 has `snap` in its place."""


def settled(options: Options, notes: Notes) -> Options:
    """Return the options as they are worked with; mistakes and remarks are noted."""
    check_together(options, notes)
    remark_on(options, notes)
    return _settled(options, notes)


def _settled(options: Options, notes: Notes) -> Options:
    """Return the options less what is said twice or can't be had; what is left out is noted."""
    geth: dict[str, object] = {}
    if options.geth.syncmode == "fast" and line_of(options.geth.version) >= _FAST_ENDS:
        notes.remark(("geth", "syncmode"), f"is replaced: geth {options.geth.version} has snap in its place")
        geth["syncmode"] = "snap"
    roles = {
        name: role.model_copy(
            update={
                "rpcapi": offered(options, name, role.rpcapi, notes),
                "args": flags.accepted(options, name, role.args, notes),
            }
        )
        for name, role in (("sealer", options.sealer), ("client", options.client))
    }
    geth["network_id"] = flags.network_id(options, [*roles["sealer"].args, *roles["client"].args])
    return options.model_copy(update={**roles, "geth": options.geth.model_copy(update=geth)})
