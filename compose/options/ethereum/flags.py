"""What becomes of geth's flags in `args`: taken as said, given a newer name, left to geth, or an option's business."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.remarks import excerpt
from compose.options.ethereum.models import Options
from compose.options.notes import Notes
from compose.options.values import line_of

_IN_VOLUME = "is a volume of each node's own"
_OWN_KEYS = "is made of what lies in keys/"
_RPC = "is decided by `rpcapi`, which says what is offered, and `publish`, which says where"
_METRICS = "is set so that the collector finds what it reads"
_ENDS = "would end geth at once"
_IPC = "is where the health check and `geth attach` look"

_DECIDED = {
    # By flag without dashes; a name that ends with a dot stands for all that begin so. Says what it is here.
    "datadir": _IN_VOLUME,
    "datadir.": _IN_VOLUME,
    "keystore": _OWN_KEYS,
    "nodekey": _OWN_KEYS,
    "nodekeyhex": _OWN_KEYS,
    "config": _OWN_KEYS,
    "http": _RPC,
    "http.": _RPC,
    "rpc": _RPC,
    "rpcaddr": _RPC,
    "rpcport": _RPC,
    "rpcapi": _RPC,
    "rpcvhosts": _RPC,
    "ws": _RPC,
    "ws.": _RPC,
    "wsaddr": _RPC,
    "wsport": _RPC,
    "wsapi": _RPC,
    "port": "is decided by `publish.p2p`",
    "discovery.port": "is decided by `publish.p2p`",
    "nat": "is decided by `geth.advertise`",
    "networkid": "is decided by `geth.network_id`",
    "syncmode": "is decided by `geth.syncmode`",
    "fast": "is decided by `geth.syncmode`",
    "light": "is decided by `geth.syncmode`",
    "verbosity": "is decided by `verbosity`",
    "ethstats": "is decided by `ethstats`",
    "unlock": "is decided by `unlock_accounts`",
    "allow-insecure-unlock": "is decided by `unlock_accounts`",
    "password": "is decided by `account_secret`",
    "etherbase": "is the account of each node, of `account_privatekeys` or made",
    "miner.etherbase": "is the account of each node, of `account_privatekeys` or made",
    "metrics.": _METRICS,
    "pprof": _METRICS,
    "pprof.": _METRICS,
    "pprofaddr": _METRICS,
    "pprofport": _METRICS,
    "ipcpath": _IPC,
    "ipcdisable": _IPC,
    "dev": "is decided by `geth.create_genesis` and `geth.clique_period`",
    "dev.": "is decided by `geth.create_genesis` and `geth.clique_period`",
    "help": _ENDS,
    "h": _ENDS,
    "version": _ENDS,
    "v": _ENDS,
    "exitwhensynced": _ENDS,
}

_BOOT_NODES = ("bootnodes", "bootnodesv4", "bootnodesv5")

_DECIDED |= dict.fromkeys(_BOOT_NODES, "is decided by `boot.count`, and may stand here if that is 0")

_THREADS = ("minerthreads", "miner.threads")
_SET = ("metrics", "mine", *_THREADS)
"""Flags that nodes are given anyway. Only ethash has a use for threads."""

_LEFT_TO_GETH = {"metrics.expensive", "http.corsdomain", "ws.origins"}

_NETWORKS = {"mainnet": 1, "sepolia": 11_155_111, "holesky": 17_000}
"""Public networks by their flags, with their ids."""

_ENDED = {"goerli", "ropsten", "rinkeby", "testnet", "olympic"}

_WITHOUT_VALUE = {"metrics", "mine", "nodiscover", "nousb", "http", "ws", "rpc", "pprof", "ipcdisable", "dev"} | (
    _NETWORKS.keys() | _ENDED
)
"""Flags behind which a word is no value; there are more, but it matters for these."""

_RENAMED = {
    "rpccorsdomain": "http.corsdomain",
    "wsorigins": "ws.origins",
    "gasprice": "miner.gasprice",
    "extradata": "miner.extradata",
    "lightserv": "light.serve",
    "lightpeers": "light.maxpeers",
}
"""Flags of geth 1.8 that newer ones know under another name only; `targetgaslimit` depends on the version."""

_RENAMED_LATER = {"light.serve": 9, "light.maxpeers": 9, "http.corsdomain": 10, "ws.origins": 10}
_GAS_CEILING = 10
_KNOWS_SEPOLIA = 10
"""Lines of releases, 1.10 and so on, from which on it is so."""


@dataclass(frozen=True)
class _Flag:
    """One flag as it was written, with its value if it has one."""

    name: str
    words: tuple[str, ...]

    @property
    def value(self) -> str | None:
        """What stands behind it, after a space or `=`."""
        _, equals, value = self.words[0].partition("=")
        return value if equals else self.words[1] if len(self.words) > 1 else None

    def renamed(self, name: str) -> tuple[str, ...]:
        return (f"--{name}",) if self.value is None else (f"--{name}={self.value}",)


def accepted(options: Options, role: str, arguments: Sequence[str], notes: Notes) -> tuple[str, ...]:
    """Return what is left of a role's `args` for geth; mistakes and remarks are noted."""
    path = (role, "args")
    left: list[str] = []
    for flag in _flags(arguments, role, notes):
        if flag.name in _SET:
            left += _taken_as_said(flag, options, path, notes)
        elif flag.name in _NETWORKS.keys() | _ENDED:
            left += _network(flag, options, path, notes)
        elif flag.name in _BOOT_NODES and not options.boot.count:
            left += flag.renamed(flag.name)
        elif (decided := _decided(flag.name)) is not None:
            notes.wrong(path, f"--{excerpt(flag.name, 40)} {decided}; leave it out")
        else:
            left += _renamed(flag, options, path, notes)
    return tuple(left)


