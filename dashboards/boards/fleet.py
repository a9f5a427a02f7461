"""All chains on one page: which of them is well, and where to look next."""

from __future__ import annotations

from collector.catalogue import M
from dashboards.boards.making import chart, figure, table
from dashboards.panels import GREEN, GREY, ORANGE, RED, YELLOW, Board, Line, Row, Step, above, below
from dashboards.queries.expressions import Prom, Value

_CHAIN = ("chain",)

_CRITICAL = Value(M.chain_health_findings, _CHAIN, where={"severity": "critical"})
_WARNING = Value(M.chain_health_findings, _CHAIN, where={"severity": "warning"})

_STATE = Prom("2 * clamp_max(max by (chain) ({0}), 1) + clamp_max(max by (chain) ({1}), 1)", (_CRITICAL, _WARNING))
_STATES = ((0, "well", GREEN), (1, "warning", ORANGE), (2, "critical", RED), (3, "critical", RED))

_DOWN = Prom("sum by (chain) ({0}) - sum by (chain) ({1})", (M.chain_network_nodes, M.chain_network_nodes_up))
_HALTED = "clamp_min({halted_periods} * max by (chain) ({0} > 0), {halted_least})"
_HALTED_AT = Prom(_HALTED, (M.chain_network_block_period_seconds,))
_OF_HALTED = Prom(
    "max by (chain) ({1}) / " + _HALTED,
    (M.chain_network_block_period_seconds, M.chain_network_head_age_seconds),
)
_PAST_EXPECTED = Prom(
    "max by (chain) ({0}) - max by (chain) ({1})",
    (M.chain_network_finality_lag_blocks, M.chain_network_finality_lag_expected_blocks),
)
_FEWEST_PEERS = Value(M.chain_peers, _CHAIN, "min")

_MARGIN = (Step(RED), Step(ORANGE, 0), Step(GREEN, 1))
"""At 0 nothing may fail any more; a chain of one or two sealers is never better off."""

_FIRING = 'ALERTS{{alertstate="firing", alertname!="Watchdog", chain=~"$chain|"}}'
_ACTIVE_SINCE = 'ALERTS_FOR_STATE{{alertname!="Watchdog", chain=~"$chain|"}}'


def _alerts(severity: str) -> Prom:
    """Return how many alerts of a severity fire; 0 where none does."""
    firing = f'ALERTS{{{{alertstate="firing", severity="{severity}", chain=~"$chain|"}}}}'
    return Prom(f"count({firing}) or vector(0)", ())


def _in_state(compared: str, name: str, steps: tuple[Step, ...]) -> Line:
    """Return how many chains are in a state; 0 where none is."""
    return Line(Prom(f"count(({_STATE.template}) {compared}) or vector(0)", _STATE.metrics), name, steps=steps)


