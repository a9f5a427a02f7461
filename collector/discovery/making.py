"""Targets from servers: what a server leaves unsaid is taken from its file's entry, its chain and the agent."""

from __future__ import annotations

from collector.configuration import Agent, Chain, DnsServer, FileServer, StaticServer, schedule
from collector.configuration.values import ADDRESS, host_and_port, node_name
from collector.targets import Target


def target(agent: Agent, chain: Chain, server: StaticServer, file: FileServer | None = None) -> Target:
    """Return the target of a server at a URL; `file` is the entry of the configuration whose files hold it."""
    name = server.name or node_name(server.url)
    return _target(agent, chain, server, file, name=name, url=server.url, metrics_url=server.metrics_url or "")


def target_at(address: str, agent: Agent, chain: Chain, server: DnsServer, file: FileServer | None = None) -> Target:
    """Return the target at one of the addresses behind a DNS name."""
    place = host_and_port(address, server.port)
    name = server.name.replace(ADDRESS, address) if server.name else place
    url = f"{server.scheme}://{place}{server.path}"
    metrics_url = (server.metrics_url or "").replace(ADDRESS, f"[{address}]" if ":" in address else address)
    tls_name = server.dns.removesuffix(".") if "https" in (server.scheme, metrics_url[:5]) else ""
    return _target(agent, chain, server, file, name=name, url=url, metrics_url=metrics_url, tls_name=tls_name)


def _target(
    agent: Agent,
    chain: Chain,
    server: StaticServer | DnsServer,
    file: FileServer | None,
    *,
    name: str,
    url: str,
    metrics_url: str,
    tls_name: str = "",
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
        tls_name=tls_name,
        labels=tuple(sorted(labels.items())),
    )
