"""The options of a cluster as everything else in compose/ works with them.

The sections `service`, `geth`, `boot`, `ethstats`, `sealer` and `client`, and their keys, are those of the DC/OS
package for Ethereum, whose options file is taken as it stands; the other sections are chainwatch's own. Each
description is a sentence for docs/deploy.md. Values are checked here one by one; what they have to do with each other,
in `checks`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, SecretStr

from collector.configuration.base import Model
from collector.configuration.fields import Duration, Secret, Switch, Whole, at_least, empty_is_default
from collector.configuration.models import Health
from compose.options import values
from compose.options.sections import (
    Alerts,
    Count,
    Cpus,
    Database,
    HostPort,
    ImageName,
    ImagesBeside,
    Labelled,
    Labels,
    Logs,
    Megabytes,
    One,
    Optional,
    Project,
    Published,
    Role,
    Supporting,
)

GethVersion = Annotated[str, BeforeValidator(values.geth_version)]
PrivateKeys = Annotated[tuple[SecretStr, ...], BeforeValidator(values.private_keys)]
Modules = Annotated[tuple[str, ...], BeforeValidator(values.modules), PlainSerializer(",".join)]
Arguments = Annotated[tuple[str, ...], BeforeValidator(values.arguments)]
Wei = Annotated[int, BeforeValidator(values.wei), PlainSerializer(str)]
EthAddress = Annotated[str, BeforeValidator(values.eth_address)]
Verbosity = Annotated[int, BeforeValidator(values.verbosity)]
EthstatsSecret = Annotated[SecretStr, BeforeValidator(values.ethstats_secret)]
Replaced = Annotated[None, BeforeValidator(values.replaced)]
"""An option of the DC/OS package whose work is done by something else here, which its description names."""

_NO_DISK_SIZE = "Docker's local volumes have no size, the disk that holds them has; node-exporter tells how full it is."
_NO_DISK_TYPE = "volumes lie where Docker keeps its data (`data-root` in its daemon.json)."
_ONE_MACHINE = "all runs on the machine where Compose runs."
_NETWORK = "Compose makes a network for each project, in which services find each other by name."

GETH_IMAGE = "ethereum/client-go:alltools-v{version}"


class Service(Project):
    """The cluster as a whole."""

    user: Replaced = Field(None, description="images name the users that they run as.")
    service_account: Replaced = Field(None, description="whoever may talk to Docker may deploy.")
    service_account_secret: Replaced = Field(None, description="whoever may talk to Docker may deploy.")
    virtual_network_enabled: Replaced = Field(None, description=_NETWORK)
    virtual_network_name: Replaced = Field(None, description=_NETWORK)
    virtual_network_plugin_labels: Replaced = Field(None, description=_NETWORK)
    mesos_api_version: Replaced = Field(
        None, description="there is no Mesos; Docker's interface is settled by the `docker` command."
    )


class Geth(Model):
    """What all nodes have in common."""

    version: GethVersion = Field(values.LAST_THAT_SEALS, description="Version of geth.")
    network_id: Annotated[Whole, at_least(1)] = Field(18, description="Network id, and chain id of the genesis.")
    mode: Replaced = Field(
        None, description="`geth.create_genesis` says whether the chain is one of one's own, `geth.network_id` which."
    )
    syncmode: Annotated[str, BeforeValidator(values.choice("full", "fast", "snap", "light"))] = Field(
        "full", description="How nodes catch up: full; snap from 1.10 on, fast before it; light up to 1.12, on clients."
    )
    create_genesis: Switch = Field(True, description="Begin a chain of one's own; false: nodes join a public one.")
    consensus_engine: Annotated[str, BeforeValidator(values.choice("clique", "ethash"))] = Field(
        "clique", description="clique, or ethash where the version still mines (to 1.11.6)."
    )
    clique_period: Annotated[int, BeforeValidator(values.block_period)] = Field(
        15, description="Seconds between blocks; 0: blocks only when there are transactions."
    )
    clique_epoch: Annotated[Whole, at_least(1)] = Field(30_000, description="Blocks between checkpoints of the votes.")
    gas_limit: Annotated[Whole, at_least(5_000)] = Field(
        4_700_000, description="Gas limit of the genesis block, which sealers keep to."
    )
    prefund: dict[EthAddress, Wei] = Field(
        {}, description="Further accounts with an amount in wei in the genesis: `0x…: 1000000000000000000`."
    )
    advertise: Annotated[str, BeforeValidator(values.advertised_address)] = Field(
        "", description="Address of this machine that nodes elsewhere reach; given, the p2p ports are published there."
    )


class Placed(Model):
    """What the DC/OS package may be told besides."""

    placement_constraint: Replaced = Field(None, description=_ONE_MACHINE)
    placement_contstraint: Replaced = Field(None, description=_ONE_MACHINE)  # as the package's documents spell it


class Boot(Role, Placed):
    """The boot node, by which nodes find each other."""

    count: One = Field(1, description="1, or 0 for none.")
    cpus: Cpus = Field(0.1, description="Processors that a container may use.")
    mem: Megabytes = Field(256, description="Memory that a container may use, in MB.")
    verbosity: Verbosity = Field(3, description="How much it logs, 0 to 5.")
    disk: Replaced = Field(None, description=_NO_DISK_SIZE)
    disk_type: Replaced = Field(None, description=_NO_DISK_TYPE)


class Ethstats(Labelled, Placed):
    """The stats page, to which nodes push. The collector serves it."""

    count: One = Field(1, description="1, or 0 for none.")
    labels: Labels = Field({}, description="Labels of the collector's container, which serves the page.")
    websocket_secret: EthstatsSecret | None = Field(
        None, description="Secret with which nodes log in. Left out: made at the first start."
    )
    cpus: Replaced = Field(None, description="the collector serves the page: `collector.cpus` says what it may use.")
    mem: Replaced = Field(None, description="the collector serves the page: `collector.mem` says what it may use.")
    verbosity: Replaced = Field(
        None, description="the collector serves the page: `service.log_level` says how much it logs."
    )


class Nodes(Role, Placed):
    """Nodes that run geth."""

    verbosity: Verbosity = Field(3, description="How much each logs, 0 to 5.")
    args: Arguments = Field((), description="Further arguments of geth.")
    rpcapi: Modules = Field((), description="Modules of JSON-RPC that a node offers; empty shuts RPC.")
    create_accounts: Switch = Field(True, description="Make an account for each node, with ether in the genesis.")
    unlock_accounts: Switch = Field(True, description="Unlock each node's account when it starts.")
    account_privatekeys: PrivateKeys = Field(
        (), description="Private keys of one's own, in hexadecimal, comma-separated; given out to the nodes in turn."
    )
    account_secret: Secret | None = Field(
        None, description="Passphrase of the nodes' keystores. Left out: made at the first start."
    )
    disk: Replaced = Field(None, description=_NO_DISK_SIZE)
    disk_type: Replaced = Field(None, description=_NO_DISK_TYPE)

    @property
    def have_accounts(self) -> bool:
        """Whether each of them has an account: one that is made, or of a key that was given."""
        return self.create_accounts or bool(self.account_privatekeys)


class Sealer(Nodes):
    """The nodes that seal blocks."""

    count: Count = Field(3, description="How many there are.")
    rpcapi: Modules = Field(
        ("admin", "clique", "debug", "eth", "net", "txpool", "web3"),
        description="Modules of JSON-RPC that a sealer offers to the collector and the other nodes; empty shuts RPC.",
    )


class Client(Nodes):
    """The nodes that answer the users' requests, behind the load balancer."""

    count: Count = Field(2, description="How many there are.")
    rpcapi: Modules = Field(
        ("clique", "eth", "net", "txpool", "web3"),
        description="Modules of JSON-RPC that a client offers through the load balancer; "
        "admin, debug and personal are never among them. Empty shuts RPC.",
    )
    unlock_accounts: Switch = Field(
        False, description="Unlock each client's account: whoever reaches the load balancer can spend from it."
    )


