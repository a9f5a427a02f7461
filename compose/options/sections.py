"""What the options of every kind of cluster have in common: the kinds of values, and the sections that are alike.

Each description is a sentence for docs/. Values are checked here one by one; what they have to do with each other, in
the `checks` of each kind.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from collector.about import VERSION
from collector.configuration import alerting
from collector.configuration.base import Model
from collector.configuration.fields import PlainUrl, Whole, at_least
from compose.options import values

Count = Annotated[int, BeforeValidator(values.count)]
One = Annotated[int, BeforeValidator(values.none_or_one)]
Cpus = Annotated[float, BeforeValidator(values.cpus)]
Megabytes = Annotated[int, BeforeValidator(values.megabytes)]
Labels = Annotated[dict[str, str], BeforeValidator(values.labels)]
ProjectName = Annotated[str, BeforeValidator(values.project_name)]
HostPort = Annotated[int, BeforeValidator(values.host_port)]
IpAddress = Annotated[str, BeforeValidator(values.ip_address)]
LogLevel = Annotated[str, BeforeValidator(values.log_level)]
ImageName = Annotated[str, BeforeValidator(values.image_name)]
ImagePrefix = Annotated[str, BeforeValidator(values.image_prefix)]


class Project(Model):
    """The cluster as a whole."""

    name: ProjectName = Field("ethereum", description="Name of the Compose project, and the label `chain`.")
    log_level: LogLevel = Field("INFO", description="DEBUG has the collector log more; INFO, WARN and ERROR are alike.")


class Labelled(Model):
    """What has labels."""

    labels: Labels = Field({}, description="Labels of the containers: `name:value,name:value`, or a mapping.")


class Role(Labelled):
    """What every kind of container may be told."""

    cpus: Cpus = Field(1.0, description="Processors that a container may use.")
    mem: Megabytes = Field(1024, description="Memory that a container may use, in MB.")


class Supporting(Role):
    """A service beside the chain."""

    count: One = Field(1, description="1, or 0 to do without.")
    cpus: Cpus = Field(0.5, description="Processors that a container may use.")
    mem: Megabytes = Field(256, description="Memory that a container may use, in MB.")


class Database(Supporting):
    """A service that keeps figures."""

    cpus: Cpus = Field(1.0, description="Processors that a container may use.")
    mem: Megabytes = Field(1024, description="Memory that a container may use, in MB.")
    retention: Annotated[int, BeforeValidator(values.days)] = Field(30, description="Days for which it keeps figures.")


class Optional(Supporting):
    """A service that is left out unless asked for."""

    count: One = Field(0, description="1 to have it.")


class Published(Model):
    """What the machine's own ports show of the services beside the chain. 0: not published."""

    address: IpAddress = Field("127.0.0.1", description="Address of the machine that the ports are published at.")
    grafana: HostPort = Field(3000, description="Grafana.")
    prometheus: HostPort = Field(9090, description="Prometheus, which asks for no password.")
    alertmanager: HostPort = Field(9093, description="Alertmanager, which asks for no password.")
    page: HostPort = Field(9280, description="The collector's live page, which asks for no password.")


class Alerts(alerting.Alerts):
    """When somebody is told of what is wrong, and how."""

    address: PlainUrl | None = Field(
        None,
        description="Where people reach the live page, such as `https://monitor.example`: links to runbooks lead "
        "there. Left out: where `publish` shows it.",
    )


class ImagesBeside(Model):
    """Which images the services beside the chain run."""

    mirror: ImagePrefix = Field("", description="Stands before every name: the address of a mirror.")
    chainwatch: ImageName = Field(f"chainwatch:{VERSION}", description="The collector and the one-shot services.")
    traefik: ImageName = Field("traefik:v3.7.15", description="Traefik.")
    prometheus: ImageName = Field("prom/prometheus:v2.53.4", description="Prometheus.")
    alertmanager: ImageName = Field("prom/alertmanager:v0.27.0", description="Alertmanager.")
    influxdb: ImageName = Field("influxdb:1.8.10", description="InfluxDB 1.x.")
    grafana: ImageName = Field("grafana/grafana:11.2.0", description="Grafana.")
    node_exporter: ImageName = Field("prom/node-exporter:v1.8.2", description="node-exporter.")
    cadvisor: ImageName = Field("gcr.io/cadvisor/cadvisor:v0.49.1", description="cAdvisor.")


class Logs(Model):
    """How containers' logs are kept."""

    max_size: Megabytes = Field(16, description="Megabytes at which a log file is rotated.")
    max_file: Annotated[Whole, at_least(1)] = Field(4, description="Files that are kept of each container.")
