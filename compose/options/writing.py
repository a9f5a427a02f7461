"""Options as a file again: all that differs from the defaults, and no secret."""

from __future__ import annotations

import yaml

from alerts.channels import as_configured
from compose.options.kinds import EosOptions, Options
from compose.options.telling import secret_file

SECRETS = {
    "ethstats": {"websocket_secret"},
    "sealer": {"account_privatekeys", "account_secret"},
    "client": {"account_privatekeys", "account_secret"},
    "producer": {"signature_key"},
}
"""What the file never says, by section."""

_HEADER = """\
# The options that this directory was made of, less the secrets, which lie in keys/. `chainwatch deploy` writes it anew.
"""


def as_yaml(options: Options) -> str:
    """Return the options as a file from which `read_options` has the same ones less secrets.

    Where private keys were given, it says that there are accounts: their keystores lie in keys/, and are kept. So does
    the genesis of a network that is joined, whose path is the one in the directory that the file belongs into, and
    what is secret of channels.
    """
    said = options.model_dump(mode="json", exclude_defaults=True, exclude={**SECRETS, "alerts": True})
    if alerts := as_configured(options.alerts, lambda name: f"keys/{secret_file(name)}"):
        said["alerts"] = alerts
    if not isinstance(options, EosOptions):
        for role, settings in (("sealer", options.sealer), ("client", options.client)):
            if settings.have_accounts:
                said.get(role, {}).pop("create_accounts", None)
    said = {section: _escaped(values) for section, values in said.items() if values}
    if isinstance(options, EosOptions):
        said = {"eos": {}} | said  # the section that tells the kind
    return _HEADER + yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120)


def _escaped(value: object) -> object:
    """Return a value whose `${` the reader takes as it stands."""
    if isinstance(value, dict):
        return {key: _escaped(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_escaped(inner) for inner in value]
    return value.replace("${", "$${") if isinstance(value, str) else value
