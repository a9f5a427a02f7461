"""A target: one server, with all that the configuration says of how to gather it.

Two targets are equal when nothing about them differs: that is how a reload knows which servers to leave alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from urllib.parse import SplitResult, urlsplit, urlunsplit


@lru_cache(maxsize=4096)
def without_secrets(url: str) -> str:
    """Return the URL as it may be shown: no user, no password, no query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


@dataclass(frozen=True)
class Target:
    """One server of one chain.

    `url` may carry `user:password@`; use `shown` for messages. `interval`, `timeout`, `jitter` are seconds;
    `block_period` too, 0 where unknown. `metrics` is the selection, dotted paths; None means the source's own default.
    `dns` is the name behind which DNS gave the address in the URL, empty where nothing of the kind was asked;
    `tls_name` the one to expect in the certificate of such a server.
    `labels` are tags beyond chain, node and role.
    """

    chain: str
    kind: str
    name: str
    url: str = field(repr=False)
    role: str = ""
    metrics_url: str = field(default="", repr=False)
    metrics: tuple[str, ...] | None = None
    interval: float = 10.0
    timeout: float = 5.0
    jitter: float = 0.0
    block_period: float = 0.0
    dns: str = ""
    tls_name: str = ""
    labels: tuple[tuple[str, str], ...] = ()

    @cached_property
    def shown(self) -> str:
        """The URL without secrets."""
        return without_secrets(self.url)

    @cached_property
    def parts(self) -> SplitResult:
        """The URL, split."""
        return urlsplit(self.url)

    @cached_property
    def host(self) -> str:
        """The host of the URL: the tag `server` of the raw metrics."""
        return self.parts.hostname or ""

    @cached_property
    def port(self) -> int:
        """The port of the URL, 80 or 443 where it names none: the tag `port`."""
        return self.parts.port or (443 if self.parts.scheme == "https" else 80)

    @cached_property
    def tags(self) -> dict[str, str]:
        """The tags that every reading of this target carries."""
        return {**dict(self.labels), "chain": self.chain, "node": self.name, "role": self.role}

    def __str__(self) -> str:
        return f"{self.chain}/{self.name}"
