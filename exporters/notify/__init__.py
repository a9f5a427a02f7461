"""Tell people which alerts fire, and when they are over, where no Prometheus and Alertmanager does."""

from exporters.notify.notifier import Notifier
from exporters.notify.settings import Settings

__all__ = ["Notifier", "Settings"]
