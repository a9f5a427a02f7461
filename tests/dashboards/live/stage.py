"""The run that the boards are asked of: simulated chains, a real collector, and four real databases that it fills."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from compose.simulated import GethOptions, NodeosOptions, SimulatedCluster
from compose.simulated.geth import NEW
from dashboards.drawing.asking import Database, Flux, InfluxQl, Prometheus
from dashboards.drawing.variables import Span
from tests.command.processes import Settings, collector, free_address
from tests.command.surroundings import Background, background
from tests.ethstats.reporting import Reporter
from tests.real.servers import answers, fetch, free_port, process, require, unavailable, wait_for

ETHEREUM, SECOND, NODEOS, SAVANNA = "payments", "settlement.eu", "market", "loyalty"
"""The chains. A dot has to be escaped where a name is written as a regex."""

PERIODS = {ETHEREUM: "3s", SECOND: "3s", NODEOS: "500ms", SAVANNA: "500ms"}
EVERY = 2.0
"""Seconds from one gather, and one scrape, to the next."""

WITHOUT_ROLE = {"ethereum": "newer-2", "nodeos": "worker-2", "node": "worker-2"}
"""Nodes of which the configuration tells no role, by the board that shows them."""

DATABASE = "chainwatch"
JOB = "chainwatch"
SECRET = "on loopback only"

FAULTS: tuple[tuple[str, str, Mapping[str, float | str]], ...] = (
    ("sealer-3", "down", {}),
    ("client-1", "restart", {}),
    ("client-2", "lag", {"blocks": 12, "syncing": 1}),
    ("settlement-client-1", "fork", {"depth": 3}),
    ("producer-2", "skip", {"blocks": 12, "rounds": 3}),
    ("worker-3", "some", {"every": 4, "drop": 1}),
)
"""What goes wrong, where something is to: a node, its fault, and the fault's parameters."""


@dataclass(frozen=True)
class Stage:
    """All that runs."""

    databases: Mapping[str, Database]
    """By name: prometheus, victoria-metrics, influxql, flux."""
    cluster: SimulatedCluster
    surroundings: Background
    pushed_to: str
    began: float

    def span(self, step: float = EVERY) -> Span:
        """Return all of the time since it began, with points so many seconds apart."""
        return Span(self.began, time.time(), step, EVERY)

    def faults(self, these: Iterable[tuple[str, str, Mapping[str, float | str]]] = FAULTS) -> None:
        """Let faults happen."""
        for name, fault, parameters in these:
            self.surroundings.run(self.cluster.nodes[name].fault(fault, **parameters))

    def disturb(self) -> None:
        """Let a node push what cannot be read."""
        self.surroundings.run(_push_garbage(self.pushed_to))

    def database(self, name: str) -> Database:
        """Return a database; skip or fail the test where it is that of Flux, and no InfluxDB is there that has it."""
        return self.databases.get(name) or unavailable("CHAINWATCH_INFLUXD_FLUX points to no influxd 1.8 or later")


@contextmanager
def running(folder: Path) -> Iterator[Stage]:
    """Run it all until the block ends. Skips, or fails, where a server is missing."""
    rules = Path(__file__).parents[3] / "alerts" / "prometheus"
    pushed_to, page = free_address(), free_address()
    with ExitStack() as stack:
        surroundings = stack.enter_context(background())
        cluster = stack.enter_context(_cluster(surroundings, f"ws://{{name}}:{SECRET}@{pushed_to}"))
        influx = stack.enter_context(_influxd(folder / "influxd", require("influxd")))
        with_flux = shutil.which(os.environ.get("CHAINWATCH_INFLUXD_FLUX", "influxd-flux"))
        flux = stack.enter_context(_influxd(folder / "influxd-flux", with_flux)) if with_flux else ""
        outputs = {"influxdb": influx} | ({"influxdb-flux": flux} if flux else {})
        for url in outputs.values():
            assert fetch(f"{url}/query", b"q=CREATE+DATABASE+" + DATABASE.encode()).status == 200
        servers = [{"url": f"http://{name}:8888"} for name in cluster.nodes if name.startswith("worker-")]
        services = {"workers": {"loadBalancer": {"servers": servers}}}
        (folder / "workers.yaml").write_text(json.dumps({"http": {"services": services}}))
        settings = configuration(cluster, page, pushed_to, outputs)
        began = time.time()
        stack.enter_context(collector(folder, settings))
        wait_for(lambda: answers(f"http://{page}/metrics"), "the collector's page", within=20)
        prometheus = stack.enter_context(_prometheus(folder / "prometheus", page, sorted(rules.glob("*.yaml"))))
        victoria = stack.enter_context(_victoria_metrics(folder / "victoria-metrics", page))
        databases: dict[str, Database] = {
            "prometheus": Prometheus(prometheus),
            "victoria-metrics": Prometheus(victoria),
            "influxql": InfluxQl(influx, DATABASE),
        }
        if flux:
            databases["flux"] = Flux(flux, f"{DATABASE}/autogen")
        yield Stage(databases, cluster, surroundings, pushed_to, began)


async def _push_garbage(pushed_to: str) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"http://{pushed_to}/api") as socket:
        node = Reporter(socket, "confused-1")
        await node.login(secret=SECRET)
        await node.send({"emit": ["stats", {"id": node.name, "stats": "none"}]})
        await node.synced()


