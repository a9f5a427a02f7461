"""What Prometheus works out once and keeps: the shares that alerts compare, once for each chain's threshold."""

from __future__ import annotations

from collections.abc import Mapping

from alerts.nodes import STATE_DATABASE_USED
from alerts.pipeline import BUFFER_USED, GATHERS_MISSED
from dashboards.queries.expressions import Expression

RECORDED: Mapping[str, Expression] = {
    "chain_node:chain_state_database_used:ratio": STATE_DATABASE_USED,
    "chain_node:chainwatch_gathers_missed:ratio10m": GATHERS_MISSED,
    "output:chainwatch_buffer_used:ratio": BUFFER_USED,
}
"""By the name that the result has: the labels it keeps, what it is of, and how it was made."""
