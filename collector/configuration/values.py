"""What a single value of the configuration may be: from the text of the file to what the collector works with.

Every function takes what a model is given, a `Scalar` of a file or a ready value where code builds the model, and
raises ValueError with "what is wrong; what to do". Messages never quote the value: it may be a secret.
"""

from __future__ import annotations

import glob
import ipaddress
import math
import os
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr, ValidationInfo

from collector.catalogue import CATALOGUE
from collector.configuration.document import Scalar
from collector.configuration.mistakes import listed, nearest, unreadable
from collector.health.assessment import Severity

LONGEST_DURATION = 86_400.0
"""A day: no interval or timeout has reason to be longer, and event loops refuse absurd ones."""

LONGEST_TEXT = 1_000

RESERVED_LABELS = frozenset(
    {label for metric in CATALOGUE for label in metric.labels} | {"server", "port", "time", "le", "quantile"}
)
"""Labels that chainwatch or its outputs give a meaning of their own."""

_DURATION = re.compile(r"(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|us|[dhms]))+")
_DURATION_PART = re.compile(r"([0-9.]+)(ms|us|[dhms])")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?")
_DIGITS = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([kmgt]i?b|b)", re.IGNORECASE)
_BYTES = {"b": 1} | {
    prefix + suffix: base**power
    for power, prefix in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}
_HOST = re.compile(r"(?=.{1,253}\.?$)(?!-)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*\.?")
_LABEL = re.compile(r"(?!__)[A-Za-z_][A-Za-z0-9_]*")
_OUTPUT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])")
_PAGE = re.compile(r"/|(/[A-Za-z0-9._~-]+)+")

ADDRESS = "{address}"
"""Stands for an address that DNS gave, in a node's name and in the URL of its metrics."""

SLOT = "{slot}"
"""Stands for the slot of the replica at an address that DNS gave, in a node's name."""

ENCRYPTION = ("starttls", "tls", "none")
"""How a connection to a mail server may be encrypted."""

MOST_SHARDS = 500
"""Collectors that can share the servers out between themselves."""


@dataclass(frozen=True)
class Surroundings:
    """What values refer to beyond their file: relative paths, and the kinds of chain there are sources for."""

    directory: Path
    kinds: Collection[str]


class Address(NamedTuple):
    """Where to listen, or to connect to.

    To listen, an empty host means all of the machine's addresses; port 0 lets the system choose one.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def duration(value: object) -> float:
    """Return seconds: `10s`, `1m30s`, `500ms`, or a number of seconds."""
    seconds = math.nan
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            seconds = float(value)
        elif _DURATION.fullmatch(value):
            seconds = math.fsum(float(number) * _SECONDS[unit] for number, unit in _DURATION_PART.findall(value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("is no duration; write 10s, 1m30s, 500ms or a number of seconds")
    if seconds > LONGEST_DURATION:
        raise ValueError("is longer than a day; write a shorter one")
    return seconds


def size(value: object) -> int:
    """Return bytes: `64MiB`, `1.5GB`, or a number of bytes."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        if _DIGITS.fullmatch(value):
            return int(value)
        if match := _SIZE.fullmatch(value):
            return int(float(match[1]) * _BYTES[match[2].lower()])
    raise ValueError("is no size; write 64MiB, 500kB or a number of bytes")


def whole(value: object) -> int:
    """Return a whole number, not negative."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, Scalar) and _DIGITS.fullmatch(value):
        if value.quoted:
            raise ValueError("is text; write the number without quotes")
        return int(value)
    raise ValueError("is no whole number; write digits alone")


def switch(value: object) -> bool:
    """Return a yes or no."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Scalar) and not value.quoted and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError("is neither true nor false; write one of them, without quotes")


def text(value: object) -> str:
    """Return a text that may stand in a label."""
    if not isinstance(value, str):
        raise ValueError("is no text; write one value")  # noqa: TRY004 - a mistake in the file, not in the code
    if not value.strip():
        raise ValueError("is empty; write something, or leave it out")
    return possibly_empty(value)


