"""Asks the nodes of the chains how they are, and hands on what they say as readings."""
