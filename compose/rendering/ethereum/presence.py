"""Which of the services beside the nodes there are: some are of no use without others."""

from __future__ import annotations

from compose.options.ethereum.cluster import Node, has_ethstats, nodes
from compose.options.ethereum.models import Options


def asked(options: Options) -> list[Node]:
    """Return the nodes that the collector asks: those that offer JSON-RPC."""
    return [node for node in nodes(options) if node.settings.rpcapi]


def has_collector(options: Options) -> bool:
    """Tell whether there is a collector: not where no node answers and none could push."""
    return bool(options.collector.count and (asked(options) or has_ethstats(options)))


def balanced(options: Options) -> list[Node]:
    """Return the nodes that the load balancer leads to."""
    return [node for node in asked(options) if node.role == "client"] if options.traefik.count else []


def has_rotation(options: Options) -> bool:
    """Tell whether the collector keeps clients that are behind out of the rotation."""
    return bool(balanced(options) and has_collector(options))


def has_load_balancer(options: Options) -> bool:
    """Tell whether there is a load balancer: not where it would lead nowhere."""
    return bool(options.traefik.count and (balanced(options) or has_ethstats(options)))


def has_transfers(options: Options) -> bool:
    """Tell whether there is a load: somebody has to take transfers, and to have accounts in the genesis."""
    some_account = any(node.settings.have_accounts for node in nodes(options))
    return bool(options.transfers.rate and options.geth.create_genesis and some_account and transfers_to(options))


def transfers_to(options: Options) -> list[Node]:
    """Return the nodes that transfers are sent to: clients, or sealers where no client takes them."""
    taking = [node for node in asked(options) if "eth" in node.settings.rpcapi]
    return [node for node in taking if node.role == "client"] or taking
