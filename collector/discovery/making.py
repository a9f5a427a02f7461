"""Targets from servers: what a server leaves unsaid is taken from its file's entry, its chain and the agent."""

from __future__ import annotations

from dataclasses import replace

from collector.configuration import Agent, Chain, DnsServer, FileServer, StaticServer, schedule
from collector.configuration.values import ADDRESS, SLOT, host_and_port, node_name
from collector.discovery.slots import Replica
from collector.targets import Target


def target(agent: Agent, chain: Chain, server: StaticServer, file: FileServer | None = None) -> Target:
    """Return the target of a server at a URL; `file` is the entry of the configuration whose files hold it."""
    name = server.name or node_name(server.url)
    return _target(agent, chain, server, file, name=name, url=server.url, metrics_url=server.metrics_url or "")


def target_at(
    replica: Replica, agent: Agent, chain: Chain, server: DnsServer, file: FileServer | None = None
) -> Target:
    """Return the target at one of the addresses behind a DNS name; the address stands in for a slot that it lacks."""
    address = replica.address
    place = host_and_port(address, server.port)
    slot = address if replica.slot is None else str(replica.slot)
    name = server.name.replace(SLOT, slot).replace(ADDRESS, address) if server.name else place
    url = f"{server.scheme}://{place}{server.path}"
    metrics_url = (server.metrics_url or "").replace(ADDRESS, f"[{address}]" if ":" in address else address)
    dns = server.dns.removesuffix(".")
    tls_name = dns if "https" in (server.scheme, metrics_url[:5]) else ""
    made = _target(agent, chain, server, file, name=name, url=url, metrics_url=metrics_url)
    return replace(made, dns=dns, tls_name=tls_name)


def _target(
    agent: Agent,
    chain: Chain,
    server: StaticServer | DnsServer,
    file: FileServer | None,
    *,
    name: str,
    url: str,
    metrics_url: str,
) -> Target:
    sections = [chain, file, server] if file else [chain, server]
    interval, timeout = schedule(agent, *sections)
    labels: dict[str, str] = {}
    for section in sections:
        labels |= section.labels
    return Target(
        chain=chain.name,
        kind=chain.kind,
        name=name,
        url=url,
        role=server.role or (file.role if file else ""),
        metrics_url=metrics_url,
        metrics=next((section.metrics for section in reversed(sections) if section.metrics is not None), None),
        interval=interval,
        timeout=timeout,
        jitter=agent.jitter,
        block_period=chain.block_period,
        labels=tuple(sorted(labels.items())),
    )
