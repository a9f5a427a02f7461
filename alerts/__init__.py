"""Alerts: when somebody is to be told, for Prometheus, Grafana and the collector's own notifier."""
