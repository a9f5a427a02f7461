"""Alerts: rules, their texts, where they are routed to, and the whole of it live."""
