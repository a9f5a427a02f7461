"""What a single option may be. As in `collector.configuration.values`: ValueError with "what is wrong; what to do".

Messages never quote the value: it may be a secret.
"""

from __future__ import annotations

import ipaddress
import math
import re
import shlex
from collections.abc import Callable

from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address
from pydantic import SecretStr

from collector.configuration.values import possibly_empty, secret, text, whole

GETH_VERSIONS = ("1.8.27", "1.9.25", "1.10.26", "1.11.6", "1.12.2", "1.13.15")
"""The last release of each line that can run a private chain without a beacon node."""

LAST_THAT_SEALS = GETH_VERSIONS[-1]

MOST_NODES = 100
MOST_MEGABYTES = 1 << 20
_DAY = 86_400
_MOST_DAYS = 36_500
"""A hundred years: Prometheus and InfluxDB count nanoseconds in 63 bits, and end at 292."""
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Private keys of secp256k1 are below it (SEC 2, section 2.4.1)."""

_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MODULE = re.compile(r"[a-z0-9]+")
_REPOSITORY = re.compile(r"([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]{1,5})?/)?[a-z0-9]+(([._/]|__|-+)[a-z0-9]+)*")
_VERSION = re.compile(r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?")
"""What Docker takes: the name of an image with the registry's before it; tag and digest."""
_ETHSTATS = re.compile(r"[A-Za-z0-9!#$%&()*+,./;<=>?^_{|}~\[\]-]{1,200}")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def line_of(version: str) -> int:
    """Return the line of releases that a version belongs to: 13 of 1.13.15."""
    return int(version.split(".")[1])


def count(value: object) -> int:
    """Return how many nodes of a role there are."""
    number = whole(value)
    if number > MOST_NODES:
        raise ValueError(f"is too large; write {MOST_NODES} at most")
    return number


def none_or_one(value: object) -> int:
    """Return whether there is one of a service."""
    number = whole(value)
    if number > 1:
        raise ValueError("is too large; write 1, or 0 to do without")
    return number


def _decimal(value: object) -> float:
    """Return a number, with or without a decimal point; nan for anything else, which is within no range."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else math.nan
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def cpus(value: object) -> float:
    """Return how many processors a container may use: 0.5, 2."""
    number = _decimal(value)
    if not 0.01 <= number <= 1024:  # noqa: PLR2004 - what Docker takes
        raise ValueError("is no number of processors; write one such as 0.5, from 0.01 to 1024")
    return number


def rate(value: object) -> float:
    """Return how often something happens each second, 0 for never."""
    number = _decimal(value)
    if not (number == 0 or 0.001 <= number <= 1000):  # noqa: PLR2004 - more than such a chain takes
        raise ValueError("is no rate; write how many there are each second, from 0.001 to 1000, or 0 for none")
    return number


def megabytes(value: object) -> int:
    """Return a size in megabytes, as the DC/OS package's options write it."""
    number = whole(value)
    if not 16 <= number <= MOST_MEGABYTES:  # noqa: PLR2004 - see the message
        raise ValueError(f"is no size in megabytes; write a number from 16 to {MOST_MEGABYTES}")
    return number


def labels(value: object) -> dict[str, str]:
    """Return labels for containers: `name:value,name:value`, or a mapping."""
    if isinstance(value, dict):
        found = {text(key): possibly_empty(label) for key, label in value.items()}
    else:
        pairs = [pair.partition(":") for pair in possibly_empty(value).split(",") if pair.strip()]
        if not all(name.strip() and separator for name, separator, _ in pairs):
            raise ValueError("are no labels; write name:value,name:value")
        found = {name.strip(): label.strip() for name, _, label in pairs}
    if any(name.startswith("com.docker.") for name in found):
        raise ValueError("name one that begins with com.docker., which are Docker's own; choose another name")
    return found


def geth_version(value: object) -> str:
    """Return a version of geth that is known here."""
    version = text(value).removeprefix("v")
    if version not in GETH_VERSIONS:
        parts = re.fullmatch(r"1\.(\d{1,3})\.\d{1,3}", version)
        if parts and int(parts[1]) > 13:  # noqa: PLR2004 - geth 1.14.0 refuses to seal (facts of its release notes)
            raise ValueError(f"seals no chain, as none does from 1.14.0 on; write {LAST_THAT_SEALS}")
        raise ValueError(f"is no version of geth that is known here; write one of {', '.join(GETH_VERSIONS)}")
    return version


def project_name(value: object) -> str:
    """Return the name of a cluster: a project of Docker Compose, and the label `chain`."""
    name = text(value)
    if not _PROJECT.fullmatch(name):
        raise ValueError("is no name for a cluster; write lower-case letters, digits, - and _, a letter or digit first")
    return name


def fits_ethstats(found: str) -> bool:
    """Tell whether geth can be given a secret of the stats page.

    It stands in `NAME:SECRET@ws://HOST:PORT` as it is: geth 1.8 takes it to end at the first `@`, and later versions
    take it to begin at the last `:`.
    """
    return bool(_ETHSTATS.fullmatch(found))


def ethstats_secret(value: object) -> SecretStr:
    """Return the secret of the stats page, which geth takes as part of `name:secret@host` alone."""
    found = secret(value)
    if not fits_ethstats(found.get_secret_value()):
        raise ValueError("holds what geth can't be given there; write letters, digits, - and _, 200 at most")
    return found


def private_keys(value: object) -> tuple[SecretStr, ...]:
    """Return private keys: 64 hexadecimal digits each, separated by commas, or a list."""
    if isinstance(value, tuple) and all(isinstance(key, SecretStr) for key in value):
        return value
    given = value if isinstance(value, list) else [key for key in possibly_empty(value).split(",") if key.strip()]
    return tuple(private_key(key) for key in given)