def possibly_empty(value: object) -> str:
    """Return a text that may stand in a label, or be empty."""
    if not isinstance(value, str):
        raise ValueError("is no text; write one value")  # noqa: TRY004 - a mistake in the file, not in the code
    if _INVISIBLE.search(value):
        raise ValueError("holds a line break or another invisible character; remove it")
    if len(value) > LONGEST_TEXT:
        raise ValueError(f"is longer than {LONGEST_TEXT} characters; shorten it")
    return str(value)


def url(value: object) -> str:
    """Return a URL of a server: http or https, a host, any user, password, path and query."""
    address = text(value)
    scheme, separator, rest = address.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        raise ValueError("is no URL; begin it with http:// or https://")
    if not address.isascii() or " " in address:
        raise ValueError("holds a space or a character that URLs can't; write it as %XX, a space as %20")
    try:
        parts = urlsplit(address)
        port, name = parts.port, parts.hostname or ""
    except ValueError:
        raise ValueError(
            "has no valid host and port; write http://host:8545, and %2F for a / in a password, %40 for an @"
        ) from None
    if not name:
        raise ValueError("has no host; write http://host:8545")
    if port == 0:
        raise ValueError("has port 0; write one from 1 to 65535")
    if parts.fragment:
        raise ValueError("has a part behind #; leave it out")
    if "@" in parts.path:  # `http://user:1/2@host` has the host "user"
        raise ValueError("has an @ behind the host; write %40 for it, and %2F for a / in a password")
    host(name)
    return f"{scheme.lower()}://{rest}"


def severity(value: object) -> Severity:
    """Return how bad something is."""
    try:
        return Severity(text(value))
    except ValueError:
        raise ValueError(f"is no severity; write {listed(list(Severity), 'or')}") from None


def mail_address(value: object) -> str:
    """Return an address of mail, alone: `team@example.org`."""
    address = text(value)
    if not _MAIL_ADDRESS.fullmatch(address):
        raise ValueError("is no address of mail; write one alone, such as team@example.org")
    return address


def encryption(value: object) -> str:
    """Return how a connection to a mail server is encrypted."""
    if value not in ENCRYPTION:
        raise ValueError(f"is no encryption; write {listed(list(ENCRYPTION), 'or')}")
    return str(value)


