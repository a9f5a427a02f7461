"""Tests against real nodes and servers: geth, InfluxDB, VictoriaMetrics, Prometheus, Traefik."""
