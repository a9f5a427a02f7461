"""Asks the nodes of the chains how they are, compares them, and hands on what comes of it: as readings, and a page."""