def share(value: object) -> float:
    """Return a share of a whole: above 0, at most 1."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not 0 < number <= 1:
        raise ValueError("is no share; write a number above 0, up to 1")
    return number


def plain_url(value: object) -> str:
    """Return a URL without user and query: a database, which has keys for these."""
    address = url(value)
    parts = urlsplit(address)
    if parts.username is not None or parts.query:
        raise ValueError("holds a user or a query; leave them out, there are keys for users, passwords and tokens")
    return address.rstrip("/")


def host(value: object) -> str:
    """Return the name or address of a host."""
    name = text(value)
    if _as_address(name.strip("[]")) is None and not _HOST.fullmatch(name):
        raise ValueError("has no valid host; write a name, an IPv4 address, or an IPv6 address in brackets")
    return name


def dns_name(value: object) -> str:
    """Return a name that DNS may know."""
    name = text(value)
    if _as_address(name.strip("[]")) is not None:
        raise ValueError("is an address; write url: http://ADDRESS:PORT instead")
    if not _HOST.fullmatch(name):
        raise ValueError("is no DNS name; write the name alone, without scheme and port")
    return name


def port(value: object) -> int:
    """Return a port to connect to."""
    number = whole(value)
    if not 0 < number <= 65_535:  # noqa: PLR2004 - the range of ports
        raise ValueError("is no port; write a number from 1 to 65535")
    return number


def listen(value: object) -> Address:
    """Return where to listen: `127.0.0.1:9273`, `[::1]:9273`, `:9273` for all addresses."""
    if isinstance(value, Address):
        return value
    name, separator, number = text(value).rpartition(":")
    if not separator or not _DIGITS.fullmatch(number) or int(number) > 65_535:  # noqa: PLR2004 - ports
        raise ValueError("is no address to listen at; write 127.0.0.1:9273, or :9273 for all addresses")
    if ":" in name and not (name.startswith("[") and name.endswith("]")):
        raise ValueError("is no address to listen at; write an IPv6 address in brackets: [::1]:9273")
    return Address(host(name).strip("[]") if name else "", int(number))


def place(value: object) -> Address:
    """Return where to connect to: `203.0.113.5:8888`, `[2001:db8::5]:8888`, `gate.example:8888`."""
    if isinstance(value, Address):
        return value
    name, separator, number = text(value).rpartition(":")
    right = separator and name and "/" not in name and _DIGITS.fullmatch(number)
    if not right or not 0 < int(number) <= 65_535:  # noqa: PLR2004 - ports
        raise ValueError("is no address with a port; write 203.0.113.5:8888, or gate.example:8888")
    if ":" in name and not (name.startswith("[") and name.endswith("]")):
        raise ValueError('has an IPv6 address without brackets; write "[2001:db8::5]:8888"')
    return Address(host(name).strip("[]"), int(number))


def scheme(value: object) -> str:
    """Return http or https."""
    if value not in ("http", "https"):
        raise ValueError("is no scheme; write http or https")
    return str(value)


def url_path(value: object) -> str:
    """Return the path of a URL; empty, or with a slash before it."""
    path = possibly_empty(value)
    if path and (not path.startswith("/") or re.search(r"[\s#]", path)):
        raise ValueError("is no path; begin it with / and write %20 for a space")
    return path


def page(value: object) -> str:
    """Return the path of a page that chainwatch serves."""
    path = text(value)
    if not _PAGE.fullmatch(path):
        raise ValueError("is no path of a page; write one such as /metrics")
    return path


def metric_path(value: object) -> str:
    """Return a dotted path in a node's metrics; `*` stands for any part, or any run of characters in one."""
    path = text(value)
    if "/" in path:
        raise ValueError("has slashes; write dots between the parts: chain.inserts")
    if not all(path.split(".")) or re.search(r"^\s|\s$", path):
        raise ValueError("is no path; write parts with dots between them: chain.inserts, p2p.*")
    return path


def label_name(value: object) -> str:
    """Return a name for a label that neither Prometheus nor chainwatch means something else by."""
    name = text(value)
    if not _LABEL.fullmatch(name):
        raise ValueError("is no name for a label; write letters, digits and _, not beginning with a digit or __")
    if name in RESERVED_LABELS:
        raise ValueError("is a label that chainwatch sets itself; choose another name")
    return name


def output_name(value: object) -> str:
    """Return the name of an output: a label, and part of a file's name."""
    name = text(value)
    if not _OUTPUT_NAME.fullmatch(name):
        raise ValueError("is no name for an output; write letters, digits, dots, dashes and underscores")
    return name


def kind(value: object, info: ValidationInfo) -> str:
    """Return a kind of chain that there is a source for."""
    name = text(value)
    if isinstance(info.context, Surroundings) and name not in info.context.kinds:
        raise ValueError(f"is no kind of chain; {nearest(name, info.context.kinds)}")
    return name


def path(value: object, info: ValidationInfo) -> Path:
    """Return a path in the file system, relative ones from the directory of the configuration file."""
    written = value if isinstance(value, Path) else Path(text(value))
    return info.context.directory / written if isinstance(info.context, Surroundings) else written


def pattern(value: object, info: ValidationInfo) -> str:
    """Return a pattern of files, a relative one from the directory of the configuration file."""
    written = text(value)
    if isinstance(info.context, Surroundings):
        return os.path.join(glob.escape(str(info.context.directory)), written)  # noqa: PTH118 - `*` is no path to pathlib
    return written


