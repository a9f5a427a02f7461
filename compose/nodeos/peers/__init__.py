"""Who nodeos talks to: its siblings, and this worker's share of the peers outside."""
