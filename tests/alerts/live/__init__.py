"""Alerts live: faults of simulated chains, told by a real collector, Prometheus and Alertmanager to a webhook."""