def target(value: object) -> str:
    """Return a target of Prometheus' file_sd: `host:port`, or a URL."""
    place = text(value)
    url(place if "://" in place else f"http://{place}")
    return place


def target_label(value: object) -> str:
    """Return the name of a label in Prometheus' file_sd: any, or one that says something about the target."""
    name = text(value)
    return name if name in ("role", "node", "name") or name.startswith("__") else label_name(name)


def secret(value: object) -> SecretStr:
    """Return a secret, which shows as `**********` from here on."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    return SecretStr(text(value))


def secret_file(value: object, info: ValidationInfo) -> SecretStr:
    """Return the secret that a file holds, without the line break at its end."""
    if isinstance(value, SecretStr):
        return value
    try:
        with path(value, info).open("rb") as file:
            content = file.read(LONGEST_TEXT + 3)
        return secret(content.decode().strip())
    except OSError as error:
        raise ValueError(unreadable(error)) from None
    except UnicodeDecodeError:
        raise ValueError("names a file that is not UTF-8; save it in this encoding") from None
    except ValueError as error:
        raise ValueError(f"names a file whose content {error}") from None


def replica_name(value: object) -> str:
    """Return a name with a place for what tells the replicas behind a DNS name apart."""
    name = text(value)
    if ADDRESS not in name and SLOT not in name:
        raise ValueError(
            f"lacks {SLOT} and {ADDRESS}; a DNS name can have several nodes, so write one where it belongs"
        )
    return name


def slot(value: object) -> int:
    """Return the slot of a replica."""
    number = whole(value)
    if not number:
        raise ValueError("is 0; slots count from 1")
    return number


def shards(value: object) -> int | str:
    """Return how many collectors there are, or the DNS name that they are behind."""
    if isinstance(value, int) or (isinstance(value, Scalar) and _DIGITS.fullmatch(value)):
        return _collectors(whole(value))
    if _as_address(text(value).strip("[]")) is not None:
        raise ValueError("is an address; write the DNS name that all the collectors are behind")
    return dns_name(value)


def shard(value: object) -> dict[str, int]:
    """Return the slot and the number of collectors that `SLOT/N` says."""
    found = _SHARD.fullmatch(text(value))
    if not found:
        raise ValueError("is no shard; write SLOT/N, such as 2/3, or a mapping with slot and of")
    number, of = int(found[1]), _collectors(int(found[2]))
    if not 0 < number <= of:
        raise ValueError(f"names slot {number} of {of}; write 1/{of}{f' to {of}/{of}' if of > 1 else ''}")
    return {"slot": number, "of": of}


def url_with_address(value: object) -> str:
    """Return a URL with a place for the address that DNS gave."""
    address = text(value)
    if ADDRESS not in address:
        raise ValueError(f"lacks {ADDRESS}; a DNS name can have several addresses, so write it where theirs belongs")
    url(address.replace(ADDRESS, "127.0.0.1"))
    return address


def node_name(address: str) -> str:
    """Return how a node is called whose configuration gives it no name: `host:port` of its valid URL."""
    parts = urlsplit(address)
    return host_and_port(parts.hostname or "", _port(parts))


def host_and_port(name: str, number: int) -> str:
    """Return `host:port`, an IPv6 address in brackets."""
    return f"[{name}]:{number}" if ":" in name else f"{name}:{number}"


def output_name_for(address: str) -> str:
    """Return how an output is called whose configuration gives it no name: `influxdb-host-port` of its valid URL."""
    parts = urlsplit(address)
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"influxdb-{parts.hostname}-{_port(parts)}")[:100]


def same_place(address: str) -> str:
    """Return what two valid URLs of one server have in common: all but spelling, user and password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{host_and_port(parts.hostname or '', _port(parts))}{parts.path.rstrip('/')}?{parts.query}"


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)


def _collectors(number: int) -> int:
    if not 0 < number <= MOST_SHARDS:
        raise ValueError(f"counts {number} collectors; write 1 to {MOST_SHARDS}")
    return number


def _as_address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
