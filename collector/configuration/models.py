"""The configuration as the collector works with it.

Each model is one mapping of the file, each description a sentence for editors and for docs/configuration.md. Values
are checked here one by one; what they have to do with each other, in `checks`. Models are frozen and equal when all
their values are, secrets from files included: that is how a reload sees what changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from collector.configuration import values
from collector.configuration.alerting import Alerts, Notify
from collector.configuration.base import Model, or_from_file
from collector.configuration.fields import (
    NOT_EMPTY,
    SHARD_SCHEMA,
    URL_SCHEMA,
    Delay,
    DnsName,
    Duration,
    FilePath,
    Kind,
    LabelName,
    Listen,
    MetricPath,
    OutputName,
    Page,
    Pattern,
    Place,
    PlainUrl,
    Port,
    PossiblyEmpty,
    ReplicaName,
    Scheme,
    Secret,
    SecretFile,
    Shards,
    Share,
    Size,
    Slot,
    Switch,
    Text,
    TraefikFile,
    Url,
    UrlPath,
    UrlWithAddress,
    Whole,
    at_least,
    at_most,
    empty_is_default,
)

LARGEST_BATCH = 20_000_000
"""InfluxDB 1.x refuses requests beyond 25 MB."""


class Shard(Model):
    """One of several collectors that share the servers out between themselves, each asked by one of them."""

    slot: Slot = Field(description="Which of the collectors this one is, from 1.")
    of: Shards = Field(
        description="How many there are; or the DNS name that they are behind, such as `tasks.collector`: then those "
        "whose slots DNS shows."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if isinstance(self.of, int) and self.slot > self.of:
            raise ValueError(f"has slot {self.slot} of {self.of}; write a slot from 1 to {self.of}")
        return self


def _shard_form(shard: object) -> str | None:
    return "<text>" if isinstance(shard, str) else "<shard>" if isinstance(shard, dict | Shard) else None


_AnyShard = Annotated[
    Annotated[Shard, BeforeValidator(values.shard), WithJsonSchema(SHARD_SCHEMA), Tag("<text>")]
    | Annotated[Shard, Tag("<shard>")],
    Discriminator(
        _shard_form,
        custom_error_type="form",
        custom_error_message="is no shard; write SLOT/N, such as 2/3, or a mapping with slot and of",
    ),
]


class Agent(Model):
    """How often nodes are asked, and what holds for chainwatch as a whole."""

    model_config = ConfigDict(revalidate_instances="always")  # the default's `state_dir` is relative to the file, too

    interval: Duration = Field(
        10.0, description="How often each server is gathered; ticks are rounded to the clock, as Telegraf's are."
    )
    timeout: Duration | None = Field(
        None,
        description="When a gather is cancelled. Left out: 5s, or the interval where that is shorter.",
    )
    jitter: Delay = Field(
        0.0, description="Each gather begins up to this much after its tick, so that nodes take turns."
    )
    state_dir: FilePath = Field(
        Path("state"),
        description="Directory for what is to outlive a restart, relative to the configuration file: "
        "what `notify` has told.",
    )
    shard: _AnyShard | None = Field(
        None,
        description="Ask a part of the servers, and leave the others to other collectors: `SLOT/N`, such as `2/3`, or "
        "`slot` and `of`.",
    )
    shutdown_timeout: Delay = Field(5.0, description="How long outputs may deliver what is left when chainwatch stops.")


class ServerModel(Model):
    """What every form of a server may say."""

    role: PossiblyEmpty = Field(
        "", description="The label `role`: boot, sealer, client, producer, worker, or your own word."
    )
    metrics: tuple[MetricPath, ...] | None = Field(
        None, description="As `metrics` of the chain, for this server alone."
    )
    interval: Duration | None = Field(None, description="As `interval` of the chain, for this server alone.")
    timeout: Duration | None = Field(None, description="As `timeout` of the chain, for this server alone.")
    labels: dict[LabelName, Text] = Field({}, description="Further labels, added to those of the chain.")


class StaticServer(ServerModel):
    """A server at a URL. A URL alone may stand for the whole mapping."""

    url: Url = Field(
        repr=False, description="Where the node answers; it may hold `user:password@`, which is never shown."
    )
    name: Text | None = Field(None, description="The label `node`. Left out: `host:port` of the URL.")
    metrics_url: Url | None = Field(
        None, repr=False, description="Where an Ethereum node offers `/debug/metrics`, if it is to be read there."
    )


class DnsServer(ServerModel):
    """A DNS name; every address behind it, IPv4 and IPv6, is a node of its own. Asked again at every tick."""

    dns: DnsName = Field(description="The name, such as `tasks.worker` for the replicas of a Swarm service.")
    port: Port = Field(description="The port at which each of them answers.")
    scheme: Scheme = Field("http", description="`http` or `https`; certificates are checked against the DNS name.")
    path: UrlPath = Field("", description="Path of the URL, if there is one.")
    name: ReplicaName | None = Field(
        None, description="The label `node`, with `{slot}` or `{address}` in it. Left out: `address:port`."
    )
    metrics_url: UrlWithAddress | None = Field(
        None, repr=False, description="As for a `url`, with `{address}` in it: `http://{address}:6060/debug/metrics`."
    )


class FileServer(ServerModel):
    """Files with lists of servers, read again when they change. Other keys hold where a file says nothing of them."""

    file: Pattern = Field(
        description="Path of the files, relative to the configuration file; `*`, `?`, `[…]` and `**` as in a shell."
    )


FORMS: Mapping[str, type[StaticServer | DnsServer | FileServer]] = {
    "url": StaticServer,
    "dns": DnsServer,
    "file": FileServer,
}
"""The forms of a server, by the key that tells them apart."""

FORM = re.compile("<(.*)>")
"""How a form is called within the models: no key of a file looks like it."""


def form(server: object, forms: Mapping[str, type[Model]] = FORMS) -> str | None:
    """Return which of the forms a server has, None where it has none or more than one."""
    if isinstance(server, str):
        return "<text>"
    if not isinstance(server, dict):
        return next((f"<{key}>" for key, model in forms.items() if isinstance(server, model)), None)
    found = [key for key in forms if key in server]
    return f"<{found[0]}>" if len(found) == 1 else None


def _at(url: object) -> object:
    return {"url": url}


Server = StaticServer | DnsServer | FileServer

UrlAlone = Annotated[StaticServer, BeforeValidator(_at), WithJsonSchema(URL_SCHEMA), Tag("<text>")]
"""A text that stands for the whole mapping."""

_AnyServer = Annotated[
    UrlAlone
    | Annotated[StaticServer, Tag("<url>")]
    | Annotated[DnsServer, Tag("<dns>")]
    | Annotated[FileServer, Tag("<file>")],
    Discriminator(
        form,
        custom_error_type="form",
        custom_error_message="is no server; write a URL, or a mapping with one of url, dns and file",
    ),
]


class EthstatsGroup(Model):
    """Nodes that share a secret, or several while one is replaced by another."""

    name: Text = Field(description="What the group is called in messages.")
    role: PossiblyEmpty = Field(
        "", description="The label `role` of its nodes: boot, sealer, client, or your own word."
    )
    secret_files: tuple[SecretFile, ...] = Field(
        (), description="Files with a secret each, relative to the configuration file."
    )
    secrets: tuple[Secret, ...] = Field((), description="The secrets, each good for a login.")

    @property
    def all_secrets(self) -> tuple[SecretStr, ...]:
        """The secrets, wherever they came from."""
        return (*self.secrets, *self.secret_files)


class Ethstats(Model):
    """Where nodes push their stats, as geth does with `--ethstats NAME:SECRET@HOST:PORT`."""

    listen: Listen = Field(description="Address and port: nodes push to `/api` there, and a page is at `/`.")
    path: Page = Field(
        "/", description="What comes before `/api` and the page; chains with different ones can share a port."
    )
    secret_file: SecretFile | None = Field(
        None, description="File with the secret, relative to the configuration file."
    )
    secret: Secret | None = Field(None, description="The secret of every node that is in no group.")
    groups: tuple[EthstatsGroup, ...] = Field(
        (), description="Groups of nodes, each with secrets and a role of its own."
    )
    forget_after: Duration = Field(
        14_400.0, description="How long a node that is gone is remembered and told as not connected."
    )

    _from_file = field_validator("secret")(or_from_file)


class Shielded(Model):
    """A node that nobody outside is to reach, and the addresses at which the world would try it."""

    name: Text = Field(description="The label `node`: as in `servers`, if the node is watched there.")
    addresses: Annotated[tuple[Place, ...], NOT_EMPTY] = Field(
        description="Each a host and a port, at which a connection is tried: `203.0.113.5:8888`, "
        '`"[2001:db8::5]:8888"`, `gate.example:8888`.',
        json_schema_extra={"minItems": 1},
    )
    role: PossiblyEmpty = Field("producer", description="The label `role`.")
    interval: Duration | None = Field(None, description="As `interval` of the chain, for this node alone.")
    timeout: Duration | None = Field(None, description="As `timeout` of the chain, for this node alone.")


class Health(Model):
    """When health says that something is wrong; see docs/health.md for what each figure is compared with."""

    behind_blocks: Annotated[Whole, at_least(1)] = Field(
        3, description="A node so many blocks behind the others, at two gathers in a row, is behind."
    )
    down_gathers: Annotated[Whole, at_least(1)] = Field(
        2, description="A node that failed so many gathers in a row is down."
    )
    reorganised_blocks: Annotated[Whole, at_least(1)] = Field(
        3, description="A node that gives up so many blocks for others is told of; fewer happen in health."
    )
    halted_least: Duration = Field(
        10.0,
        description="A chain has not halted before its head has stood for so long, however short its block period.",
    )
    clock_seconds: Duration = Field(
        5.0, description="A node's clock, or a chain's block times, may differ so much from the collector's clock."
    )
    event_seconds: Duration = Field(
        600.0, description="How long it is told that something happened, such as a round that was missed."
    )
    oldest_version: PossiblyEmpty = Field(
        "", description="Nodes of versions before this one, such as `1.13.15`, are told as outdated."
    )
    slow_share: Share = Field(0.5, description="Share of `timeout` that a node may take to answer.")
    flaky_share: Share = Field(0.2, description="Share of a node's last sixty gathers that may fail.")
    state_database_share: Share = Field(
        0.9, description="Share of a nodeos's state database that may be used; it stops when nothing is left."
    )
    syncing: Duration = Field(3600.0, description="How long a node may say that it is syncing.")
    restarts: Annotated[Whole, at_least(1)] = Field(
        3, description="A node that came back as another process so often within an hour is told of."
    )


class Chain(Model):
    """A network of nodes that should agree."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["servers"], "properties": {"servers": {"minItems": 1}}},
                {"required": ["ethstats"]},
                {"required": ["shielded"], "properties": {"shielded": {"minItems": 1}}},
            ]
        }
    )

    name: Text = Field(description="The label `chain`.")
    kind: Kind = Field(description="What the nodes are: `ethereum` (geth), `nodeos`, or a source that somebody added.")
    block_period: Delay = Field(
        0.0, description="Time between blocks, by which health tells a late block from a stuck node. 0: unknown."
    )
    metrics: tuple[MetricPath, ...] | None = Field(
        None,
        description="Which of a node's own metrics are read: dotted paths, each with all below it, `*` for any part. "
        "Left out: the usual ones of the kind. `[]`: none.",
    )
    interval: Duration | None = Field(None, description="As `interval` of the agent, for this chain.")
    timeout: Duration | None = Field(None, description="As `timeout` of the agent, for this chain.")
    labels: dict[LabelName, Text] = Field({}, description="Further labels on everything said of this chain's nodes.")
    servers: tuple[_AnyServer, ...] = Field(
        (),
        description="Where the nodes are: each a URL, or one of the three forms below. "
        "Required, unless there is `ethstats` or `shielded`.",
    )
    ethstats: Ethstats | None = Field(
        None, description="Where the nodes push their stats, for a chain of kind `ethereum`."
    )
    shielded: tuple[Shielded, ...] = Field((), description="Nodes that nobody outside is to reach, which is tried.")
    health: Annotated[Health, BeforeValidator(empty_is_default)] = Field(
        default_factory=Health, description="When health says that something is wrong with this chain."
    )


