"""The resource monitor: it ends nodeos, with 0, when a disk is fuller than it is allowed to be."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from .options import Options
from .saying import error, info

GIB = 1024**3
PLACE = "resource_monitor_plugi:99"


class Space:
    """Watches the disks that some directories lie on."""

    def __init__(self, options: Options, directories: Iterable[Path]) -> None:
        self.interval = options.number("resource-monitor-interval-seconds", 2, 1, 300)
        self._percent = options.number("resource-monitor-space-threshold", 90, 6, 99)
        self._absolute = options.number("resource-monitor-space-absolute-gb", 0)
        self._ends = not options.flag("resource-monitor-not-shutdown-on-threshold-exceeded")
        self._directories = list(directories)
        self._told = False
        threshold = f"{self._absolute} GiB" if self._absolute else f"{self._percent}%"
        info("resource_monitor_plugi:73", "plugin_initialize", f"Monitoring interval set to {self.interval}")
        info("resource_monitor_plugi:89", "plugin_initialize", f"Space usage threshold set to {threshold}")

    def exceeded(self) -> bool:
        """Return whether nodeos is to end; say so."""
        for directory in self._directories:
            try:
                disk = os.statvfs(directory)
            except OSError:
                continue
            available, capacity = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
            needed = self._absolute * GIB if self._absolute else capacity * (100 - self._percent) // 100
            if available >= needed:
                continue
            if not self._told:
                self._told = True
                error(
                    PLACE,
                    "is_threshold_exceeded",
                    f"Space usage warning: {directory}'s file system exceeded threshold {self._percent}%, "
                    f"available: {available}, Capacity: {capacity}, shutdown_available: {needed}",
                )
            if self._ends:
                message = "Gracefully shutting down, exceeded file system configured threshold."
                error(PLACE, "space_monitor_loop", message)
                return True
        return False
