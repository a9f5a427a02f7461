"""What options have to do with each other, and what an operator should know of what was written.

`prefunded_twice` looks at the file as it was written, so that every mistake is told at once; the rest needs the values,
and is told once each of them is right.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.configuration.document import Document
from compose.options.ethereum.cluster import nodes
from compose.options.ethereum.models import Client, Options, Sealer
from compose.options.keys import is_replaced
from compose.options.notes import Notes
from compose.options.telling import channels_reach_somebody
from compose.options.together import labels_route_nothing, ports_differ, ports_lead_somewhere, reached_from_elsewhere
from compose.options.values import eth_address, line_of

PUBLISHED_KEYS = {"38000e15ca07309cc2d0b30faaaadb293c45ea222a117e9e9c6a2a9872bb3bcf"}
"""Keys that stand in the DC/OS package's documents as an example."""

PUBLISHED_SECRETS = {"p@ssw0rd", "my-ws-secret"}
"""Secrets that were its defaults."""

_ETHASH_ENDS = 12
_SNAP_BEGINS = 10
_LIGHT_ENDS = 13
"""Lines of releases, 1.12 and so on, from which on it is so."""


def check_together(options: Options, notes: Notes) -> None:
    """Note what is wrong with options whose values are each right."""
    for check in (_versions, _accounts, _services, _ports, _publishing, channels_reach_somebody):
        check(options, notes)


def remark_on(options: Options, notes: Notes) -> None:
    """Note what is done otherwise, and what is known to be unwise."""
    for check in (_replaced, _joining, _published_secrets, _signers, _unlocked, labels_route_nothing, _reachable):
        check(options, notes)


def prefunded_twice(document: Document) -> None:
    """Note accounts that `geth.prefund` has twice: only the text of the file tells."""
    geth = document.data.get("geth") if isinstance(document.data, dict) else None
    prefund = geth.get("prefund") if isinstance(geth, dict) else None
    seen: dict[str, int] = {}
    for key in prefund if isinstance(prefund, dict) else ():
        path = ("geth", "prefund", key)
        try:
            address = eth_address(key)
        except ValueError:
            continue  # the model tells
        line = seen.setdefault(address, document.line(path))
        if line != document.line(path):
            document.wrong(path, f"is the account on line {line} too; keep one")


def _roles(options: Options) -> Iterator[tuple[str, Sealer | Client]]:
    yield "sealer", options.sealer
    yield "client", options.client


def _versions(options: Options, notes: Notes) -> None:
    geth = options.geth
    line = line_of(geth.version)
    if geth.consensus_engine == "ethash" and line >= _ETHASH_ENDS:
        notes.wrong(
            ("geth", "consensus_engine"),
            f"is ethash, which geth {geth.version} mines no more; write clique, or `geth.version: 1.11.6`",
        )
    if geth.syncmode == "snap" and line < _SNAP_BEGINS:
        notes.wrong(("geth", "syncmode"), f"is snap, which geth {geth.version} does not know yet; write fast or full")
    if geth.syncmode == "light":
        if line >= _LIGHT_ENDS:
            notes.wrong(("geth", "syncmode"), f"is light, which geth {geth.version} refuses; write full or snap")
        elif options.sealer.count:
            notes.wrong(
                ("geth", "syncmode"), "is light, with which sealers can't seal; write full, or `sealer.count: 0`"
            )


def _accounts(options: Options, notes: Notes) -> None:
    sealer = options.sealer
    if options.geth.create_genesis and sealer.count and not sealer.have_accounts:
        notes.wrong(
            ("sealer", "create_accounts"),
            "is false, and there are no `sealer.account_privatekeys`: nobody could seal; give keys, or write true",
        )
    if (
        options.geth.create_genesis
        and options.geth.consensus_engine == "clique"
        and sealer.count
        and not sealer.unlock_accounts
    ):
        notes.wrong(
            ("sealer", "unlock_accounts"), "is false, and clique seals with unlocked accounts alone; write true"
        )
    if options.transfers.rate and not (
        options.geth.create_genesis and any(role.count and role.have_accounts for _, role in _roles(options))
    ):
        notes.wrong(("transfers", "rate"), "needs nodes with accounts in a genesis of one's own; write 0")


