"""Deliver readings to InfluxDB 1.x, 2.x and 3.x, VictoriaMetrics and whatever else takes line protocol over HTTP."""

from exporters.influxdb.exporter import Influxdb
from exporters.influxdb.settings import Settings

__all__ = ["Influxdb", "Settings"]
