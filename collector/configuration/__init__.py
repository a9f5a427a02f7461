"""The configuration: a YAML file, read with every mistake told at once, as models that never change.

try:
    configuration = read_configuration(path)
except WrongConfiguration as wrong:
    for mistake in wrong.mistakes:
        print(mistake, file=sys.stderr)     # chainwatch.yaml:7: chains[0].kind: is no kind of chain; did you …
"""

from collector.configuration.mistakes import Mistake, WrongConfiguration
from collector.configuration.models import (
    Agent,
    Chain,
    Configuration,
    DnsServer,
    Ethstats,
    EthstatsGroup,
    FileServer,
    Influxdb,
    LivePage,
    Outputs,
    Prometheus,
    Server,
    Shard,
    Shielded,
    StaticServer,
    Stdout,
    Telegraf,
    Traefik,
    schedule,
)
from collector.configuration.reading import read_configuration
from collector.configuration.schema import json_schema
from collector.configuration.values import Address

__all__ = [
    "Address",
    "Agent",
    "Chain",
    "Configuration",
    "DnsServer",
    "Ethstats",
    "EthstatsGroup",
    "FileServer",
    "Influxdb",
    "LivePage",
    "Mistake",
    "Outputs",
    "Prometheus",
    "Server",
    "Shard",
    "Shielded",
    "StaticServer",
    "Stdout",
    "Telegraf",
    "Traefik",
    "WrongConfiguration",
    "json_schema",
    "read_configuration",
    "schedule",
]
