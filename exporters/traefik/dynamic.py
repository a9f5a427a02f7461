"""Traefik's dynamic configuration, and the same without the servers of some nodes.

The file is taken apart into YAML's nodes and not into values, so that what passes through is what stood there: `1:30`
stays a text to Traefik even though YAML 1.1 has a number for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml

_HEADER = "# Written by chainwatch, without the nodes that are behind. Change the file that it is made from instead.\n"
_MERGE = "tag:yaml.org,2002:merge"
_ENDLESS = 2**31


class _Server(NamedTuple):
    node: yaml.Node
    names: frozenset[str]


class Made(NamedTuple):
    """A configuration without some servers.

    `out` holds the names of the nodes that are in no list any more, `kept` the services that keep all servers since
    otherwise they would lose all.
    """

    content: bytes
    out: frozenset[str]
    kept: tuple[str, ...]


class Dynamic:
    """A dynamic configuration. Raises yaml.YAMLError where it is no YAML."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        _unfold(self._root)
        self._lists = [(service, node, list(_servers(node))) for service, node in _lists(self._root)]
        self.names = frozenset(name for _, _, servers in self._lists for server in servers for name in server.names)
        """What nodes may be called whose servers are in it: host, and host:port, of each, in lower case."""

    def also(self, names: AbstractSet[str]) -> frozenset[str]:
        """Return all names of the servers that have one of these."""
        alike = (server.names for _, _, servers in self._lists for server in servers)
        return frozenset(name for each in alike if not each.isdisjoint(names) for name in each)

    def without(self, names: AbstractSet[str]) -> Made:
        """Return it without the servers of nodes with such names. A list that would be empty stays as it is.

        Not to be called in two threads at once.
        """
        return self._without(lambda server: not server.names.isdisjoint(names))

    def as_in(self, content: bytes) -> Made | None:
        """Return what was made earlier, if the content is this configuration without some servers."""
        try:
            there = Dynamic(content.decode()).names
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            return None
        made = self._without(lambda server: not server.names <= there)
        return made if made.content == content else None

    def _without(self, unwanted: Callable[[_Server], bool]) -> Made:
        kept: list[str] = []
        left: set[str] = set()
        for service, sequence, servers in self._lists:
            staying = [server for server in servers if not unwanted(server)]
            if not staying:
                kept.append(service)
            sequence.value = [server.node for server in staying or servers]
            left.update(name for server in staying or servers for name in server.names)
        content = yaml.serialize(self._root, Dumper=yaml.SafeDumper, allow_unicode=True, width=_ENDLESS)
        return Made((_HEADER + content).encode(), self.names - left, tuple(kept))


def _unfold(root: yaml.Node | None) -> None:
    """Let every collection be written in lines of its own: what is plain within brackets may not always be so there."""
    waiting = [root]
    done: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.CollectionNode) and id(node) not in done:
            done.add(id(node))
            node.flow_style = not node.value
            for item in node.value:
                waiting += item if isinstance(item, tuple) else [item]


def _lists(root: yaml.Node | None) -> Iterator[tuple[str, yaml.SequenceNode]]:
    """Yield every list of servers with the service that it belongs to; one that several share once."""
    seen: set[int] = set()
    for service, node in _items(_value(_value(root, "http"), "services")):
        servers = _value(_value(node, "loadBalancer"), "servers")
        if isinstance(servers, yaml.SequenceNode) and servers.value and id(servers) not in seen:
            seen.add(id(servers))
            yield service, servers


def _servers(servers: yaml.SequenceNode) -> Iterator[_Server]:
    for node in servers.value:
        url = _value(node, "url")
        yield _Server(node, names_of(url.value) if isinstance(url, yaml.ScalarNode) else frozenset())


def names_of(url: str) -> frozenset[str]:
    """Return what a node may be called that answers at a URL: the host, and host:port, in lower case."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return frozenset()
    if not host:
        return frozenset()
    port = port or (443 if parts.scheme in ("https", "wss") else 80)
    return frozenset({host, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"})


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """Return what a mapping has for a key, by itself or merged into it."""
    return next((value for name, value in _items(node) if name == key), None)


def _items(node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
    """Yield keys and values of a mapping: first its own, then those of what is merged into it."""
    waiting = [node]
    done: set[int] = set()
    while waiting:
        mapping = waiting.pop(0)
        if not isinstance(mapping, yaml.MappingNode) or id(mapping) in done:
            continue
        done.add(id(mapping))
        for key, value in mapping.value:
            if key.tag == _MERGE:
                waiting += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif isinstance(key, yaml.ScalarNode):
                yield key.value, value
