"""How nodeos ends: its exit codes, and the error that ends it."""

from __future__ import annotations

ENDED = 0
"""Asked to, by TERM or INT; but also where it found its port in use or its disk full."""

DIRTY = 2
"""The database was not closed: its process was killed, or is still alive and holds it."""

FAILED = 254
"""Anything else that stops it: an option, a snapshot or a block log that it will not have."""

NOT_INITIALIZED = 255
"""A configuration file that was named is not there."""

BAD_OPTION = "3110000 plugin_config_exception: Incorrect plugin configuration"


class EndError(Exception):
    """Ends the process with `code`; `name` is how nodeos calls what happened, the text goes to its log."""

    def __init__(self, message: str, code: int = FAILED, name: str = BAD_OPTION) -> None:
        super().__init__(message)
        self.code = code
        self.name = name
