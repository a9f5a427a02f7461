"""The boards."""

from __future__ import annotations

from dashboards.boards.ethereum import ETHEREUM
from dashboards.boards.fleet import FLEET
from dashboards.boards.node import NODE
from dashboards.boards.nodeos import NODEOS
from dashboards.boards.pipeline import PIPELINE

BOARDS = (FLEET, ETHEREUM, NODEOS, NODE, PIPELINE)
"""In the order in which they are told of."""
