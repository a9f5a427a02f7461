"""When a node is asked again what it offers: at what may be a restart, and not at every gather."""

from __future__ import annotations

import pytest

from collector.client import Client
from collector.sources import restarts
from collector.sources.restarts import Restarts


@pytest.fixture
def client() -> Client:
    """Return a client that has opened its connection."""
    client = Client()
    client.connections = 1
    return client


@pytest.fixture
def watched(client: Client) -> Restarts:
    """Return what watches a node that was gathered twice, on one connection."""
    watched = Restarts(client)
    assert not watched.noticed("1.8")  # the first gather asks for everything anyway
    assert not watched.noticed("1.8")
    return watched


def test_another_version_is_another_process(watched: Restarts) -> None:
    assert watched.noticed("1.9")
    assert not watched.noticed("1.9")


def test_a_version_that_was_not_said_is_not_another(watched: Restarts) -> None:
    assert not watched.noticed("")
    assert not watched.noticed("1.8")
    assert watched.noticed("1.9")


def test_a_new_connection_may_be_a_new_process(watched: Restarts, client: Client) -> None:
    client.connections += 1
    assert watched.noticed("1.8")
    assert not watched.noticed("1.8")


def test_a_node_that_closes_every_connection_is_not_looked_at_again_each_time(
    watched: Restarts, client: Client
) -> None:
    noticed = []
    for _ in range(10):
        client.connections += 1
        noticed.append(watched.noticed("1.8"))
    assert noticed == [True, *[False] * 9]


def test_a_node_that_says_that_it_closes_is_not_looked_at_again(watched: Restarts, client: Client) -> None:
    client.keeps_alive = False
    client.connections += 1
    assert not watched.noticed("1.8")


def test_behind_a_proxy_the_time_alone_tells(watched: Restarts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restarts, "LOOK_AGAIN", -1.0)
    assert watched.noticed("1.8")
