"""Nodes that push their stats."""