_ALL = Row(
    "All chains",
    (
        figure(
            "Chains by state",
            "How many chains are well, have a warning, and have something critical, as health finds them.",
            "short",
            _in_state("== 0", "well", (Step(GREEN),)),
            _in_state("== 1", "warning", above(1, ORANGE)),
            _in_state(">= 2", "critical", above(1)),
            width=6,
        ),
        figure(
            "Critical findings",
            "Findings of health that are critical: of all chains.",
            "short",
            (Value(M.chain_health_findings, (), "sum", {"severity": "critical"}), ""),
            steps=above(1),
            width=3,
        ),
        figure(
            "Warnings",
            "Findings of health that are warnings: of all chains.",
            "short",
            (Value(M.chain_health_findings, (), "sum", {"severity": "warning"}), ""),
            steps=above(1, ORANGE),
            width=3,
        ),
        figure(
            "Nodes that answer",
            "Nodes that answer, or push, and are on the network of their chain: of all chains.",
            "short",
            (Value(M.chain_network_nodes_up, (), "sum"), ""),
            width=3,
        ),
        figure(
            "Nodes that do not",
            "Nodes that are known, and neither answer nor push, or are on another network: of all chains.",
            "short",
            (Prom("sum ({0}) - sum ({1})", (M.chain_network_nodes, M.chain_network_nodes_up)), ""),
            steps=above(1, ORANGE),
            width=3,
        ),
        figure(
            "Alerts: critical",
            "Alerts that fire, critical ones, those of chainwatch itself among them.",
            "short",
            (_alerts("critical"), ""),
            steps=above(1),
            width=3,
        ),
        figure(
            "Alerts: warnings",
            "Alerts that fire, warnings, those of chainwatch itself among them.",
            "short",
            (_alerts("warning"), ""),
            steps=above(1, ORANGE),
            width=3,
        ),
        table(
            "Chains",
            "One chain in a row: how it is, its head and how old that is, the nodes, how many sealers or producers "
            "may still fail, how much finality lags beyond what the schedule explains, and what it does. A click on a "
            "chain leads to the board of its kind.",
            Line(_STATE, "State", words=_STATES),
            Line(Prom(f"count by (chain) ({_FIRING})", ()), "Alerts", steps=above(1, ORANGE)),
            Line(Value(M.chain_network_head_block_number, _CHAIN), "Head", "none"),
            Line(Value(M.chain_network_head_age_seconds, _CHAIN), "Head age", "s"),
            Line(_OF_HALTED, "Of its limit", "percentunit", above(1)),
            Line(Value(M.chain_network_nodes_up, _CHAIN, "sum"), "Nodes"),
            Line(_DOWN, "Nodes down", steps=above(1, ORANGE)),
            Line(_FEWEST_PEERS, "Fewest peers", steps=below(1, ORANGE)),
            Line(Value(M.chain_network_quorum_margin, _CHAIN, "min"), "May fail", steps=_MARGIN),
            Line(_PAST_EXPECTED, "Finality late by", "short", above(1, ORANGE)),
            Line(Value(M.chain_network_branches, _CHAIN), "Branches", steps=above(2)),
            Line(Value(M.chain_network_block_interval_seconds, _CHAIN), "Block interval", "s"),
            Line(Value(M.chain_network_transactions_per_second, _CHAIN), "Transactions", "ops"),
            Line(Value(M.chain_network_versions, _CHAIN), "Versions", steps=above(2, YELLOW)),
            labels=("chain",),
            width=24,
            height=8,
        ),
        table(
            "What is wrong",
            "What health finds at present. docs/health.md says of each signal what it means and what to do; the "
            "sentence with the figures stands on the live page.",
            Line(
                Prom("max by (chain, signal, subject, severity) ({0}) == 1", (M.chain_health_finding,)),
                "Moved",
                words=((1, "yes", ORANGE),),
            ),
            Line(Prom("max by (chain, signal, subject, severity) ({0})", (M.chain_health_finding_value,)), "Figure"),
            labels=("chain", "severity", "signal", "subject"),
            width=12,
            height=8,
        ),
        table(
            "Alerts that fire",
            "What Prometheus tells Alertmanager at present, and for how long it has been so.",
            Line(
                Prom(
                    "max by (alertname, severity, chain, node, subject) "
                    f"(time() - {_ACTIVE_SINCE} and ignoring (alertstate) {_FIRING})",
                    (),
                ),
                "For",
                "dtdurations",
            ),
            labels=("alertname", "severity", "chain", "node", "subject"),
            width=12,
            height=8,
        ),
    ),
)

_SIDE_BY_SIDE = Row(
    "Chains side by side",
    (
        chart(
            "Head age, of what is allowed",
            "How old each chain's head is, as a share of the age at which it counts as halted. Health allows more "
            "where the network's rules explain it, such as a sealer that is away.",
            "percentunit",
            (_OF_HALTED, "{{chain}}"),
            steps=above(1),
        ),
        chart(
            "How many may fail",
            "Sealers or producers that may still fail: at 0 one more failure halts the chain (nodeos: its finality).",
            "short",
            (Value(M.chain_network_quorum_margin, _CHAIN, "min"), "{{chain}}"),
            steps=_MARGIN,
        ),
        chart(
            "Finality beyond the expected",
            "Blocks by which the last irreversible block lags more than the schedule explains (nodeos): 0 at most "
            "in health.",
            "short",
            (_PAST_EXPECTED, "{{chain}}"),
            steps=above(1, ORANGE),
        ),
        chart(
            "Nodes down",
            "Nodes that neither answer nor push, or are on another network.",
            "short",
            (_DOWN, "{{chain}}"),
            steps=above(1, ORANGE),
        ),
        chart(
            "Transactions",
            "Transactions per second, in the last blocks of each chain.",
            "ops",
            (Value(M.chain_network_transactions_per_second, _CHAIN), "{{chain}}"),
        ),
        chart(
            "Propagation",
            "Time from the first sighting of a block until 95 of 100 times another node had it, in the last 128 "
            "blocks.",
            "s",
            (Value(M.chain_network_arrival_delay_p95_seconds, _CHAIN), "{{chain}}"),
        ),
    ),
)