class Prometheus(Model):
    """A page for Prometheus to scrape."""

    listen: Listen = Field(
        values.Address("127.0.0.1", 9273), description="Address and port of the page; `:9273` is all addresses."
    )
    path: Page = Field("/metrics", description="Path of the page.")
    expire: Annotated[Whole, at_least(1)] = Field(
        5, description="After so many intervals without a reading, a series leaves the page."
    )


class LivePage(Model):
    """A page for people, which shows how the chains are, on a port of its own."""

    listen: Listen = Field(
        values.Address("127.0.0.1", 9280), description="Address and port of the page; `:9280` is all addresses."
    )
    public: Switch = Field(
        False, description="Leave out addresses, versions and the names of nodes and makers: a page for everybody."
    )

    @property
    def output_name(self) -> str:
        """The name among the outputs. It has a colon, which no other output's has."""
        return f"page-{self.listen}"


class Influxdb(Model):
    """An InfluxDB to write to: 1.x by `database`; 2.x and 3.x by `org` and `bucket`."""

    url: PlainUrl = Field(description="Where InfluxDB, or what speaks its protocol, answers.")
    name: OutputName | None = Field(
        None, description="The label `output` in chainwatch's own metrics. Left out: `influxdb-host-port`."
    )
    database: Text | None = Field(None, description="Database of InfluxDB 1.x.")
    retention_policy: Text | None = Field(None, description="Retention policy. Left out: the database's default.")
    create_database: Switch = Field(True, description="Create the database if it is missing, as Telegraf does.")
    username: Text | None = Field(None, description="User of InfluxDB 1.x.")
    password_file: SecretFile | None = Field(
        None, description="File with the password, relative to the configuration file."
    )
    password: Secret | None = Field(None, description="The user's password.")
    org: Text | None = Field(None, description="Organisation of InfluxDB 2.x and 3.x.")
    bucket: Text | None = Field(None, description="Bucket of InfluxDB 2.x and 3.x.")
    token_file: SecretFile | None = Field(None, description="File with the token, relative to the configuration file.")
    token: Secret | None = Field(None, description="The token.")
    timeout: Duration = Field(5.0, description="When a request is given up, to be tried again.")
    flush_interval: Duration = Field(1.0, description="Readings wait for each other this long, then go in one request.")
    batch_bytes: Annotated[Size, at_most(LARGEST_BATCH)] = Field(
        1 << 20, description="A request holds so many bytes at most, before compression."
    )
    buffer: Size = Field(
        64 << 20,
        description="Memory for readings that wait while InfluxDB can't be reached; then the oldest are dropped.",
    )

    _from_file = field_validator("password", "token")(or_from_file)

    @property
    def output_name(self) -> str:
        """The name, given or not."""
        return self.name or values.output_name_for(self.url)