def _services(options: Options, notes: Notes) -> None:
    if notes.says("ethstats", "count") and options.ethstats.count and not options.collector.count:
        notes.wrong(
            ("ethstats", "count"), "is 1 without the collector, which serves the page; write 0, or `collector.count: 1`"
        )
    ports_lead_somewhere(options, notes, "client_http", "client_ws", "ethstats")
    if options.geth.advertise and not options.publish.p2p and nodes(options):
        notes.wrong(
            ("publish", "p2p"), "is 0, and `geth.advertise` wants ports for the nodes; write one, or leave it out"
        )


def _ports(options: Options, notes: Notes) -> None:
    ports_differ(published(options), notes)


def published(options: Options) -> Iterator[tuple[str, int, int]]:
    """Yield which ports of the machine are taken: the key of `publish`, the first port, and how many there are."""
    publish = options.publish
    for key, there in (
        ("client_http", options.traefik.count),
        ("client_ws", options.traefik.count),
        ("ethstats", options.traefik.count),
        ("grafana", options.grafana.count),
        ("prometheus", options.prometheus.count),
        ("alertmanager", options.alertmanager.count),
        ("page", options.collector.count),
        ("boot_p2p", options.boot.count and bool(options.geth.advertise)),
        ("p2p", len(nodes(options)) if options.geth.advertise else 0),
    ):
        port: int = getattr(publish, key)
        if port and there:
            yield key, port, int(there)


def _publishing(options: Options, notes: Notes) -> None:
    for key in ("p2p", "boot_p2p"):
        if notes.says("publish", key) and getattr(options.publish, key) and not options.geth.advertise:
            notes.wrong(
                ("publish", key), "is published with `geth.advertise` alone; write that address, or leave this out"
            )


def _replaced(options: Options, notes: Notes) -> None:
    for section in Options.model_fields:
        model = type(getattr(options, section))
        for key, field in model.model_fields.items():
            if is_replaced(model, key) and notes.says(section, key):
                notes.remark((section, key), f"is replaced: {(field.description or '').rstrip('.')}")


def _joining(options: Options, notes: Notes) -> None:
    if options.geth.create_genesis:
        return
    notes.remark(
        ("geth", "create_genesis"),
        "joins a public network; since 2022 its nodes follow a beacon node, which is not among the services here",
    )
    if options.sealer.count:
        notes.remark(("sealer",), "seals nothing, as a public network has sealers of its own: its nodes only follow")


def _published_secrets(options: Options, notes: Notes) -> None:
    secrets = [(("ethstats", "websocket_secret"), options.ethstats.websocket_secret)]
    secrets += [((role, "account_secret"), settings.account_secret) for role, settings in _roles(options)]
    for path, secret in secrets:
        if secret is not None and secret.get_secret_value() in PUBLISHED_SECRETS:
            notes.remark(path, "is in public documents; leave it out, and one is made that nobody knows")
    for role, settings in _roles(options):
        if any(key.get_secret_value() in PUBLISHED_KEYS for key in settings.account_privatekeys):
            notes.remark((role, "account_privatekeys"), "hold one that is in public documents; make another")


def _signers(options: Options, notes: Notes) -> None:
    given = [key.get_secret_value() for key in options.sealer.account_privatekeys]
    different = len(set(given))
    path = ("sealer", "account_privatekeys")
    if not options.geth.create_genesis:
        return
    if options.sealer.count == 0:
        if options.client.count:
            notes.remark(("sealer", "count"), "is 0: nobody seals, until a sealer from elsewhere joins")
    elif given and different < options.sealer.count:
        keys = "1 key" if different == 1 else f"{different} keys"
        notes.remark(
            path, f"are {keys} for {options.sealer.count} sealers: those that share one are one signer, and may fork"
        )


def _unlocked(options: Options, notes: Notes) -> None:
    client = options.client
    if client.count and client.unlock_accounts and client.have_accounts and options.traefik.count:
        notes.remark(
            ("client", "unlock_accounts"), "lets everybody who reaches the load balancer spend from the accounts"
        )


def _reachable(options: Options, notes: Notes) -> None:
    reached_from_elsewhere(options, notes, "JSON-RPC, Prometheus, Alertmanager and the live page")
