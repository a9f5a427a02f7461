"""`chainwatch`, but for alerts that end as soon as it is known that they are over: nobody wants to wait two minutes."""

import sys
from dataclasses import replace

from alerts.alert import Alert
from chainwatch import notifying
from chainwatch.command import main
from collector.configuration import Configuration

KEEPS = 5.0

_of_chain = notifying.of_chain  # type: ignore[attr-defined]


def impatient(configuration: Configuration, name: str = "") -> tuple[Alert, ...]:
    """Return the alerts with the thresholds of one chain."""
    return tuple(replace(alert, keeps=KEEPS) for alert in _of_chain(configuration, name))


if __name__ == "__main__":
    notifying.of_chain = impatient  # type: ignore[attr-defined]
    sys.exit(main())
