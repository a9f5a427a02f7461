"""Alertmanager's configuration: whom it tells, and of what."""

from __future__ import annotations

from alerts import alertmanager
from compose.options.kinds import Options
from compose.options.sections import Alerts
from compose.options.telling import ALERTMANAGER, teller
from compose.rendering.document import document
from compose.rendering.telling import place

PATH = "config/alertmanager/alertmanager.yaml"

_HEADER = "Whom Alertmanager tells, and of what. Made from the options: change those."
_NOBODY = """ It tells nobody yet: alerts show on its page. To be told, write into the options, for example
  alerts:
    channels:
      - {name: operator, webhook: {url: "https://example.org/alerts"}}"""


def configuration(options: Options) -> str:
    """Return Alertmanager's configuration; secrets are in files that it is handed."""
    tells = teller(options) == ALERTMANAGER
    told = options.alerts if tells else Alerts()
    content = alertmanager.configuration(told, alone=options.collector.count <= 1, files=place)
    return document(content, _HEADER if tells else _HEADER + _NOBODY)
