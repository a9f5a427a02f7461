"""Grafana dashboards, made from the catalogue."""
