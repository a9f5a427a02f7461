"""Alertmanager's configuration: it collects alerts, and leaves whom it tells to the operator."""

from __future__ import annotations

from compose.rendering.document import document

PATH = "config/alertmanager/alertmanager.yaml"

_HEADER = """\
Whom Alertmanager tells. It tells nobody yet: alerts show on its page. To be told, give the receiver a way, such as
  receivers:
    - name: operator
      webhook_configs:
        - url: https://example.org/alerts
For e-mail, Slack and others see https://prometheus.io/docs/alerting/latest/configuration/. Passwords go into files \
beside this one (`…_file`)."""


def configuration() -> str:
    """Return Alertmanager's configuration."""
    route = {
        "receiver": "operator",
        "group_by": ["alertname", "chain"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
    }
    return document({"route": route, "receivers": [{"name": "operator"}]}, _HEADER)
