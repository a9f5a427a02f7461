"""Files of servers: what a `file:` in the configuration leads to.

Either a list of servers as in the configuration, or what Prometheus' file_sd reads, in YAML or JSON:

    - targets: ["sealer-1:8545", "sealer-2:8545"]
      labels: {role: sealer, datacentre: east}

The labels `role` and `node` (or `name`) become the role and the node's name, `__scheme__` the URL's scheme; others
that begin with `__` are dropped, as Prometheus drops them: `__metrics_path__` says where Prometheus finds metrics,
which is not where a node is asked. All others become labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag, TypeAdapter

from collector.configuration import values
from collector.configuration.base import Model
from collector.configuration.checks import check_servers
from collector.configuration.document import Document, parse
from collector.configuration.fields import NOT_EMPTY, Text
from collector.configuration.mistakes import WrongConfiguration
from collector.configuration.models import DnsServer, StaticServer, UrlAlone, form
from collector.configuration.reading import validated

_MEANT = ("role", "node", "name")


class Group(Model):
    """One group of Prometheus' file_sd."""

    targets: Annotated[tuple[Annotated[str, BeforeValidator(values.target)], ...], NOT_EMPTY]
    labels: dict[Annotated[str, BeforeValidator(values.target_label)], Text] = Field({})

    def servers(self) -> list[StaticServer]:
        """Return the servers of the group."""
        scheme = self.labels.get("__scheme__", "http")
        labels = {key: value for key, value in self.labels.items() if key not in _MEANT and not key.startswith("__")}
        return [
            StaticServer(
                url=target if "://" in target else f"{scheme}://{target}",
                name=self.labels.get("node") or self.labels.get("name"),
                role=self.labels.get("role", ""),
                labels=labels,
            )
            for target in self.targets
        ]


_FORMS: dict[str, type[Model]] = {"url": StaticServer, "dns": DnsServer, "targets": Group}


def _form(server: object) -> str | None:
    return form(server, _FORMS)


_CONTENT = TypeAdapter(
    tuple[
        Annotated[
            UrlAlone
            | Annotated[StaticServer, Tag("<url>")]
            | Annotated[DnsServer, Tag("<dns>")]
            | Annotated[Group, Tag("<targets>")],
            Discriminator(
                _form,
                custom_error_type="form",
                custom_error_message="is no server; write a URL, or a mapping with one of url, dns and targets",
            ),
        ],
        ...,
    ]
)


def read_servers(file: str, content: bytes, environ: Mapping[str, str]) -> tuple[StaticServer | DnsServer, ...]:
    """Return the servers that a file holds.

    Raises:
        WrongConfiguration: with every mistake of the file.

    """
    document = parse(file, content, environ)
    if document.lines:  # it is YAML
        check_servers(document, document.data, (), _FORMS)
        _check_groups(document)
        entries = validated(document, _CONTENT)
        if entries is not None and not document.mistakes:
            groups = (entry.servers() if isinstance(entry, Group) else [entry] for entry in entries)
            return tuple(itertools.chain.from_iterable(groups))
    raise WrongConfiguration(document.mistakes)


def _check_groups(document: Document) -> None:
    """Note labels that can't be meant."""
    for index, group in enumerate(document.data if isinstance(document.data, list) else ()):
        labels, targets = (group.get(key) if isinstance(group, dict) else None for key in ("labels", "targets"))
        if not isinstance(labels, dict):
            continue
        if labels.get("__scheme__") not in (None, "http", "https"):
            document.wrong((index, "labels", "__scheme__"), "is no scheme; write http or https")
        for key in ("node", "name"):
            if key in labels and isinstance(targets, list) and len(targets) > 1:
                message = f"gives {len(targets)} targets one name; make a group of each"
                document.wrong((index, "labels", key), message)