class LoadBalancer(Supporting):
    """Traefik: one address for all clients and the stats page."""

    behind: Annotated[Whole, at_least(2)] = Field(
        3, description="Blocks behind the others at which a client leaves the rotation."
    )


class Collector(Supporting):
    """chainwatch itself."""

    count: One = Field(1, description="1, or 0 for a chain that nobody watches; the stats page is gone with it.")
    cpus: Cpus = Field(1.0, description="Processors that a container may use.")
    mem: Megabytes = Field(512, description="Memory that a container may use, in MB.")
    interval: Duration = Field(10.0, description="How often each node is gathered.")


class Transfers(Role):
    """A load of signed transfers between the nodes' accounts, so that blocks have something in them."""

    rate: Annotated[float, BeforeValidator(values.rate)] = Field(0.0, description="Transfers per second; 0: none.")


class Publish(Published):
    """What the machine's own ports show. 0: not published."""

    client_http: HostPort = Field(8500, description="The clients' JSON-RPC over HTTP, through the load balancer.")
    client_ws: HostPort = Field(8501, description="The clients' JSON-RPC over WebSocket, through the load balancer.")
    ethstats: HostPort = Field(8502, description="The stats page, through the load balancer.")
    boot_p2p: HostPort = Field(30_301, description="The boot node, where `geth.advertise` is given.")
    p2p: HostPort = Field(30_303, description="The first node's p2p port, where `geth.advertise` is given; then on.")


class Images(ImagesBeside):
    """Which images run."""

    geth: ImageName | None = Field(None, description=f"geth. Left out: `{GETH_IMAGE}`, of `geth.version`.")


class Options(Model):
    """A whole file."""

    service: Annotated[Service, BeforeValidator(empty_is_default)] = Service()
    geth: Annotated[Geth, BeforeValidator(empty_is_default)] = Geth()
    boot: Annotated[Boot, BeforeValidator(empty_is_default)] = Boot()
    ethstats: Annotated[Ethstats, BeforeValidator(empty_is_default)] = Ethstats()
    sealer: Annotated[Sealer, BeforeValidator(empty_is_default)] = Sealer()
    client: Annotated[Client, BeforeValidator(empty_is_default)] = Client()
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
    transfers: Annotated[Transfers, BeforeValidator(empty_is_default)] = Transfers()
    publish: Annotated[Publish, BeforeValidator(empty_is_default)] = Publish()
    images: Annotated[Images, BeforeValidator(empty_is_default)] = Images()
    logs: Annotated[Logs, BeforeValidator(empty_is_default)] = Logs()