_EACH = Row(
    "$chain",
    (
        figure(
            "State",
            "The worst that health finds of this chain at present.",
            "short",
            (_STATE, ""),
            words=_STATES,
            width=4,
        ),
        figure(
            "Head",
            "Number of the chain's head, as most nodes have it.",
            "none",
            (Value(M.chain_network_head_block_number, _CHAIN), ""),
            width=4,
        ),
        figure(
            "Age of the head",
            "Time since that of the chain's head.",
            "s",
            (Value(M.chain_network_head_age_seconds, _CHAIN), ""),
            width=4,
        ),
        figure(
            "Nodes down",
            "Nodes that neither answer nor push, or are on another network.",
            "short",
            (_DOWN, ""),
            steps=above(1, ORANGE),
            width=4,
        ),
        figure(
            "May fail",
            "Sealers or producers that may still fail: at 0 one more failure halts the chain (nodeos: its finality).",
            "short",
            (Value(M.chain_network_quorum_margin, _CHAIN, "min"), ""),
            steps=_MARGIN,
            width=4,
        ),
        figure(
            "Fewest peers",
            "Peers of the node that has the fewest.",
            "short",
            (_FEWEST_PEERS, ""),
            steps=below(1, ORANGE),
            width=4,
        ),
        chart(
            "Head age",
            "How old the chain's head is. Beyond the upper line the chain counts as halted, unless the network's rules "
            "explain more.",
            "s",
            (Value(M.chain_network_head_age_seconds, _CHAIN), "head age"),
            (_HALTED_AT, "halted beyond"),
        ),
        chart(
            "Nodes",
            "Nodes that are known, and those that answer.",
            "short",
            (Value(M.chain_network_nodes, _CHAIN, "sum"), "known"),
            (Value(M.chain_network_nodes_up, _CHAIN, "sum"), "answer"),
        ),
        chart(
            "What is wrong",
            "Findings of health, by how bad they are.",
            "short",
            (Value(M.chain_health_findings, ("chain", "severity"), "sum"), "{{severity}}"),
            stacked=True,
        ),
        chart(
            "Block interval",
            "Time between blocks, half of the time and 95 of 100 times at most, and as it should be.",
            "s",
            (Value(M.chain_network_block_interval_seconds, _CHAIN), "median"),
            (Value(M.chain_network_block_interval_p95_seconds, _CHAIN), "95th percentile"),
            (Value(M.chain_network_block_period_seconds, _CHAIN), "as it should be"),
        ),
        chart(
            "Sealers or producers",
            "Those that may make blocks, those that do, and how many it takes.",
            "short",
            (Value(M.chain_network_makers, _CHAIN), "all"),
            (Value(M.chain_network_makers_active, _CHAIN), "active"),
            (Value(M.chain_network_makers_needed, _CHAIN), "needed"),
        ),
        chart(
            "Peers",
            "Peers of the nodes: the most, the median and the fewest.",
            "short",
            (Value(M.chain_peers, _CHAIN, "max"), "most"),
            (Prom("quantile by (chain) (0.5, {0})", (M.chain_peers,)), "median"),
            (_FEWEST_PEERS, "fewest"),
            steps=(Step(GREY),),
        ),
    ),
    repeat="chain",
)

FLEET = Board(
    uid="chainwatch-fleet",
    title="Fleet",
    description="All chains: which of them is well, and where to look next.",
    variables=("chain",),
    rows=(_ALL, _SIDE_BY_SIDE, _EACH),
)
