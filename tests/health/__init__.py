"""Tests of what only the comparison of nodes can tell."""
