"""What can go wrong between the collector and a node, as exceptions with a kind that is counted by.

    Failure                    kind
    ├── Unreachable            "dns", "refused", "unreachable", "tls", "cut_off": no whole answer came
    ├── TooLate                "timeout": none in time
    ├── TooLarge               "too_large": more bytes than any node has reason to send
    ├── Refused                "unauthorized", "forbidden", "bad_host", "busy", "http": the node answered with a no
    └── BadAnswer              "not_json", "bad_answer": it answered with something else than asked for;
                               "rpc": with an error of its own, in JSON-RPC's form

The kind is the label `kind` of `chainwatch_gather_errors_total`, so its values are these and no others, with
"internal" for a defect of chainwatch or of a source that somebody added. The message is for the operator: what is
wrong, and what to do where that is known. It never holds a secret: addresses are shown without user and password.
"""

from __future__ import annotations

KINDS = (
    "dns",
    "refused",
    "unreachable",
    "tls",
    "cut_off",
    "timeout",
    "too_large",
    "unauthorized",
    "forbidden",
    "bad_host",
    "busy",
    "http",
    "not_json",
    "bad_answer",
    "rpc",
    "internal",
)


class Failure(Exception):  # noqa: N818 - what failed is the node, not the program
    """A gather, or a part of one, that yields nothing."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        assert kind in KINDS, kind
        self.kind = kind


class Unreachable(Failure):
    """No connection, or one that ended before the answer did."""


class TooLate(Failure):
    """No whole answer before the deadline."""

    def __init__(self, message: str) -> None:
        super().__init__("timeout", message)


class TooLarge(Failure):
    """An answer beyond the limit; reading stopped there."""

    def __init__(self, message: str) -> None:
        super().__init__("too_large", message)


class Refused(Failure):
    """An HTTP status other than 2xx. `status` is that status, `code` the number of nodeos's own error, where told."""

    def __init__(self, kind: str, message: str, status: int, code: int | None = None) -> None:
        super().__init__(kind, message)
        self.status = status
        self.code = code


class BadAnswer(Failure):
    """A whole answer with status 2xx that is not what was asked for."""
