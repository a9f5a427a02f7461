"""Tests of the InfluxDB exporter, against servers that say no in the words of the real ones."""
