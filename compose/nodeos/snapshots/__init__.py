"""Snapshots: taken from our nodeos, kept by count, offered to the other nodes, fetched from those who offer them."""
