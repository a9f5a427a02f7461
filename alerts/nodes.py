"""Alerts of nodes that are no signals of health: what a node says of itself is compared with a chain's thresholds."""

from __future__ import annotations

from alerts.alert import Alert, Compared
from collector.catalogue import M
from collector.health.assessment import Severity
from collector.health.thresholds import Thresholds
from dashboards.queries.expressions import Increase, Ratio, Value

_NODE = ("chain", "node")
_ADDRESS = ("chain", "node", "address")

STATE_DATABASE_USED = Ratio(Value(M.chain_state_database_used_bytes), Value(M.chain_state_database_size_bytes))
"""Share of the state database of a nodeos that is used."""


def of_nodes(limits: Thresholds) -> tuple[Alert, ...]:
    """Return the alerts of nodes, of chains that have these thresholds."""
    return (
        Alert(
            name="StateDatabaseFilling",
            group="nodes",
            severity=Severity.CRITICAL,
            condition=Compared(STATE_DATABASE_USED, ">", limits.state_database_share),
            of_chain=True,
            of=("node",),
            lasts=60.0,
            keeps=120.0,
            unit="ratio",
            summary="The state database of a nodeos is nearly full.",
            description="{value} of the state database of {subject} of {chain} are used: nodeos stops when it is full, "
            "and other nodes of the chain fill alike.",
        ),
        Alert(
            name="NodeSyncing",
            group="nodes",
            severity=Severity.WARNING,
            condition=Compared(Value(M.chain_syncing, _NODE), "==", 1),
            of_chain=True,
            of=("node",),
            lasts=limits.syncing,
            keeps=120.0,
            unit="",
            summary="A node has been syncing for long.",
            description="{subject} of {chain} has said for long that it is syncing, and is not done.",
        ),
        Alert(
            name="NodeRestarting",
            group="nodes",
            severity=Severity.WARNING,
            condition=Compared(
                Increase(M.ethstats_restarts_total, _NODE, seconds=3600.0), ">=", float(limits.restarts)
            ),
            of_chain=True,
            of=("node",),
            lasts=0.0,
            keeps=120.0,
            unit="time",
            summary="A node restarts again and again.",
            description="{subject} of {chain} came back as another process {value} within an hour.",
        ),
        Alert(
            name="ShieldedPortOpen",
            group="nodes",
            severity=Severity.CRITICAL,
            condition=Compared(Value(M.chain_shielded_port_open, _ADDRESS), "==", 1),
            of_chain=True,
            of=("node", "address"),
            lasts=0.0,
            keeps=120.0,
            unit="",
            summary="A node that is to be shielded can be reached.",
            description="{subject} of {chain} accepts connections, and is to be shielded from them.",
        ),
        Alert(
            name="ShieldUntried",
            group="nodes",
            severity=Severity.WARNING,
            condition=Compared(Value(M.chain_shielded_tried, _ADDRESS, "min"), "==", 0),
            of_chain=True,
            of=("node", "address"),
            lasts=600.0,
            keeps=120.0,
            unit="",
            summary="It is not known whether a node is shielded.",
            description="Whether {subject} of {chain} is shielded could not be tried: nothing is known of it.",
        ),
    )
