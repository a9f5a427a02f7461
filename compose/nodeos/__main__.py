"""`python3 -m compose.nodeos`: PID 1 of the node's container."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})
"""What asks us to stop. Blocked in every thread, and waited for by one."""

signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

from compose.nodeos.config import Config, ConfigError  # noqa: E402 - from the first moment on no signal is to be lost
from compose.nodeos.listener import Listener  # noqa: E402
from compose.nodeos.parts import parts  # noqa: E402
from compose.nodeos.saying import Log  # noqa: E402
from compose.nodeos.settings import SettingsError, read  # noqa: E402
from compose.nodeos.supervising import Supervisor  # noqa: E402

WRONG_INPUT = 2


def main() -> int:
    """Run a node; return the exit code."""
    try:
        settings = read(os.environ)
        log = Log(settings.node)
        folder = Path(tempfile.gettempdir()) / f"nodeos-{os.getpid()}"
        config = Config(settings.config, settings.secret_config, folder)
        log.hide(config.secrets())
        life = parts(settings, log)
        supervisor = Supervisor(life, config)
        Listener(settings.listen, life.status, life.kept if settings.role == "snapshots" else None, log).begin()
    except (SettingsError, ConfigError) as error:
        sys.stderr.write(f"entrypoint: {error}\n")
        return WRONG_INPUT
    except OSError as error:
        sys.stderr.write(f"entrypoint: cannot begin: {error.strerror or error}\n")
        return WRONG_INPUT
    threading.Thread(target=_stop, args=(supervisor, log), name="signals", daemon=True).start()
    code = supervisor.run()
    log.flush()
    return code


def _stop(supervisor: Supervisor, log: Log) -> None:
    """Wait until we are asked to stop, and do."""
    signal.sigwait(SIGNALS)
    if not supervisor.stop():
        log.say("ending in the middle of something, which can be cut off")
        log.flush(0.5)
        os._exit(0)


if __name__ == "__main__":
    # Not sys.exit: threads may be in the middle of something that nobody waits for.
    os._exit(main())
