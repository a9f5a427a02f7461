"""Which lines of config.ini the options may give nodes: not those that something else decides, or that nodeos lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from compose.options.eos.cluster import distribution, major
from compose.options.eos.models import Options
from compose.options.notes import Notes

_IN_VOLUME = "is in the node's own volume"
_WITHIN = "is set so that the load balancer, the collector and the other nodes find it"
_KEY = "is decided by `producer.signature_key`"
_PEERS = "is decided by the cluster's own nodes and `eos.peers`"
_AT_START = "is decided at each start by what the node's volume holds"
_ENDS = "would end nodeos at once"
_FOR_ALL_TO_READ = "is a secret, and config.ini is for all to read"

_DECIDED = {
    # By name; says what it is here.
    "http-server-address": _WITHIN,
    "http-category-address": _WITHIN,
    "http-validate-host": _WITHIN,
    "unix-socket-path": _WITHIN,
    "p2p-listen-endpoint": _WITHIN,
    "prometheus-exporter-address": _WITHIN,
    "agent-name": "is the node's name",
    "p2p-peer-address": _PEERS,
    "p2p-auto-bp-peer": _PEERS,
    "allowed-connection": _PEERS,
    "peer-key": _PEERS,
    "peer-private-key": _FOR_ALL_TO_READ,
    "signature-provider": _KEY,
    "private-key": _KEY,
    "producer-name": "is decided by `producer.name`",
    "enable-stale-production": "is decided by `eos.create_genesis`",
    "pause-on-startup": "would keep the producer from producing",
    "data-dir": _IN_VOLUME,
    "config-dir": _IN_VOLUME,
    "blocks-dir": _IN_VOLUME,
    "state-dir": _IN_VOLUME,
    "finalizers-dir": _IN_VOLUME,
    "snapshots-dir": _IN_VOLUME,
    "config": _IN_VOLUME,
    "logconf": _IN_VOLUME,
    "genesis-json": "is decided by `eos.create_genesis` and `eos.genesis`",
    "genesis-timestamp": "is decided by `eos.create_genesis` and `eos.genesis`",
    "snapshot": _AT_START,
    "replay-blockchain": _AT_START,
    "hard-replay-blockchain": _AT_START,
    "delete-all-blocks": _AT_START,
    "force-all-checks": _AT_START,
    "truncate-at-block": _AT_START,
    "terminate-at-block": _ENDS,
    "extract-genesis-json": _ENDS,
    "extract-build-info": _ENDS,
    "print-genesis-json": _ENDS,
    "print-build-info": _ENDS,
    "print-default-config": _ENDS,
    "help": _ENDS,
    "version": _ENDS,
    "full-version": _ENDS,
}

_ENDED = {
    # By name: the line of releases from which on nodeos ends over it, and what to write instead.
    "cpu-effort-percent": (("leap", 5), ""),
    "last-block-cpu-effort-percent": (("leap", 5), ""),
    "last-block-time-offset-us": (("leap", 5), ""),
    "produce-time-offset-us": (("leap", 5), ""),
    "max-nonprivileged-inline-action-size": (("leap", 5), ""),
    "max-scheduled-transaction-time-per-block-ms": (("leap", 5), ""),
    "disable-subjective-billing": (
        ("leap", 5),
        ", or write disable-subjective-api-billing and disable-subjective-p2p-billing",
    ),
    "producer-threads": (("spring", 1), ", or write chain-threads"),
}

_BEGAN = {
    # By name: the line of releases before which nodeos ends over it.
    "read-only-threads": ("leap", 4),
    "read-only-read-window-time-us": ("leap", 4),
    "read-only-write-window-time-us": ("leap", 4),
    "sync-peer-limit": ("leap", 5),
    "vote-threads": ("spring", 1),
    "finality-data-history": ("spring", 1),
}
"""Of both, what the guides for upgrading to Leap 5 and Spring 1 say: nodeos knows far more lines, and judges them."""

_PLUGIN_NAME = re.compile(r"eosio::[a-z][a-z0-9_]*")


def check_config_lines(options: Options, notes: Notes) -> None:
    """Note lines that are not the options' to decide, and those over which this release of nodeos ends."""
    release = (distribution(options), major(options))
    for section in ("eos", "producer", "worker", "snapshots"):
        lines: dict[str, tuple[str, ...]] = getattr(options, section).config
        for name, values in lines.items():
            for wrong in _mistakes(name, values, release):
                notes.wrong((section, "config", name), wrong)


def _mistakes(name: str, values: tuple[str, ...], release: tuple[str, int]) -> Iterator[str]:
    """Yield what is wrong with one line: nothing, or the first thing."""
    ended, instead = _ENDED.get(name, (None, ""))
    began = _BEGAN.get(name)
    if name in _DECIDED:
        yield f"{_DECIDED[name]}; leave it out"
    elif ended and release >= ended:
        yield f"is a line over which nodeos ends from {_named(ended)} on; leave it out{instead}"
    elif began and release < began:
        yield f"is a line that nodeos has from {_named(began)} on; leave it out"
    elif name == "plugin" and not all(map(_PLUGIN_NAME.fullmatch, values)):
        yield "has what is no plugin of nodeos; write such as eosio::trace_api_plugin"


def _named(release: tuple[str, int]) -> str:
    return f"{release[0].capitalize()} {release[1]}"
