"""Traefik's dynamic configuration, and the same without the servers of some nodes.

The file is taken apart into YAML's nodes and not into values, so that what passes through is what stood there: `1:30`
stays a text to Traefik even though YAML 1.1 has a number for it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple
from urllib.parse import urlsplit

import yaml

from exporters.traefik.rotation import Node

_HEADER = "# Written by chainwatch, without the nodes that are behind. Change the file that it is made from instead.\n"
_MERGE = "tag:yaml.org,2002:merge"
_ENDLESS = 2**31

Name = str | Node
"""What a node is called whose server is in a list: by the server's host or host:port; by chain and name where it was
found behind the host."""


class Replica(NamedTuple):
    """A node that was found behind a DNS name, and its address."""

    node: Node
    address: str


Replicas = Mapping[str, Sequence[Replica]]
"""The nodes behind DNS names, these in lower case."""


class _Server(NamedTuple):
    node: yaml.Node
    host: str
    names: frozenset[Name]


class Made(NamedTuple):
    """A configuration without some servers.

    `names` are those of all nodes that could be in a list, `out` of those that are in none any more, `kept` the
    services that keep all servers since otherwise they would lose all.
    """

    content: bytes
    names: frozenset[Name]
    out: frozenset[Name]
    kept: tuple[str, ...]


class Dynamic:
    """A dynamic configuration. Raises yaml.YAMLError where it is no YAML."""

    def __init__(self, text: str) -> None:
        self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        _unfold(self._root)
        self._lists = [(service, node, list(_servers(node))) for service, node in _lists(self._root)]

    def without(self, unwanted: AbstractSet[Name], replicas: Replicas) -> Made:
        """Return it without the servers of nodes with such names. A list that would be empty stays as it is.

        A server whose host is a DNS name behind which replicas were found stands for each of them.

        Not to be called in two threads at once.
        """
        kept: list[str] = []
        names: set[Name] = set()
        left: set[Name] = set()
        for service, sequence, written in self._lists:
            servers = [each for server in written for each in _behind(server, replicas)]
            staying = [server for server in servers if server.names.isdisjoint(unwanted)]
            if not staying:
                kept.append(service)
            sequence.value = [server.node for server in staying or servers]
            names.update(name for server in servers for name in server.names)
            left.update(name for server in staying or servers for name in server.names)
        return Made((_HEADER + self._written()).encode(), frozenset(names), frozenset(names - left), tuple(kept))

    def all_of(self, heard: AbstractSet[Name], replicas: Replicas) -> bool:
        """Tell whether every server is that of a node with such a name."""
        servers = (server for _, _, written in self._lists for server in written)
        every = (names for server in servers for names in _names(server, replicas))
        return all(not names.isdisjoint(heard) for names in every)

    def alike(self, content: bytes) -> bool:
        """Tell whether this is the configuration in all but the servers: what was made of it, or of one alike."""
        try:
            other = Dynamic(content.decode())
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            return False
        whole = all(server.names for _, _, servers in other._lists for server in servers)
        return bool(other._lists) and whole and self._bare() == other._bare()

    def _bare(self) -> str:
        for _, sequence, _ in self._lists:
            sequence.value = []
        return self._written()

    def _written(self) -> str:
        text: str = yaml.serialize(self._root, Dumper=yaml.SafeDumper, allow_unicode=True, width=_ENDLESS)
        return text


def _names(server: _Server, replicas: Replicas) -> list[frozenset[Name]]:
    """Return the names of each node that a server stands for."""
    return [frozenset({replica.node}) for replica in replicas.get(server.host, ())] or [server.names]


def _behind(server: _Server, replicas: Replicas) -> Iterator[_Server]:
    """Yield what a server stands for: itself, or a server at each of the addresses behind its host."""
    found = replicas.get(server.host, ())
    if not found:
        yield server
    for replica in found:
        node = copy.deepcopy(server.node)  # a node that is in two places would be written once, and pointed to
        assert isinstance(node, yaml.MappingNode)
        url = _value(node, "url")
        assert isinstance(url, yaml.ScalarNode)
        own = [(key, value) for key, value in node.value if key.value != "url"]
        node.value = [(yaml.ScalarNode("tag:yaml.org,2002:str", "url"), _at(url, replica.address)), *own]
        yield _Server(node, server.host, frozenset({replica.node}))


def _at(url: yaml.ScalarNode, address: str) -> yaml.ScalarNode:
    """Return a URL with another host."""
    parts = urlsplit(url.value)
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    return yaml.ScalarNode(url.tag, parts._replace(netloc=f"{user}{at}{host}{port}").geturl(), style=url.style)


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
        host, names = names_of(url.value) if isinstance(url, yaml.ScalarNode) else ("", frozenset())
        yield _Server(node, host.removesuffix("."), names)


def names_of(url: str) -> tuple[str, frozenset[Name]]:
    """Return the host of a URL, and what a node may be called that answers there: it, and host:port, in lower case."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        return "", frozenset()
    port = port or (443 if parts.scheme in ("https", "wss") else 80)
    return host, frozenset({host, f"[{host}]:{port}" if ":" in host else f"{host}:{port}"})


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
