"""Which files of keys/ each service is handed: by the one-shot service `setup` under Compose, by Docker in a swarm."""

from __future__ import annotations

from compose.options.eos.cluster import PRODUCER
from compose.options.eos.models import Options
from compose.options.telling import teller
from compose.rendering.eos.presence import has_collector, roles
from compose.rendering.plan import Handed
from compose.rendering.services import COLLECTOR_USER, GRAFANA_USER
from compose.rendering.telling import USERS, handed_secrets

NODE_USER = 10001
"""User of the node image (see compose/nodeos/Dockerfile)."""

SECRETS_FOLDER, SIGNING_FOLDER, GENESIS_FOLDER = "/run/chainwatch", "/run/signing", "/run/genesis"
VOLUMES = {"secrets": SECRETS_FOLDER, "signing": SIGNING_FOLDER, "genesis": GENESIS_FOLDER}
"""Volumes of Compose that they are handed over in, and where services have them. The producer alone has its key's."""

SIGNING = f"{SIGNING_FOLDER}/signing.ini"
GENESIS = f"{GENESIS_FOLDER}/genesis.json"


def has_genesis(options: Options) -> bool:
    """Tell whether nodes begin with a genesis; else they begin with a snapshot."""
    return options.eos.create_genesis or options.eos.genesis is not None


def handed(options: Options) -> dict[str, list[Handed]]:
    """Return what each service is handed, nodes by their role."""
    found: dict[str, list[Handed]] = {role: [] for role in roles(options)}
    if has_genesis(options):
        for given in found.values():
            given.append(Handed("chain/genesis.json", NODE_USER, GENESIS, secret=False))
    if options.producer.count:
        found[PRODUCER].append(Handed("producer/signing.ini", NODE_USER, SIGNING))
    if options.influxdb.count and has_collector(options):
        found["collector"] = [_secret("influxdb-collector", COLLECTOR_USER)]
    if service := teller(options):
        given = [Handed(source, USERS[service], target) for source, target in handed_secrets(options).items()]
        found.setdefault(service, []).extend(given)
    if options.grafana.count:
        names = ["grafana-admin", *(["influxdb-grafana"] if options.influxdb.count else [])]
        found["grafana"] = [_secret(name, GRAFANA_USER) for name in names]
    return found


def handed_to_swarm(options: Options) -> dict[str, list[Handed]]:
    """Return what each service of a swarm is handed: where there is no `setup`, one more reads secrets itself."""
    found = handed(options)
    if options.influxdb.count:
        users = ("admin", "collector", "grafana")
        found["influxdb-setup"] = [
            Handed(f"secrets/influxdb-{user}", 0, f"/keys/secrets/influxdb-{user}") for user in users
        ]
    return found


def gifts(options: Options) -> list[str]:
    """Return the arguments that tell `setup` so."""
    given = dict.fromkeys(it for service in handed(options).values() for it in service)
    return [f"--give={it.source}:{it.uid}:{it.target}" for it in given]


def volumes_of(options: Options) -> list[str]:
    """Return the volumes in which `setup` hands them over."""
    folders = {it.target.rpartition("/")[0] for service in handed(options).values() for it in service}
    return [f"{volume}:{folder}" for volume, folder in VOLUMES.items() if folder in folders]


def _secret(name: str, uid: int) -> Handed:
    return Handed(f"secrets/{name}", uid, f"{SECRETS_FOLDER}/{name}")