class Traefik(Model):
    """A file that Traefik watches, or a page that it polls, without the servers of nodes that are behind."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["to"]}, {"required": ["listen"]}]})

    text: TraefikFile = Field(
        alias="from",
        repr=False,
        description="File with the whole dynamic configuration of Traefik (YAML), relative to the configuration file.",
    )
    to: FilePath | None = Field(
        None, description="File to write, which Traefik's file provider watches; relative to the configuration file."
    )
    listen: Listen | None = Field(
        None, description="In place of `to`: address and port of a page, which Traefik's HTTP provider polls."
    )
    path: Page = Field("/traefik", description="Path of that page.")
    behind: Annotated[Whole, at_least(2)] = Field(
        3, description="Blocks behind the others at which a node leaves; it returns once it is half as many behind."
    )
    older: Delay = Field(
        0.0,
        description="A node leaves, too, once its head block is so much older than the others'. 0: whatever its age.",
    )


class Telegraf(Model):
    """Lines for Telegraf's `execd` input: one gather for each newline on stdin."""


class Stdout(Model):
    """Lines on stdout, to look at."""


def _list(value: object) -> object:
    return value if value is None or isinstance(value, list | tuple) else [value]


class Outputs(Model):
    """Where readings go: one of these, or several."""

    prometheus: Annotated[Prometheus | None, BeforeValidator(empty_is_default)] = Field(
        None, validate_default=False, description="A page for Prometheus to scrape."
    )
    page: Annotated[tuple[LivePage, ...], BeforeValidator(_list)] = Field(
        (), description="A page for people at a port of its own, beside the one that `prometheus` has; or several."
    )
    influxdb: Annotated[tuple[Influxdb, ...], BeforeValidator(_list)] = Field(
        (), description="An InfluxDB, or a list of several."
    )
    traefik: Traefik | None = Field(
        None, description="A load balancer that is to send nothing to nodes that have fallen behind."
    )
    telegraf: Annotated[Telegraf | None, BeforeValidator(empty_is_default)] = Field(
        None, validate_default=False, description="Run under Telegraf's `execd` input."
    )
    stdout: Annotated[Stdout | None, BeforeValidator(empty_is_default)] = Field(
        None, validate_default=False, description="Lines on stdout."
    )

    notify: Annotated[Notify | None, BeforeValidator(empty_is_default)] = Field(
        None, validate_default=False, description="The collector tells the channels of `alerts` by itself."
    )

    def __bool__(self) -> bool:
        return any(dict(self).values())


class Configuration(Model):
    """A whole file."""

    agent: Annotated[Agent, BeforeValidator(empty_is_default)] = Field(
        default_factory=Agent, description="How often nodes are asked, and what holds for chainwatch as a whole."
    )
    chains: Annotated[tuple[Chain, ...], NOT_EMPTY] = Field(
        description="The chains to watch.", json_schema_extra={"minItems": 1}
    )
    outputs: Annotated[Outputs, BeforeValidator(empty_is_default)] = Field(
        default_factory=Outputs, description="Where readings go."
    )
    alerts: Annotated[Alerts, BeforeValidator(empty_is_default)] = Field(
        default_factory=Alerts, description="When somebody is told of what is wrong, and how."
    )


def schedule(agent: Agent, *sections: Chain | ServerModel | Shielded) -> tuple[float, float]:
    """Return the interval and the timeout that hold under these sections, of which the later say it more precisely."""
    closest = [*reversed(sections), agent]
    interval = next(section.interval for section in closest if section.interval is not None)
    timeout = next((section.timeout for section in closest if section.timeout is not None), min(5.0, interval))
    return interval, timeout