def network_id(options: Options, arguments: Sequence[str]) -> int:
    """Return the network id of the nodes: that of a public network that their flags name, or that of the options."""
    named = [_NETWORKS[word[2:]] for word in arguments if word[2:] in _NETWORKS]
    return named[0] if named else options.geth.network_id


def _taken_as_said(flag: _Flag, options: Options, path: tuple[str, str], notes: Notes) -> tuple[str, ...]:
    if flag.name in _THREADS:
        return flag.renamed(_THREADS[-1]) if options.geth.consensus_engine == "ethash" else ()
    if flag.value in ("false", "0"):
        notes.wrong(path, f"--{flag.name} is always set; leave it out")
    elif flag.name == "mine" and path[0] != "sealer":
        notes.wrong(path, "--mine is for sealers; leave it out, and raise `sealer.count` for more of them")
    return ()


def _network(flag: _Flag, options: Options, path: tuple[str, str], notes: Notes) -> tuple[str, ...]:
    known = flag.name
    if options.geth.create_genesis:
        notes.wrong(path, f"--{flag.name} names a public network; leave it out, or set `geth.create_genesis: false`")
    elif flag.name in _ENDED and line_of(options.geth.version) >= _KNOWS_SEPOLIA:
        known = "sepolia"
        notes.remark(
            path, f"--{flag.name} is replaced: that network has ended; --sepolia, with its network id, is taken"
        )
    elif flag.name in _ENDED:
        notes.remark(path, f"--{flag.name} is a network that has ended: nodes find nobody there")
    elif notes.says("geth", "network_id") and options.geth.network_id != _NETWORKS[flag.name]:
        notes.remark(("geth", "network_id"), f"is replaced: `{path[0]}.args` names a network, whose id is taken")
    return (f"--{known}",)


def _decided(name: str) -> str | None:
    if name in _LEFT_TO_GETH:
        return None
    return _DECIDED.get(name) or _DECIDED.get(f"{name.partition('.')[0]}." if "." in name else "")


def _renamed(flag: _Flag, options: Options, path: tuple[str, str], notes: Notes) -> tuple[str, ...]:
    line = line_of(options.geth.version)
    name = _RENAMED.get(flag.name)
    if flag.name == "targetgaslimit":
        name = "miner.gaslimit" if line >= _GAS_CEILING else "miner.gastarget"
    if name is None or line < _RENAMED_LATER.get(name, 0):
        return flag.renamed(flag.name)
    notes.remark(path, f"--{flag.name} is replaced: geth {options.geth.version} calls it --{name}, which is taken")
    return flag.renamed(name)


def _flags(arguments: Sequence[str], role: str, notes: Notes) -> Iterator[_Flag]:
    """Yield the flags; a word behind one that has no `=` is its value. Other words are wrong: geth's commands."""
    words = list(arguments)
    while words:
        word = words.pop(0)
        name = word.lstrip("-").partition("=")[0]
        if not word.startswith("-") or not name:
            notes.wrong((role, "args"), "has a word that is no flag; write flags alone: --gcmode archive")
        elif "=" not in word and name not in _WITHOUT_VALUE and words and not words[0].startswith("-"):
            yield _Flag(name, (word, words.pop(0)))
        else:
            yield _Flag(name, (word,))