def private_key(value: object) -> SecretStr:
    """Return one private key, without 0x."""
    key = text(value).strip()
    if not _KEY.fullmatch(key):
        raise ValueError("is no private key; write 64 hexadecimal digits each, separated by commas")
    if not 0 < int(key, 16) < _CURVE_ORDER:
        raise ValueError("is no private key: its number is out of the curve's range; make another one")
    return SecretStr(key.removeprefix("0x").lower())


def separated(value: object) -> list[str]:
    """Return the texts of a list, or of a text with commas between them."""
    given = value if isinstance(value, list | tuple) else possibly_empty(value).split(",")
    return [text(part).strip() for part in given if part != ""]


def modules(value: object) -> tuple[str, ...]:
    """Return modules of geth's JSON-RPC: `eth,net,web3`; empty is none, which shuts RPC."""
    names = separated(value)
    if not all(_MODULE.fullmatch(name) for name in names):
        raise ValueError("are no modules of JSON-RPC; write names with commas between them: eth,net,web3")
    return tuple(dict.fromkeys(names))


def arguments(value: object) -> tuple[str, ...]:
    """Return further arguments of geth: a text split as a shell would, nothing in it expanded, or a list."""
    if isinstance(value, list | tuple):
        return tuple(text(argument) for argument in value)
    written = possibly_empty(value)
    try:
        found = tuple(shlex.split(written))
    except ValueError:
        raise ValueError("have a quote that is not closed; close it") from None
    return found


def wei(value: object) -> int:
    """Return an amount in wei: digits, or 0x and hexadecimal digits. Quotes are allowed: it is larger than numbers."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 256:
        return value
    if isinstance(value, str):
        if re.fullmatch(r"[0-9]{1,78}", value) and int(value) < 1 << 256:
            return int(value)
        if re.fullmatch(r"0x[0-9a-fA-F]{1,64}", value):
            return int(value, 16)
    raise ValueError("is no amount in wei; write digits alone: 1000000000000000000 is one ether")


def eth_address(value: object) -> str:
    """Return an account's address with the capitals of its checksum (EIP-55)."""
    address = text(value)
    if not is_hex_address(address) or not address.startswith("0x"):
        raise ValueError("is no address of an account; write 0x and 40 hexadecimal digits")
    plain = address[2:]
    if plain not in (plain.lower(), plain.upper()) and not is_checksum_address(address):
        raise ValueError("has capitals that don't fit its checksum; look for a typing error")
    return to_checksum_address(address)


def host_port(value: object) -> int:
    """Return a port of the host, 0 for none."""
    number = whole(value)
    if number > 65_535:  # noqa: PLR2004 - the range of ports
        raise ValueError("is no port; write a number from 1 to 65535, or 0 not to publish it")
    return number


def ip_address(value: object) -> str:
    """Return an IP address, or nothing."""
    given = possibly_empty(value)
    try:
        if "%" not in given:  # a zone, which neither Docker nor geth takes
            return str(ipaddress.ip_address(given)) if given else ""
    except ValueError:
        pass
    raise ValueError("is no IP address; write one such as 127.0.0.1 or 192.0.2.7")


def advertised_address(value: object) -> str:
    """Return an IP address by which others reach this machine, or nothing."""
    address = ip_address(value)
    if address and ipaddress.ip_address(address).is_unspecified:
        raise ValueError("is every address of the machine; write the one that nodes elsewhere reach")
    return address


def block_period(value: object) -> int:
    """Return seconds between blocks, 0 for blocks on demand: a day at most, as the collector has it, too."""
    number = whole(value)
    if number > _DAY:
        raise ValueError(f"is longer than a day; write {_DAY} at most")
    return number


def days(value: object) -> int:
    """Return for how many days figures are kept."""
    number = whole(value)
    if not 1 <= number <= _MOST_DAYS:
        raise ValueError(f"is no number of days to keep figures for; write one from 1 to {_MOST_DAYS}")
    return number


def verbosity(value: object) -> int:
    """Return how much geth logs, 0 to 9 as the DC/OS package had it; geth's own scale ends at 5."""
    number = whole(value)
    if number > 9:  # noqa: PLR2004 - see above
        raise ValueError("is no verbosity; write a number from 0 (silent) to 5 (everything)")
    return min(number, 5)


def log_level(value: object) -> str:
    """Return a level of the collector's log."""
    level = text(value).upper()
    if level not in ("DEBUG", "INFO", "WARN", "ERROR"):
        raise ValueError("is no level; write DEBUG, INFO, WARN or ERROR")
    return level


def choice(*allowed: str) -> Callable[[object], str]:
    """Return a reader of one of a few words."""

    def chosen(value: object) -> str:
        word = text(value)
        if word not in allowed:
            raise ValueError(f"is unknown; write {', '.join(allowed[:-1])} or {allowed[-1]}")
        return word

    return chosen


def image_name(value: object) -> str:
    """Return the name of an image, with its tag or digest."""
    name = text(value)
    repository = _REPOSITORY.match(name)
    version = name[repository.end() :] if repository else ""
    if not repository or not _VERSION.fullmatch(version):
        raise ValueError("is no name of an image; write one such as traefik:v3.7.15")
    if not version:
        raise ValueError("has no version; write one behind a colon, so that the same image runs tomorrow")
    return name


def image_prefix(value: object) -> str:
    """Return what stands before the images' names: the address of a mirror, or nothing."""
    name = possibly_empty(value).rstrip("/")
    if name and not _REPOSITORY.fullmatch(f"{name}/image"):
        raise ValueError("is no prefix of an image's name; write one such as mirror.example:5000/hub")
    return f"{name}/" if name else ""


def replaced(value: object) -> None:
    """Take any value: another thing does its work here, which the key's description tells."""
    del value
