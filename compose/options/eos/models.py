"""The options of an EOSIO or Antelope network: a file is one of these where it has the section `eos`.

Each description is a sentence for docs/deploy-eos.md. Values are checked here one by one; what they have to do with
each other, in `checks`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr

from collector.about import VERSION
from collector.configuration.base import Model
from collector.configuration.fields import Duration, Switch, Whole, at_least, empty_is_default
from collector.configuration.models import Health
from compose.options.eos import values
from compose.options.eos.genesis import GENESIS
from compose.options.sections import (
    Alerts,
    Count,
    Cpus,
    Database,
    HostPort,
    ImageName,
    ImagesBeside,
    Logs,
    Megabytes,
    One,
    Optional,
    Project,
    ProjectName,
    Published,
    Role,
    Supporting,
)

Release = Annotated[str, BeforeValidator(values.release)]
ProducerName = Annotated[str, BeforeValidator(values.producer_name)]
SignatureKey = Annotated[SecretStr, BeforeValidator(values.signature_key)]
Addresses = Annotated[tuple[str, ...], BeforeValidator(values.addresses)]
ConfigLines = dict[
    Annotated[str, BeforeValidator(values.line_name)], Annotated[tuple[str, ...], BeforeValidator(values.line_values)]
]
Constraints = Annotated[tuple[str, ...], BeforeValidator(values.constraints), PlainSerializer(",".join)]
SnapshotPeriod = Annotated[Duration, AfterValidator(values.snapshot_period)]
GenesisFile = Annotated[str, BeforeValidator(values.genesis_file), PlainSerializer(lambda _: GENESIS)]
"""What the file holds. Written down, it is the copy in the directory that is made of these options."""

NODEOS_IMAGE = f"chainwatch-nodeos:{VERSION}-{{release}}"

_FURTHER = "Further lines of config.ini, `name: value` or `name: [value, value]`."


class Service(Project):
    """The cluster as a whole."""

    name: ProjectName = Field("eos", description="Name of the Compose project or the stack, and the label `chain`.")


class Eos(Model):
    """What all nodes have in common."""

    version: Release = Field("spring-1.2.2", description="Release of nodeos: `leap-…` or `spring-…`.")
    create_genesis: Switch = Field(True, description="Begin a chain of one's own; false: nodes join another network.")
    genesis: GenesisFile | None = Field(
        None, description="genesis.json of the network that is joined, relative to the options file."
    )
    peers: Addresses = Field((), description="Peers outside, `host:port`; they are spread over the workers.")
    config: ConfigLines = Field({}, description=f"{_FURTHER} For all nodes.")


class Producer(Role):
    """The node that makes blocks. Nothing outside reaches it."""

    count: One = Field(1, description="1, or 0 for none.")
    name: ProducerName = Field("eosio", description="Account that produces.")
    signature_key: SignatureKey | None = Field(
        None, description="Private key (WIF, `5…`) that blocks are signed with. Left out: made."
    )
    config: ConfigLines = Field({}, description=f"{_FURTHER} For the producer.")
    shielded: Addresses = Field(
        (), description="Where nobody may reach it, `host:port`: the collector tries, and raises a metric if it can."
    )


class Worker(Role):
    """The nodes that answer the world, behind the load balancer."""

    count: Count = Field(8, description="How many there are.")
    update_delay: Duration = Field(
        10.0, description="How long a swarm waits between two of them when it updates all, whether or not one keeps up."
    )
    config: ConfigLines = Field({}, description=f"{_FURTHER} For the workers.")


class Snapshots(Role):
    """The node that answers nobody, and takes snapshots from which the others start."""

    count: One = Field(1, description="1, or 0 for none: then a node that is new, or was killed, replays all blocks.")
    every: SnapshotPeriod = Field(600.0, description="How often a snapshot is taken.")
    keep: Annotated[Whole, at_least(1)] = Field(6, description="How many are kept.")
    config: ConfigLines = Field({}, description=f"{_FURTHER} For this node.")


class LoadBalancer(Supporting):
    """Traefik: one address for all workers."""

    older: Duration = Field(5.0, description="A worker whose head is so much older than the others' gets no requests.")
    behind: Annotated[Whole, at_least(2)] = Field(12, description="Nor does one that is so many blocks behind.")


class Collector(Supporting):
    """chainwatch itself."""

    count: Count = Field(
        1,
        description="1, or 0 for a chain that nobody watches; in a swarm also more, which share the nodes among them.",
    )
    cpus: Cpus = Field(1.0, description="Processors that a container may use.")
    mem: Megabytes = Field(512, description="Memory that a container may use, in MB.")
    interval: Duration = Field(10.0, description="How often each node is gathered.")


class Publish(Published):
    """What the machine's own ports show. 0: not published."""

    api: HostPort = Field(8888, description="The workers' HTTP API, `/v1/chain/` alone, through the load balancer.")


class Images(ImagesBeside):
    """Which images run."""

    nodeos: ImageName | None = Field(
        None,
        description=f"nodeos with chainwatch's entrypoint. Left out: `{NODEOS_IMAGE.format(release='VERSION')}`, "
        "of `eos.version`.",
    )


class Placement(Model):
    """On which machines of a swarm services run: constraints as Docker has them, with commas between them."""

    producer: Constraints = Field((), description="The producer; its chain is where it runs first.")
    snapshots: Constraints = Field((), description="The node that takes snapshots.")
    worker: Constraints = Field((), description="The workers.")
    traefik: Constraints = Field(
        ("node.role==manager",), description="The load balancer, where the world finds it, and `rotation`."
    )
    monitoring: Constraints = Field(
        ("node.role==manager",), description="What keeps figures on the disk of the machine where it runs."
    )


class Options(Model):
    """A whole file."""

    service: Annotated[Service, BeforeValidator(empty_is_default)] = Service()
    eos: Annotated[Eos, BeforeValidator(empty_is_default)] = Eos()
    producer: Annotated[Producer, BeforeValidator(empty_is_default)] = Producer()
    worker: Annotated[Worker, BeforeValidator(empty_is_default)] = Worker()
    snapshots: Annotated[Snapshots, BeforeValidator(empty_is_default)] = Snapshots()
    traefik: Annotated[LoadBalancer, BeforeValidator(empty_is_default)] = LoadBalancer()
    collector: Annotated[Collector, BeforeValidator(empty_is_default)] = Collector()
    prometheus: Annotated[Database, BeforeValidator(empty_is_default)] = Database()
    alertmanager: Annotated[Supporting, BeforeValidator(empty_is_default)] = Supporting()
    influxdb: Annotated[Database, BeforeValidator(empty_is_default)] = Database()
    grafana: Annotated[Supporting, BeforeValidator(empty_is_default)] = Supporting()
    node_exporter: Annotated[Supporting, BeforeValidator(empty_is_default)] = Supporting()
    cadvisor: Annotated[Optional, BeforeValidator(empty_is_default)] = Optional()
    health: Annotated[Health, BeforeValidator(empty_is_default)] = Health()
    alerts: Annotated[Alerts, BeforeValidator(empty_is_default)] = Alerts()
    placement: Annotated[Placement, BeforeValidator(empty_is_default)] = Placement()
    publish: Annotated[Publish, BeforeValidator(empty_is_default)] = Publish()
    images: Annotated[Images, BeforeValidator(empty_is_default)] = Images()
    logs: Annotated[Logs, BeforeValidator(empty_is_default)] = Logs()
