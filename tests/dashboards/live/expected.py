"""The queries that yield nothing in a run without faults, by board and panel, each with the reason.

Whatever is not named here has to yield something, from every database that the board can be asked of.
"""

from __future__ import annotations

from collections.abc import Mapping

Key = tuple[str, str, str]
"""A board's uid without its language, the title of a panel, and the letter of a query; `*` stands for all letters."""

AFTER_FAULTS: Mapping[Key, str] = {
    ("chainwatch-fleet", "Chains", "B"): "no alert fires",
    ("chainwatch-fleet", "Alerts that fire", "*"): "no alert fires",
    ("chainwatch-ethereum", "Gathers that fail", "*"): "no gather fails",
    ("chainwatch-nodeos", "Gathers that fail", "*"): "no gather fails",
    ("chainwatch-node", "What is wrong", "*"): "nothing is wrong with a node",
    ("chainwatch-node", "Failures by kind", "*"): "no gather fails",
    ("chainwatch-node", "Sync", "*"): "no node is syncing",
    ("chainwatch-node", "Messages not read", "*"): "the nodes push nothing that cannot be read",
    ("chainwatch-pipeline", "Errors by kind", "*"): "no gather fails",
    ("chainwatch-pipeline", "The 10 nodes with most errors", "*"): "no gather fails",
    ("chainwatch-pipeline", "Messages not read", "A"): "the nodes push nothing that cannot be read",
}
"""Those that the faults of the run fill."""

NOT_HERE: Mapping[Key, str] = {
    ("chainwatch-pipeline", "Alerts told", "*"): "the collector tells nobody itself",
    ("chainwatch-pipeline", "Alerts that wait", "*"): "the collector tells nobody itself",
    ("chainwatch-pipeline", "Since the heartbeat", "*"): "no heartbeat is called",
}
"""Those that want what the run does not have."""

NO_RULES: Mapping[Key, str] = {
    ("chainwatch-fleet", "Chains", "B"): "ALERTS",
    ("chainwatch-fleet", "Alerts that fire", "*"): "ALERTS",
}
"""Those that VictoriaMetrics alone cannot answer: the rules are evaluated by Prometheus here, there by vmalert."""


def named(where: Mapping[Key, str], key: Key) -> bool:
    """Tell whether a query is among these."""
    return key in where or (*key[:2], "*") in where
