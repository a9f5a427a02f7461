"""The surroundings: one simulated cluster for each module, whole again before each test, and a database for a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.command.surroundings import Background, Cluster, Database, background


@pytest.fixture(scope="module")
def surroundings() -> Iterator[Background]:
    """Run the event loop of cluster and database."""
    with background() as running:
        yield running


@pytest.fixture(scope="module")
def running_cluster(surroundings: Background) -> Iterator[Cluster]:
    """Run a cluster."""
    cluster = Cluster(surroundings)
    cluster.open()
    yield cluster
    cluster.end()


@pytest.fixture
def cluster(running_cluster: Cluster) -> Cluster:
    """Return the cluster without any fault."""
    for node in running_cluster.nodes:
        running_cluster.heal(node.name)
    return running_cluster


@pytest.fixture
def database(surroundings: Background) -> Iterator[Database]:
    """Run a database."""
    made = Database(surroundings)
    yield made
    made.stop()
