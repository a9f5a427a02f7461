"""What the values of a file have to do with each other: names that are taken, keys that exclude or need each other.

The models look at one value at a time and stop where one is wrong; these checks look at the file as it was written,
so that every mistake is told at once. They take nothing for granted: where something is of another kind than it
should be, the models say so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from os.path import normpath

from collector.configuration import alerting, models, values
from collector.configuration.base import Model, keys
from collector.configuration.document import Document
from collector.configuration.mistakes import Path, listed, nearest

Section = Mapping[str, object]

_MAY_BE_EMPTY = {
    models.Configuration: {"agent", "outputs", "alerts"},
    models.Outputs: {"prometheus", "telegraf", "stdout", "notify"},
}
"""Keys that mean something without a value: the defaults."""

_WAYS: Mapping[str, tuple[type[Model], str]] = {
    "webhook": (alerting.Webhook, "url"),
    "slack": (alerting.Slack, "url"),
    "telegram": (alerting.Telegram, "token"),
    "mail": (alerting.Mail, ""),
    "pagerduty": (alerting.PagerDuty, "key"),
}
"""What a way to tell somebody is, and the secret without which there is none."""

_DATABASE_KEYS = {"retention_policy", "create_database", "username", "password", "password_file"}


def check_configuration(document: Document) -> None:
    """Note what is wrong with a configuration file."""
    whole = document.data
    if not isinstance(whole, dict):
        return
    _keys(document, (), whole, models.Configuration)
    if isinstance(agent := whole.get("agent"), dict):
        _keys(document, ("agent",), agent, models.Agent)
        if isinstance(shard := agent.get("shard"), dict):
            _keys(document, ("agent", "shard"), shard, models.Shard)
    names: dict[str, Path] = {}
    places: dict[str, Path] = {}
    for path, chain in _sections(whole.get("chains"), ("chains",)):
        _keys(document, path, chain, models.Chain)
        _unique(
            document,
            names,
            chain.get("name"),
            (*path, "name"),
            "is the name of the chain on line {} too; give each its own",
        )
        check_servers(document, chain.get("servers"), (*path, "servers"), models.FORMS)
        elsewhere = "ethstats" in chain or chain.get("shielded")
        if not elsewhere and not chain.get("servers", ()) and chain.get("servers", ()) is not None:
            lacks = "is empty; write one at least" if "servers" in chain else "is missing; write it"
            document.wrong((*path, "servers"), lacks)
        if isinstance(ethstats := chain.get("ethstats"), dict):
            _ethstats(document, (*path, "ethstats"), chain, ethstats, places)
        _shielded(document, (*path, "shielded"), chain.get("shielded"))
    if isinstance(alerts := whole.get("alerts"), dict):
        _alerts(document, alerts, names)
    if isinstance(outputs := whole.get("outputs"), dict):
        _outputs(document, outputs)
        _notify(document, outputs, alerts)
        if "traefik" in outputs and isinstance(agent, dict) and "shard" in agent:
            message = (
                "judges nodes by all of their chain, and a shard asks a part; give it a collector without agent.shard"
            )
            document.wrong(("outputs", "traefik"), message)


def check_alerts(document: Document, names: Collection[str]) -> None:
    """Note rules for alerts that there are not; `names` are those that there are."""
    section = document.data.get("alerts") if isinstance(document.data, dict) else None
    rules = section.get("rules") if isinstance(section, dict) else None
    if isinstance(rules, dict):
        _known(document, ("alerts", "rules"), rules, names)


def check_servers(document: Document, servers: object, path: Path, forms: Mapping[str, type[Model]]) -> None:
    """Note what is wrong with a list of servers; `forms` are those that they may have."""
    names: dict[str, Path] = {}
    places: dict[str, Path] = {}
    for index, item in enumerate(servers if isinstance(servers, list) else ()):
        here = (*path, index)
        server: Section = item if isinstance(item, dict) else {"url": item}
        if isinstance(item, dict):
            _form(document, here, server, forms)
        url, name = server.get("url"), server.get("name")
        if url is None or not _right(values.url, url):
            continue
        at = (*here, "url") if isinstance(item, dict) else here
        if _unique(document, places, values.same_place(str(url)), at, "is the server on line {} too; keep one"):
            _unique(
                document,
                names,
                name or values.node_name(str(url)),
                (*here, "name") if name else at,
                "has the name of the server on line {} too; give each its own",
            )


def _ethstats(document: Document, path: Path, chain: Section, ethstats: Section, places: dict[str, Path]) -> None:
    if chain.get("kind") not in ("ethereum", None):
        document.wrong(path, "is for chains of kind ethereum; leave it out")
    _keys(document, path, ethstats, models.Ethstats)
    if "secret" in ethstats and "secret_file" in ethstats:
        document.wrong((*path, "secret_file"), "says again what secret says; keep one of them")
    if not {"secret", "secret_file"} & ethstats.keys() and not ethstats.get("groups"):
        document.wrong(path, "has no secret; write secret or secret_file, or groups that have some")
    names: dict[str, Path] = {}
    for here, group in _sections(ethstats.get("groups"), (*path, "groups")):
        _keys(document, here, group, models.EthstatsGroup)
        _unique(
            document,
            names,
            group.get("name"),
            (*here, "name"),
            "is the name of the group on line {} too; give each its own",
        )
        if not group.get("secrets") and not group.get("secret_files"):
            document.wrong(here, "has no secret; write secrets or secret_files")
    listen, prefix = ethstats.get("listen"), ethstats.get("path", "/")
    if _right(values.listen, listen) and _right(values.page, prefix):
        address = values.listen(listen)
        if address.port:
            _unique(
                document,
                places,
                f"{address}{str(prefix).rstrip('/')}",
                (*path, "listen"),
                "is where the nodes of the chain on line {} push, too; give each a port or a path of its own",
            )


def _shielded(document: Document, path: Path, shielded: object) -> None:
    names: dict[str, Path] = {}
    places: dict[str, Path] = {}
    for here, node in _sections(shielded, path):
        _keys(document, here, node, models.Shielded)
        _unique(
            document,
            names,
            node.get("name"),
            (*here, "name"),
            "is the name of the shielded node on line {} too; write all its addresses there",
        )
        addresses = node.get("addresses")
        for index, address in enumerate(addresses if isinstance(addresses, list) else ()):
            if _right(values.place, address):
                at = (*here, "addresses", index)
                _unique(document, places, str(values.place(address)).lower(), at, "is tried on line {} too; keep one")


def _form(document: Document, path: Path, server: Section, forms: Mapping[str, type[Model]]) -> None:
    found = [key for key in forms if key in server]
    if len(found) == 1:
        _keys(document, path, server, forms[found[0]])
    elif found:
        document.wrong(path, f"has {listed(found)}; keep one of them and make a server of each")
    else:
        known: set[str] = set().union(*(keys(model) for model in forms.values()))
        _known(document, path, server, known)
        if not known.issuperset(server):
            document.told(path)  # the unknown key is what tells where the server is
        else:
            document.wrong(path, f"says not where the server is; write one of {listed(list(forms))}")


def _outputs(document: Document, outputs: Section) -> None:
    _keys(document, ("outputs",), outputs, models.Outputs)
    if isinstance(prometheus := outputs.get("prometheus"), dict):
        _keys(document, ("outputs", "prometheus"), prometheus, models.Prometheus)
    places: dict[str, Path] = {}
    for path, page in _one_or_several(outputs, "page"):
        _keys(document, path, page, models.LivePage)
        listen = page.get("listen", models.LivePage.model_fields["listen"].default)
        if _right(values.listen, listen) and (address := values.listen(listen)).port:
            at = (*path, "listen") if "listen" in page else path
            _unique(
                document, places, str(address), at, "is where the page on line {} is, too; give each a port of its own"
            )
    if isinstance(traefik := outputs.get("traefik"), dict):
        _traefik(document, ("outputs", "traefik"), traefik)
    if "telegraf" in outputs and "stdout" in outputs:
        document.wrong(("outputs", "stdout"), "writes where telegraf does; keep one of them")
    single_outputs = ("prometheus", "traefik", "telegraf", "stdout", "notify")
    names: dict[str, Path] = {key: ("outputs", key) for key in single_outputs if key in outputs}
    for path, influxdb in _one_or_several(outputs, "influxdb"):
        _keys(document, path, influxdb, models.Influxdb)
        _influxdb(document, path, influxdb)
        url, name = influxdb.get("url"), influxdb.get("name")
        if name or (url is not None and _right(values.plain_url, url)):
            at = (*path, "name") if name else (*path, "url")
            taken = name or values.output_name_for(str(url))
            _unique(document, names, taken, at, "has the name of the output on line {} too; give each its own")


def _alerts(document: Document, alerts: Section, chains: Collection[str]) -> None:
    path: Path = ("alerts",)
    _keys(document, path, alerts, alerting.Alerts)
    _secret(document, path, alerts, "watchdog")
    if isinstance(rules := alerts.get("rules"), dict):
        for name, rule in rules.items():
            if isinstance(rule, dict):
                _keys(document, (*path, "rules", name), rule, alerting.Rule)
    names: dict[str, Path] = {}
    for here, channel in _sections(alerts.get("channels"), (*path, "channels")):
        _keys(document, here, channel, alerting.Channel)
        ways = [way for way in alerting.WAYS if way in channel]
        if len(ways) != 1:
            has = f"has {listed(ways)}; keep one of them" if ways else "says not how to tell somebody; write one"
            document.wrong(here, f"{has}{'' if ways else f' of {listed(list(alerting.WAYS))}'}")
        elif isinstance(way := channel[ways[0]], dict):
            _way(document, (*here, ways[0]), way)
        name = channel.get("name") or f"{ways[0] if ways else ''}-{int(here[-1]) + 1}"
        at = (*here, "name") if "name" in channel else here
        _unique(document, names, name, at, "has the name of the channel on line {} too; give each its own")
        wanted = channel.get("chains")
        for index, chain in enumerate(wanted if isinstance(wanted, list) else ()):
            if isinstance(chain, str) and chain not in chains:
                document.wrong((*here, "chains", index), f"is no chain; {nearest(chain, chains)}")


def _notify(document: Document, outputs: Section, alerts: object) -> None:
    if "notify" not in outputs:
        return
    notify = outputs["notify"]
    if isinstance(notify, dict):
        _keys(document, ("outputs", "notify"), notify, alerting.Notify)
    called = isinstance(notify, dict) and "heartbeat" in notify
    told = isinstance(alerts, dict) and alerts.get("channels")
    if not called and not told:
        document.wrong(("outputs", "notify"), "has nobody to tell; write alerts.channels, or heartbeat")


def _way(document: Document, path: Path, way: Section) -> None:
    model, needed = _WAYS[str(path[-1])]
    _keys(document, path, way, model)
    for key in keys(model):
        if f"{key}_file" in keys(model):
            _secret(document, path, way, key)
    if needed and not {needed, f"{needed}_file"} & way.keys():
        document.wrong((*path, needed), f"is missing; write it, or {needed}_file")
    if model is alerting.Mail:
        given = {"password", "password_file"} & way.keys()
        for key in given if "username" not in way else ():
            document.wrong((*path, key), "lacks its user; write username as well")
        if "username" in way and not given:
            document.wrong((*path, "username"), "lacks its password; write password or password_file as well")
        if "username" in way and way.get("tls") == "none":
            document.wrong((*path, "tls"), "sends the password in the clear; write starttls or tls")


def _secret(document: Document, path: Path, section: Section, key: str) -> None:
    if key in section and f"{key}_file" in section:
        document.wrong((*path, f"{key}_file"), f"says again what {key} says; keep one of them")


def _one_or_several(outputs: Section, key: str) -> Iterator[tuple[Path, Section]]:
    given = outputs.get(key)
    if isinstance(given, dict):
        yield ("outputs", key), given
    yield from _sections(given, ("outputs", key))


def _traefik(document: Document, path: Path, traefik: Section) -> None:
    _keys(document, path, traefik, models.Traefik)
    source, target = traefik.get("from"), traefik.get("to")
    if isinstance(source, str) and isinstance(target, str) and normpath(source) == normpath(target):
        document.wrong((*path, "to"), "is the file of from, which would be lost; name another")
    if "to" in traefik and "listen" in traefik:
        document.wrong((*path, "listen"), "stands beside to; keep the one that Traefik reads")
    elif not {"to", "listen"} & traefik.keys():
        document.wrong(path, "says not where Traefik reads it; write to, a file, or listen, an address")
    if "path" in traefik and "listen" not in traefik:
        document.wrong((*path, "path"), "goes with listen; leave it out, or write listen")


def _influxdb(document: Document, path: Path, influxdb: Section) -> None:
    newer = [key for key in ("org", "bucket") if key in influxdb]
    if "database" in influxdb and newer:
        document.wrong(path, f"has database and {listed(newer)}; keep database for 1.x, or org and bucket for 2.x, 3.x")
    elif len(newer) == 1:
        document.wrong((*path, newer[0]), "stands alone; write both org and bucket")
    elif "database" not in influxdb and not newer:
        document.wrong(path, "says not where to write; give database for 1.x, or org and bucket for 2.x, 3.x")
    elif newer:
        for key in _DATABASE_KEYS & influxdb.keys():
            document.wrong((*path, key), "goes with database, for 1.x; leave it out, or write database")
    _secrets(document, path, influxdb)


def _secrets(document: Document, path: Path, influxdb: Section) -> None:
    for key in {"password", "token"} & influxdb.keys():
        if f"{key}_file" in influxdb:
            document.wrong((*path, f"{key}_file"), f"says again what {key} says; keep one of them")
    if "username" not in influxdb:
        for key in {"password", "password_file"} & influxdb.keys():
            document.wrong((*path, key), "lacks its user; write username as well")
    elif {"token", "token_file"} & influxdb.keys():
        document.wrong((*path, "username"), "stands beside a token; keep one of them")


def _keys(document: Document, path: Path, section: Section, model: type[Model]) -> None:
    """Note unknown keys, and known ones without a value."""
    known = keys(model)
    _known(document, path, section, known)
    for key, value in section.items():
        if value is None and key in known and key not in _MAY_BE_EMPTY.get(model, ()):
            document.wrong((*path, key), "has no value; give it one, or leave it out")


def _known(document: Document, path: Path, section: Section, known: Collection[str]) -> None:
    for key in section:
        if ":" in key:
            document.wrong((*path, key), "has no space behind its colon; write key: value")
        elif key not in known:
            document.wrong((*path, key), f"is unknown; {nearest(key, known)}")


def _sections(items: object, path: Path) -> Iterator[tuple[Path, Section]]:
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, index), item


def _unique(document: Document, taken: dict[str, Path], name: object, path: Path, message: str) -> bool:
    """Note a name that is taken already; take it otherwise."""
    if not isinstance(name, str):
        return True
    first = taken.setdefault(name, path)
    if first != path:
        document.wrong(path, message.format(document.line(first)))
    return first == path


def _right(check: Callable[[object], object], value: object) -> bool:
    try:
        check(value)
    except ValueError:
        return False
    return True
