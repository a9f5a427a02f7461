"""The output `traefik` of a running collector, when its configuration is read again."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.command.processes import (
    Settings,
    chainwatch,
    collector,
    free_address,
    page_at,
    scraped,
    seen,
    settings,
    written,
)
from tests.command.surroundings import Cluster, background
from tests.real.servers import answers, fetch, wait_for


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Run a cluster."""
    with background() as loop:
        running = Cluster(loop)
        running.open()
        yield running
        running.end()


def configuration(*urls: str) -> str:
    """Return a configuration of Traefik with a service of these servers."""
    servers = [{"url": url} for url in urls]
    return yaml.safe_dump({"http": {"services": {"c": {"loadBalancer": {"servers": servers}}}}})


def served(file: Path) -> list[str]:
    """Return the URLs that a file sends requests to."""
    services = yaml.safe_load(file.read_bytes())["http"]["services"]
    return [server["url"] for server in services["c"]["loadBalancer"]["servers"]]


def test_the_configuration_is_read_again(tmp_path: Path, cluster: Cluster) -> None:
    page = free_address()
    template, to = tmp_path / "clients.yaml", tmp_path / "rotation.yaml"
    old, new = ["http://newer-1:8545", "http://other:8545"], ["http://newer-1:1", "http://sealer-1:1", "http://x:1"]
    template.write_text(configuration(*old))
    rotation = {"traefik": {"from": "clients.yaml", "to": "rotation.yaml"}}
    nodes = [node for node in cluster.nodes if node.kind == "ethereum"]
    with collector(tmp_path, settings(nodes, {**page_at(page), **rotation})) as running:
        seen(page, "chainwatch_node_in_rotation", node="newer-1")
        assert served(to) == old
        assert scraped(page).values("chainwatch_node_in_rotation", node="sealer-1") == [], "it is not in the file"

        template.write_text("http: {services: {")
        running.signal(signal.SIGHUP)
        running.said("outputs.traefik.from: names a file that is wrong: clients.yaml:1: has a bracket")
        seen(page, "chainwatch_reload_failures_total")
        assert served(to) == old

        template.write_text(configuration(*new))
        running.signal(signal.SIGHUP)
        wait_for(lambda: served(to) == new, "the new one is written", 5)
        seen(page, "chainwatch_node_in_rotation", node="sealer-1")

        cluster.fault("newer-1", "lag", blocks=10)
        wait_for(lambda: served(to) == new[1:], "who is behind is out", 5)
        assert running.stop() == 0
    assert served(to) == new[1:], "the file stays"


def test_a_page_in_place_of_the_file(tmp_path: Path, cluster: Cluster) -> None:
    page, there = free_address(), free_address()
    template = tmp_path / "clients.yaml"
    template.write_text(configuration(*(urls := ["http://newer-1:8545", "http://sealer-1:8545"])))
    rotation = {"from": "clients.yaml", "listen": there, "path": "/rotation", "older": "5s"}
    nodes = [node for node in cluster.nodes if node.kind == "ethereum"]
    configured = settings(nodes, {**page_at(page), "traefik": rotation})

    def told() -> list[str]:
        (tmp_path / "told").write_bytes(fetch(f"http://{there}/rotation").body)
        return served(tmp_path / "told")

    with collector(tmp_path, configured) as running:
        wait_for(lambda: answers(f"http://{there}/rotation"), "all are known", 5)
        assert told() == urls
        cluster.fault("newer-1", "lag", blocks=10)
        wait_for(lambda: told() == urls[1:], "who is behind is out", 5)
        template.write_text(configuration(*(newer := ["http://sealer-1:1", "http://newer-1:1"])))
        running.signal(signal.SIGHUP)
        running.said("taken over")
        wait_for(lambda: answers(f"http://{there}/rotation") and told() == newer[:1], "at the same address", 5)
        once = chainwatch("once", "--config", tmp_path / "chainwatch.yaml")
        assert "cannot listen" not in once.stderr, "a page that is gone at once is of use to nobody"
        assert running.stop() == 0


@pytest.mark.parametrize("taken", [False, True])
def test_the_pages_change_places(tmp_path: Path, cluster: Cluster, taken: bool) -> None:
    """Each wants the port that the other has; where that comes to nothing, both go on as they were."""
    one, other = free_address(), free_address()
    (tmp_path / "clients.yaml").write_text(configuration("http://newer-1:8545"))

    def watched(page: str, rotation: str) -> Settings:
        return settings(
            [cluster["newer-1"]], {**page_at(page), "traefik": {"from": "clients.yaml", "listen": rotation}}
        )

    with socket.create_server(("127.0.0.2", 0)) as server, collector(tmp_path, watched(one, other)) as running:
        wait_for(lambda: answers(f"http://{other}/traefik"), "it is known", 5)
        wanted = f"127.0.0.2:{server.getsockname()[1]}" if taken else one
        written(tmp_path, watched(other, wanted))
        running.signal(signal.SIGHUP)
        if taken:
            running.said("not taken over")
        else:
            running.said("taken over")
            one, other = other, one
        seen(one, "chainwatch_node_in_rotation", node="newer-1")
        wait_for(lambda: answers(f"http://{other}/traefik"), "it is known still", 5)
        assert running.stop() == 0
