"""Traefik's configuration: where it listens, and how requests get from there to the clients and to the stats page.

Both are plain data for YAML. What is claimed here of geth and Traefik, tests/real/test_traefik.py tries on real ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

CLIENT_HTTP_PORT = 8500
CLIENT_WS_PORT = 8501
ETHSTATS_PORT = 8502
INTERNAL_PORT = 8082
"""Ping and metrics; for the network of the cluster, and never published."""

DYNAMIC = "/etc/traefik/dynamic"
"""Folder whose files Traefik watches. They have to be replaced in one step: half a file is an error to it."""

LARGEST_REQUEST = 5 * 2**20
"""Bytes of a request's body: geth takes no more either."""

MOST_REQUESTS = 1024
"""Requests of one address that may be under way, and WebSockets that it may have open."""

_ANY_PATH = "PathPrefix(`/`)"


def static_configuration(*, access_log: bool = False) -> dict[str, Any]:
    """Return what Traefik is started with.

    A request has to be there within 30 s, as geth demands it, too; a WebSocket, once open, has no such limit. When
    Traefik is told to stop, requests under way have five seconds, half of what Docker leaves it by default.
    """
    published = {"client-http": CLIENT_HTTP_PORT, "client-ws": CLIENT_WS_PORT, "ethstats": ETHSTATS_PORT}
    configuration: dict[str, Any] = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO", "format": "json"},
        "entryPoints": {
            **{name: {**_entry_point(port), "transport": _transport()} for name, port in published.items()},
            "internal": _entry_point(INTERNAL_PORT),
        },
        "ping": {"entryPoint": "internal"},
        "metrics": {"prometheus": {"entryPoint": "internal", "addRoutersLabels": True}},
        "providers": {"file": {"directory": DYNAMIC, "watch": True}},
    }
    if access_log:
        configuration["accessLog"] = {"format": "json"}
    return configuration


def _entry_point(port: int) -> dict[str, Any]:
    """Return an entry point that lets nothing through which others might read differently from Traefik."""
    characters = ("Slash", "Backslash", "Hash", "Percent", "Semicolon", "QuestionMark", "NullCharacter")
    encoded = {f"allowEncoded{character}": False for character in characters}
    return {"address": f":{port}", "http": {"aliasHeadersStrategy": "delete", "encodedCharacters": encoded}}


def _transport() -> dict[str, Any]:
    return {
        "lifeCycle": {"graceTimeOut": "5s"},
        "respondingTimeouts": {"readTimeout": "30s", "idleTimeout": "120s"},
    }


def dynamic_configuration(
    clients: Sequence[str],
    http_port: int | None = 8545,
    ws_port: int | None = 8546,
    ethstats: str | None = None,
) -> dict[str, Any]:
    """Return how requests are routed to the clients, named by their hosts, and to `ethstats`, a host and its port.

    A port that is None is not offered by geth, and gets no router; the whole is empty where there is nothing to route.
    """
    routes: dict[str, tuple[dict[str, Any], list[str]]] = {}
    if clients and http_port:
        routes["client-http"] = _clients(clients, http_port, _health(http_port)), ["in-flight", "request-size", "retry"]
    if clients and ws_port:
        # A WebSocket's port answers a plain request with 404, which is a sign of life if there is no other.
        health = _health(http_port) if http_port else {**_health(ws_port), "status": 404}
        routes["client-ws"] = _clients(clients, ws_port, health), ["in-flight", "retry"]
    if ethstats:
        routes["ethstats"] = {"servers": [{"url": f"http://{ethstats}"}]}, ["in-flight"]
    if not routes:
        return {}
    middlewares = _middlewares()
    used = {name for _, names in routes.values() for name in names}
    http: dict[str, Any] = {
        "routers": {
            name: {"entryPoints": [name], "rule": _ANY_PATH, "service": name, "middlewares": names}
            for name, (_, names) in routes.items()
        },
        "middlewares": {name: settings for name, settings in middlewares.items() if name in used},
        "services": {name: {"loadBalancer": balancer} for name, (balancer, _) in routes.items()},
    }
    if routes.keys() - {"ethstats"}:
        http["serversTransports"] = {"geth": _to_geth()}
    return {"http": http}


def _clients(clients: Sequence[str], port: int, health: dict[str, Any]) -> dict[str, Any]:
    return {
        # geth is asked under its own name, which can stand in its --http.vhosts; the one that a caller knows the load
        # balancer by can't, and geth would answer 403.
        "passHostHeader": False,
        "serversTransport": "geth",
        "healthCheck": health,
        "servers": [{"url": f"http://{client}:{port}"} for client in clients],
    }


def _health(port: int) -> dict[str, Any]:
    """Return a health check: geth answers GET / on its HTTP port with 200, and to nobody while it is hung."""
    return {"path": "/", "port": port, "interval": "2s", "timeout": "1s"}


def _to_geth() -> dict[str, Any]:
    return {
        "forwardingTimeouts": {
            "dialTimeout": "1s",  # of a machine that is gone; it is beside us
            "responseHeaderTimeout": "40s",  # geth itself gives up after 30 s
            "idleConnTimeout": "60s",  # geth closes after 120 s: never while a request is on its way
        }
    }


def _middlewares() -> dict[str, dict[str, Any]]:
    """Return all middlewares by name.

    `retry` sends a request that no node has taken to the next one, a POST with its body, too. What a node has taken
    and not answered is not sent again: it may be a transaction. Servers are chosen in turn while others choose as
    well, so that several attempts in a row may meet the same dead one: a dozen do not.
    """
    of_one_address = {"ipStrategy": {"depth": 0}}
    return {
        "in-flight": {"inFlightReq": {"amount": MOST_REQUESTS, "sourceCriterion": of_one_address}},
        # Requests wait in memory until they are whole; what is beyond 1 MiB of an answer waits in /tmp for its reader.
        "request-size": {"buffering": {"maxRequestBodyBytes": LARGEST_REQUEST, "memRequestBodyBytes": LARGEST_REQUEST}},
        "retry": {"retry": {"attempts": 12, "initialInterval": "10ms"}},
    }
