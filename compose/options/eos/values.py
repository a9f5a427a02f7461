"""What a single option of an EOSIO or Antelope network may be. ValueError with "what is wrong; what to do".

Messages never quote the value: it may be a secret.
"""

from __future__ import annotations

import re

from pydantic import SecretStr, ValidationInfo

from collector.configuration import values
from collector.configuration.document import content_of
from collector.configuration.mistakes import unreadable
from collector.configuration.values import text
from compose.options.eos.genesis import what_is_wrong
from compose.options.values import separated

RELEASES = ("leap-3.2.5", "leap-4.0.6", "leap-5.0.3", "spring-1.0.4", "spring-1.1.5", "spring-1.2.2")
"""One release of each line whose packages are known here; another one of these lines is taken as well."""

MOST_ADDRESSES = 1_000

_RELEASE = re.compile(r"(leap|spring)-(\d{1,2}\.\d{1,2})\.\d{1,3}(-[a-z0-9]{1,8})?")
_LINES = {tuple(release.rsplit(".", 1)[0].split("-")) for release in RELEASES}
_ACCOUNT = re.compile(r"[a-z1-5.]{0,11}[a-z1-5]|[a-z1-5.]{12}[a-j1-5]")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_CONSTRAINT = re.compile(r"[A-Za-z0-9._/-]{1,200} ?(==|!=) ?[A-Za-z0-9._:/ -]{1,200}")
_SHORTEST_PERIOD = 10.0
_PRIVATE_KEY = re.compile(r"(?<![1-9A-Za-z])5[1-9A-HJ-NP-Za-km-z]{50}(?![1-9A-Za-z])|PVT_[A-Z0-9]+_")
"""Both forms of private keys, wherever they stand."""


def release(value: object) -> str:
    """Return a release of nodeos, `spring-1.2.2`."""
    given = text(value)
    found = _RELEASE.fullmatch(given)
    if not found or (found[1], found[2]) not in _LINES:
        raise ValueError(f"is no release of nodeos that is known here; write one such as {', '.join(RELEASES)}")
    return given


def producer_name(value: object) -> str:
    """Return the name of an account, as Antelope has them."""
    name = text(value)
    if not _ACCOUNT.fullmatch(name):
        raise ValueError("is no name of an account; write 1 to 12 of a-z, 1-5 and ., the last of them no dot")
    return name


def signature_key(value: object) -> SecretStr:
    """Return a private key in the form of wallets (WIF): 51 characters that begin with 5."""
    from compose.eos_keys import is_private_key  # noqa: PLC0415 - a curve's arithmetic takes its time

    key = text(value).strip()
    if not is_private_key(key):
        raise ValueError("is no private key; write one as wallets do, 51 characters that begin with 5")
    return SecretStr(key)


def addresses(value: object) -> tuple[str, ...]:
    """Return addresses, `host:port`, of a list or a text with commas between them; each once."""
    found = [values.place(address) for address in separated(value)]
    if len(found) > MOST_ADDRESSES:
        raise ValueError(f"has more than {MOST_ADDRESSES} addresses; leave some out")
    return tuple(dict.fromkeys(map(str, found)))


def genesis_file(value: object, info: ValidationInfo) -> str:
    """Return the text of a file that holds a genesis of nodeos."""
    try:
        content = content_of(values.path(value, info))
        found = content.decode("utf-8-sig")
    except OSError as error:
        raise ValueError(unreadable(error)) from None
    except UnicodeDecodeError:
        raise ValueError("names a file that is not UTF-8; save it in this encoding") from None
    if wrong := what_is_wrong(found):
        raise ValueError(f"names a file that {wrong}")
    return found


def constraints(value: object) -> tuple[str, ...]:
    """Return constraints on the machines that a service runs on: `node.labels.disk==ssd,node.role!=manager`."""
    found = separated(value)
    if not all(_CONSTRAINT.fullmatch(constraint) for constraint in found):
        raise ValueError("has what is no constraint; write such as node.labels.disk==ssd, with commas between them")
    return tuple(found)


def snapshot_period(seconds: float) -> float:
    """Refuse a period in which no snapshot is ever done."""
    if seconds < _SHORTEST_PERIOD:
        raise ValueError(f"is too short; write {_SHORTEST_PERIOD:g}s or more")
    return seconds


def line_name(name: object) -> str:
    """Return the name of a line of config.ini."""
    given = text(name)
    if not _NAME.fullmatch(given):
        raise ValueError("is no name of a line of config.ini; write one such as max-transaction-time")
    return given


def line_values(given: object) -> tuple[str, ...]:
    """Return the values of a line of config.ini: one, or several where it may stand there several times."""
    found = given if isinstance(given, list | tuple) else [given]
    if not found:
        raise ValueError("has no value; give it one, or leave it out")
    return tuple(_line_value(value) for value in found)


def _line_value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    found = str(value) if isinstance(value, int | float) else text(value).strip()
    if "#" in found:
        raise ValueError("has a #, behind which nodeos reads nothing; leave it out")
    if _PRIVATE_KEY.search(found):
        raise ValueError("holds a private key, and config.ini is for all to read; leave it out")
    return found
