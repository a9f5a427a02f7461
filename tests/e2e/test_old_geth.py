"""The line of geth that answers debug_metrics: its figures reach InfluxDB under the names they have always had."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.engine import Docker, Failed
from tests.real.servers import wait_for

IMAGE = "ethereum/client-go:alltools-v1.8.27"


@pytest.fixture(scope="module")
def described(docker: Docker, deployed: dict[str, Path]) -> Iterator[Cluster]:
    """Return the cluster as it is before it is started. It goes when what failed has been told, started or not."""
    cluster = Cluster(docker, deployed["old"])
    yield cluster
    cluster.remove()


@pytest.fixture(scope="module")
def cluster(described: Cluster) -> Cluster:
    """Run the cluster for all tests."""
    described.up()
    return described


@pytest.mark.parametrize("flag", ["--http", "--metrics.addr=0.0.0.0", "--allow-insecure-unlock", "--authrpc.port=8551"])
def test_it_knows_no_flag_of_a_newer_geth(docker: Docker, flag: str) -> None:
    with pytest.raises(Failed, match=f"flag provided but not defined: {flag[1:].partition('=')[0]}"):
        docker("run", "--rm", IMAGE, "geth", flag)


def test_debug_metrics_reach_influxdb_under_their_old_names(cluster: Cluster) -> None:
    def figures() -> list[dict[str, object]]:
        figures = "last(chain_inserts_overall), last(p2p_inboundtraffic_overall)"
        return cluster.influx(f"SELECT {figures} FROM geth WHERE node = 'sealer-1' GROUP BY *")

    (series,) = wait_for(figures, "measurement geth has figures", within=60, every=1)
    assert isinstance(series["tags"], dict)
    assert (series["tags"]["server"], series["tags"]["port"]) == ("sealer-1", "8545")
    assert isinstance(series["values"], list)
    assert None not in series["values"][0]
