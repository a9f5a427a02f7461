"""From a file to the options: every mistake at once, or what it says and what should be known of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from collector.configuration.document import content_of, parse
from collector.configuration.mistakes import Mistake, WrongConfiguration, unreadable
from collector.configuration.reading import validated
from compose.options import flags
from compose.options.checks import check_keys, check_together, remark_on
from compose.options.models import Options
from compose.options.notes import Notes
from compose.options.offered import offered
from compose.options.values import line_of

_FAST_ENDS = 10
"""geth 1.10 has `snap` in its place."""


def read_options(path: Path | str, environ: Mapping[str, str] = os.environ) -> tuple[Options, list[Mistake]]:
    """Return what an options file says, YAML or JSON, and what should be known of it: lines in the form of mistakes.

    Raises:
        WrongConfiguration: with every mistake of the file.

    """
    try:
        document = parse(str(path), content_of(path), environ)
    except OSError as error:
        raise WrongConfiguration([Mistake(str(path), 0, "", unreadable(error))]) from None
    options: Options | None = None
    if document.lines:
        check_keys(document)
        options = validated(document, TypeAdapter(Options))
    if options is None or document.mistakes:
        raise WrongConfiguration(document.mistakes)
    notes = Notes(document)
    check_together(options, notes)
    remark_on(options, notes)
    options = _settled(options, notes)
    if notes.mistakes:
        raise WrongConfiguration(set(notes.mistakes))
    return options, sorted(notes.remarks)


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
