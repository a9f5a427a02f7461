"""nodeos's options: on its command line and in config.ini, of the plugins that come with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .ending import NOT_INITIALIZED, EndError


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMAND_SWITCHES = _names(
    "help version full-version force-all-checks disable-replay-opts replay-blockchain "
    "hard-replay-blockchain delete-all-blocks"
)
COMMAND_VALUES = _names("data-dir config-dir config logconf genesis-json genesis-timestamp snapshot")
SWITCHES = _names(
    "enable-stale-production pause-on-startup contracts-console deep-mind disable-ram-billing-notify-checks "
    "disable-api-persisted-trx access-control-allow-credentials verbose-http-errors "
    "resource-monitor-not-shutdown-on-threshold-exceeded"
)
VALUES = _names(
    "blocks-dir blocks-log-stride max-retained-block-files blocks-retained-dir blocks-archive-dir "
    "fix-irreversible-blocks state-dir protocol-features-dir wasm-runtime profile-account abi-serializer-max-time-ms "
    "chain-state-db-size-mb chain-state-db-guard-size-mb signature-cpu-billable-pct chain-threads read-mode "
    "api-accept-transactions validation-mode maximum-variable-signature-length database-map-mode "
    "enable-account-queries transaction-retry-max-storage-size-gb transaction-retry-interval-sec "
    "transaction-retry-max-expiration-sec transaction-finality-status-max-storage-size-gb "
    "transaction-finality-status-success-duration-sec transaction-finality-status-failure-duration-sec "
    "integrity-hash-on-start integrity-hash-on-stop block-log-retain-blocks eos-vm-oc-cache-size-mb "
    "eos-vm-oc-compile-threads eos-vm-oc-enable unix-socket-path http-server-address access-control-allow-origin "
    "access-control-allow-headers access-control-max-age max-body-size http-max-bytes-in-flight-mb "
    "http-max-in-flight-requests http-max-response-time-ms http-validate-host http-threads http-keep-alive "
    "p2p-listen-endpoint p2p-server-address p2p-max-nodes-per-host p2p-accept-transactions agent-name max-clients "
    "connection-cleanup-period max-cleanup-time-msec p2p-dedup-cache-expire-time-sec net-threads sync-fetch-span "
    "use-socket-read-watermark peer-log-format p2p-keepalive-interval-ms max-transaction-time "
    "max-irreversible-block-age keosd-provider-timeout greylist-limit produce-time-offset-us "
    "last-block-time-offset-us cpu-effort-percent last-block-cpu-effort-percent max-block-cpu-usage-threshold-us "
    "max-block-net-usage-threshold-bytes max-scheduled-transaction-time-per-block-ms subjective-cpu-leeway-us "
    "subjective-account-max-failures subjective-account-decay-time-minutes incoming-defer-ratio "
    "incoming-transaction-queue-size-mb disable-subjective-billing disable-subjective-p2p-billing "
    "disable-subjective-api-billing producer-threads snapshots-dir read-only-threads "
    "read-only-write-window-time-us read-only-read-window-time-us resource-monitor-interval-seconds "
    "resource-monitor-space-threshold resource-monitor-space-absolute-gb resource-monitor-warning-interval "
    "prometheus-exporter-address"
)
LISTS = _names(
    "plugin checkpoint actor-whitelist actor-blacklist contract-whitelist contract-blacklist action-blacklist "
    "key-blacklist sender-bypass-whiteblacklist trusted-producer http-alias p2p-peer-address allowed-connection "
    "peer-key peer-private-key producer-name signature-provider greylist-account "
    "disable-subjective-account-billing p2p-auto-bp-peer"
)
SHORT = {
    "d": "data-dir",
    "c": "config",
    "l": "logconf",
    "h": "help",
    "v": "version",
    "e": "enable-stale-production",
    "x": "pause-on-startup",
    "p": "producer-name",
}
PLUGINS = frozenset(
    f"eosio::{name}_plugin"
    for name in _names(
        "chain chain_api db_size_api http http_client login net net_api producer producer_api prometheus "
        "resource_monitor signature_provider state_history test_control test_control_api trace_api"
    )
)
TRUE = frozenset({"", "true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})
DEFAULT_PROVIDER = (
    "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV=KEY:5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
)
"""The public development key that nodeos signs with where no other is given; it is part of nodeos's documentation."""

Given = dict[str, list[str]]