@contextmanager
def _cluster(surroundings: Background, pushed_to: str) -> Iterator[SimulatedCluster]:
    def push(name: str) -> str:
        return pushed_to.replace("{name}", name)

    further: list[GethOptions | NodeosOptions] = [
        GethOptions(name="boot-1", role="boot", ethstats=push("boot-1")),
        *(
            GethOptions(name=f"settlement-sealer-{i}", chain=SECOND, role="sealer", version=NEW, pprof=True)
            for i in (1, 2, 3)
        ),
        GethOptions(name="settlement-client-1", chain=SECOND, version=NEW, pprof=True),
        NodeosOptions(name="worker-4", version="5.0"),
        NodeosOptions(name="loyalty-producer-1", chain=SAVANNA, role="producer", version="spring-1.2"),
        NodeosOptions(name="loyalty-producer-2", chain=SAVANNA, role="producer", version="spring-1.2"),
        NodeosOptions(name="loyalty-worker-1", chain=SAVANNA, version="spring-1.2"),
    ]
    made = SimulatedCluster(
        sealers=4,
        clients=2,
        newer=2,
        producers=4,
        workers=3,
        more=further,
        ethereum_chain=ETHEREUM,
        nodeos_chain=NODEOS,
        ethereum_load=4.0,
        nodeos_load=12.0,
        ethstats=pushed_to,
    )
    surroundings.run(made.__aenter__())
    try:
        yield made
    finally:
        surroundings.run(made.__aexit__(None, None, None))


def configuration(cluster: SimulatedCluster, page: str, pushed_to: str, influx: Mapping[str, str]) -> Settings:
    """Return the configuration that watches the cluster and fills the databases."""
    chains: dict[str, dict[str, Any]] = {}
    for node in cluster.nodes.values():
        chain = chains.setdefault(
            node.chain, {"name": node.chain, "kind": node.kind, "block_period": PERIODS[node.chain], "servers": []}
        )
        role = "" if node.name in WITHOUT_ROLE.values() else node.role
        server = {"url": node.url, "name": node.name, "role": role, "metrics_url": node.metrics_url}
        chain["servers"].append({key: value for key, value in server.items() if value})
    chains[SECOND]["metrics"] = ["chain", "db", "eth", "p2p", "rpc", "system", "trie", "txpool"]
    chains[ETHEREUM]["ethstats"] = {"listen": pushed_to, "secret": SECRET}
    chains[NODEOS]["shielded"] = [{"name": "producer-1", "addresses": [f"127.0.0.1:{free_port()}"]}]
    outputs = {
        "prometheus": {"listen": page},
        "traefik": {"from": "workers.yaml", "to": "rotation.yaml"},
        "influxdb": [{"name": name, "url": url, "database": DATABASE} for name, url in influx.items()],
    }
    return {
        "agent": {"interval": EVERY, "timeout": EVERY * 0.9, "state_dir": "state"},
        "chains": list(chains.values()),
        "outputs": outputs,
    }


_INFLUXD = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
query-log-enabled = false
[monitor]
store-enabled = false
[http]
bind-address = "127.0.0.1:{port}"
log-enabled = false
flux-enabled = true
[continuous_queries]
enabled = false
"""


@contextmanager
def _influxd(folder: Path, binary: str) -> Iterator[str]:
    folder.mkdir()
    port = free_port()
    settings = folder / "influxd.conf"
    settings.write_text(_INFLUXD.format(folder=folder, port=port, rpc=free_port()))
    url = f"http://127.0.0.1:{port}"
    with process([binary, "-config", settings], ready=lambda: answers(f"{url}/ping"), log=folder / "log"):
        yield url


@contextmanager
def _prometheus(folder: Path, page: str, rules: Iterable[Path]) -> Iterator[str]:
    folder.mkdir()
    often = {"scrape_interval": f"{EVERY:g}s", "scrape_timeout": f"{EVERY:g}s", "evaluation_interval": f"{EVERY:g}s"}
    settings = {"global": often, "rule_files": [str(path) for path in rules], **_scraping(page)}
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    address = f"127.0.0.1:{free_port()}"
    argv = [require("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--web.listen-address={address}"]
    argv += [f"--storage.tsdb.path={folder / 'data'}"]
    with process(argv, ready=lambda: answers(f"http://{address}/-/ready"), log=folder / "log"):
        yield f"http://{address}"


@contextmanager
def _victoria_metrics(folder: Path, page: str) -> Iterator[str]:
    folder.mkdir()
    (folder / "scrape.yml").write_text(json.dumps({"global": {"scrape_interval": f"{EVERY:g}s"}, **_scraping(page)}))
    address = f"127.0.0.1:{free_port()}"
    argv = [require("victoria-metrics"), f"-httpListenAddr={address}", f"-storageDataPath={folder / 'data'}"]
    argv += [f"-promscrape.config={folder / 'scrape.yml'}", "-memory.allowedBytes=128MB", "-search.latencyOffset=0s"]
    with process(argv, ready=lambda: answers(f"http://{address}/health"), log=folder / "log"):
        yield f"http://{address}"


def _scraping(page: str) -> dict[str, Any]:
    return {"scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": [page]}]}]}
