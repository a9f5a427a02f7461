"""Traefik's configuration for workers: where it listens, what it lets through, and whom it asks again.

Both are plain data for YAML. What is claimed here of Traefik, tests/real/test_traefik_nodeos.py tries on a real one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

API_PORT = 8500
INTERNAL_PORT = 8082
"""Ping and metrics; for the network of the cluster, and never published."""

LARGEST_REQUEST = 2 * 2**20
"""Bytes of a request's body: nodeos takes no more either (`max-body-size`)."""

MOST_REQUESTS = 1024
"""Requests of one address that may be under way."""

MORE_APIS = ("history", "trace_api")
"""What may be offered beside `chain`. Both are for reading alone."""

_READS = r"get_[a-z0-9_]+|abi_[a-z0-9_]+|compute_transaction|send_read_only_transaction"
_WRITES = r"push_transactions?|send_transaction2?"
_PATIENCE = {"reads": {"responseHeaderTimeout": "5s"}, "writes": {"responseHeaderTimeout": "130s"}}
"""How long a worker may take to answer. A read that takes longer is asked of another; a write may have been told to
wait until its transaction is in a block, which nodeos does for two minutes at most."""


PREFERRED, SPARE = 2, 1
"""Priorities of routes: those of the page go before those of the file."""


def http_provider(url: str) -> dict[str, Any]:
    """Return the provider that polls a page. While nobody answers there, Traefik goes on with what it has."""
    return {"http": {"endpoint": url, "pollInterval": "1s", "pollTimeout": "1s"}}


def file_provider(file: str) -> dict[str, Any]:
    """Return the provider that reads a file at the start: what Traefik has until the page first answers."""
    return {"file": {"filename": file, "watch": False}}


def static_configuration(providers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Traefik is started with.

    A request has to be there within 30 s. When Traefik is told to stop, requests under way have five seconds, half of
    what Docker leaves it by default. A change of workers is taken over half a second after the one before, not two.
    """
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO", "format": "json"},
        "entryPoints": {
            "api": {
                **_entry_point(API_PORT),
                "transport": {
                    "lifeCycle": {"graceTimeOut": "5s"},
                    "respondingTimeouts": {"readTimeout": "30s", "idleTimeout": "120s"},
                },
            },
            "internal": _entry_point(INTERNAL_PORT),
        },
        "ping": {"entryPoint": "internal"},
        "metrics": {"prometheus": {"entryPoint": "internal", "addRoutersLabels": True}},
        "providers": {"providersThrottleDuration": "500ms", **providers},
    }


def _entry_point(port: int) -> dict[str, Any]:
    """Return an entry point that lets nothing through which others might read differently from Traefik."""
    characters = ("Slash", "Backslash", "Hash", "Percent", "Semicolon", "QuestionMark", "NullCharacter")
    encoded = {f"allowEncoded{character}": False for character in characters}
    return {"address": f":{port}", "http": {"aliasHeadersStrategy": "delete", "encodedCharacters": encoded}}


def dynamic_configuration(
    hosts: Sequence[str], port: int, more_apis: Sequence[str] = (), priority: int = PREFERRED
) -> dict[str, Any]:
    """Return how requests are routed to the workers, named by their hosts, or by a DNS name that all are behind.

    What is let through is named to the letter, and has neither dots nor further slashes in it: `/v1/net/connect`,
    `/v1/producer/pause` and the like can't be reached, however they are written. `push_block` is left out as well:
    workers have their blocks from their peers.
    """
    reads = "|".join([f"chain/({_READS})", *(f"{api}/get_[a-z0-9_]+" for api in more_apis)])
    rules = {"reads": f"PathRegexp(`^/v1/({reads})$`)", "writes": f"PathRegexp(`^/v1/chain/({_WRITES})$`)"}
    middlewares = {
        "reads": ["in-flight", "ask-another", "request-size", "untaken"],
        "writes": ["in-flight", "request-size", "untaken"],
    }
    health = {"path": "/v1/chain/get_info", "interval": "1s", "unhealthyInterval": "1s", "timeout": "1s"}
    servers = [{"url": f"http://{host}:{port}"} for host in hosts]
    return {
        "http": {
            "routers": {
                name: {
                    "entryPoints": ["api"],
                    "rule": rule,
                    "priority": priority,
                    "service": name,
                    "middlewares": middlewares[name],
                }
                for name, rule in rules.items()
            },
            "middlewares": _middlewares(),
            "services": {
                name: {
                    "loadBalancer": {
                        "serversTransport": name,
                        "healthCheck": dict(health),
                        "servers": [dict(server) for server in servers],
                    }
                }
                for name in rules
            },
            "serversTransports": {
                # dialTimeout is of a machine that is gone: it is beside us, and another answers meanwhile.
                name: {"forwardingTimeouts": {"dialTimeout": "1s", "idleConnTimeout": "20s", **patience}}
                for name, patience in _PATIENCE.items()
            },
        }
    }


def _middlewares() -> dict[str, dict[str, Any]]:
    """Return all middlewares by name.

    `untaken` sends a request that no worker has taken to the next one, with its body. Servers are chosen in turn while
    others choose as well, so that several attempts in a row may meet the same dead one: a dozen do not.

    `ask-another` is for reads alone, which do the same however often they are done. It repeats one that a worker took
    and never answered (Traefik's own 502 and 504), that found nobody who is well (503), or a worker that is too busy
    (503 of Leap and Spring, 429 of EOSIO 1.8 and 2.0). A 500 stays: it is nodeos's word for a missing account or table.
    It is Traefik's, too, for an answer that is broken off half-way, since answers are gathered whole.
    """
    of_one_address = {"ipStrategy": {"depth": 0}}
    return {
        "in-flight": {"inFlightReq": {"amount": MOST_REQUESTS, "sourceCriterion": of_one_address}},
        # Requests wait in memory until they are whole; what is beyond 1 MiB of an answer waits in /tmp for its reader.
        "request-size": {"buffering": {"maxRequestBodyBytes": LARGEST_REQUEST, "memRequestBodyBytes": LARGEST_REQUEST}},
        "ask-another": {
            "retry": {
                "attempts": 6,
                "initialInterval": "100ms",
                "timeout": "20s",
                "status": ["429", "502-504"],
                "retryNonIdempotentMethod": True,
                "disableRetryOnNetworkError": True,
                "maxRequestBodyBytes": LARGEST_REQUEST,
            }
        },
        "untaken": {"retry": {"attempts": 12, "initialInterval": "10ms"}},
    }