@dataclass(frozen=True)
class Options:
    """Options by name, as texts, with what nodeos makes of them."""

    given: Given
    config_file: Path
    data_dir: Path
    plugins: frozenset[str] = field(default=frozenset())

    def has(self, name: str) -> bool:
        """Return whether an option was given."""
        return name in self.given

    def text(self, name: str, default: str = "") -> str:
        """Return the value of an option that can be given once."""
        return self.given[name][-1] if name in self.given else default

    def texts(self, name: str) -> list[str]:
        """Return the values of an option that can be given many times."""
        return self.given.get(name, [])

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a switch's position."""
        if name not in self.given:
            return default
        text = self.given[name][-1].lower()
        if text not in TRUE | FALSE:
            raise _invalid(name, text)
        return text in TRUE

    def number(self, name: str, default: int, least: int = 0, most: int = 2**63) -> int:
        """Return a whole number within bounds."""
        text = self.text(name, str(default))
        try:
            value = int(text)
        except ValueError:
            raise _invalid(name, text) from None
        if not least <= value <= most:
            raise EndError(f'"{name}" must be between {least} and {most}')
        return value

    def path(self, name: str, default: str) -> Path:
        """Return a directory that is relative to the data directory unless it is absolute."""
        return self.data_dir / self.text(name, default)

    def endpoint(self, name: str, default: str) -> tuple[str, int] | None:
        """Return an address with its port; None where it is blank, which switches a listener off."""
        text = self.text(name, default)
        if not text:
            return None
        host, separator, port = text.rpartition(":")
        if not separator or not port.isdecimal() or len(port) > len("65535") or int(port) >= 2**16:
            raise _invalid(name, text)
        return host.strip("[]"), int(port)


def read(arguments: Sequence[str]) -> Options:
    """Read the command line and the configuration file that it names."""
    given = _command_line(arguments)
    home = Path(os.environ.get("HOME", "/")) / ".local/share/eosio/nodeos"
    config_dir = Path(given["config-dir"][-1]) if "config-dir" in given else home / "config"
    config = config_dir / (given["config"][-1] if "config" in given else "config.ini")
    data = Path(given["data-dir"][-1] if "data-dir" in given else home / "data").absolute()
    for name, values in _configuration(config, named="config" in given).items():
        if name in LISTS:
            given.setdefault(name, []).extend(values)
        else:
            given.setdefault(name, values)
    return Options(given, config, data, _plugins(given.get("plugin", [])))


def _command_line(arguments: Sequence[str]) -> Given:
    given: Given = {}
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument.startswith("--"):
            name, separator, value = argument[2:].partition("=")
        elif argument.startswith("-") and argument[1:2] in SHORT:
            name, value = SHORT[argument[1]], argument[2:]
            separator = value
        else:
            raise _unknown(argument)
        known = COMMAND_SWITCHES | COMMAND_VALUES | SWITCHES | VALUES | LISTS
        if name not in known:
            raise _unknown(argument)
        if not separator and name not in COMMAND_SWITCHES | SWITCHES:
            if not left:
                raise EndError(f"the required argument for option '--{name}' is missing", name="boost::exception")
            value = left.pop(0)
        _add(given, name, value)
    return given


def _configuration(path: Path, *, named: bool) -> Given:
    """Read a configuration file: `key = value`, `#` begins a comment, keys of lists come again."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        if named:
            raise EndError(f"Config file {path} missing.", NOT_INITIALIZED, "main") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise EndError(f"Config file {path} cannot be read: {type(error).__name__}") from None
    given: Given = {}
    for line in text.splitlines():
        bare = line.partition("#")[0].strip()
        if not bare:
            continue
        name, separator, value = (part.strip() for part in bare.partition("="))
        if not separator:
            message = f"the options configuration file contains an invalid line '{name[:40]}'"
            raise EndError(message, name="boost::exception")
        if name not in SWITCHES | VALUES | LISTS:
            raise EndError(f"Unknown option '{name[:80]}' inside the config file {path}", name="std::logic_error")
        _add(given, name, value)
    return given


def _add(given: Given, name: str, value: str) -> None:
    if name in given and name not in LISTS:
        raise EndError(f"option '--{name}' cannot be specified more than once", name="boost::exception")
    given.setdefault(name, []).append(value)


def _plugins(texts: Sequence[str]) -> frozenset[str]:
    loaded = {"eosio::chain_plugin", "eosio::net_plugin", "eosio::producer_plugin", "eosio::resource_monitor_plugin"}
    for text in texts:
        for name in text.replace(",", " ").split():
            if name not in PLUGINS:
                raise EndError(f"unable to find plugin: {name}", name="std::runtime_error")
            loaded.add(name)
    return frozenset(name.removeprefix("eosio::").removesuffix("_plugin") for name in loaded)


def _unknown(argument: str) -> EndError:
    return EndError(f"unrecognised option '{argument.partition('=')[0][:80]}'", name="boost::unknown_option")


def _invalid(name: str, text: str) -> EndError:
    message = f"the argument ('{text[:80]}') for option '--{name}' is invalid"
    return EndError(message, name="boost::invalid_option_value")
