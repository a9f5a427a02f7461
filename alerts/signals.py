"""The alerts of health's signals: one each, and nothing is judged anew.

A finding has held at two gathers by the time it is told, so these alerts wait little or not at all; they stay for two
minutes after it, so that a restart of the collector, which begins to compare anew, ends none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from alerts.alert import Alert, Group, Signalled, Unit
from collector.health.signals import SIGNALS

_GROUPS: Mapping[str, Group] = {"chain": "chains", "node": "nodes", "maker": "makers"}

_KEEPS = 120.0


class _Told(NamedTuple):
    name: str
    lasts: float
    unit: Unit
    """"" where the signal compares no figure."""
    summary: str
    description: str


_AT_ONCE, _SOON = 0.0, 30.0

_TABLE: Mapping[str, _Told] = {
    "silent": _Told(
        "ChainSilent",
        _AT_ONCE,
        "",
        "No node of a chain answers.",
        "No node of {chain} answers: nothing is known of it, and the network between may be the cause.",
    ),
    "halted": _Told(
        "ChainHalted",
        _AT_ONCE,
        "second",
        "A chain has halted.",
        "The newest block of {chain} is {value} old, longer than its rules explain: transactions go nowhere.",
    ),
    "fork": _Told(
        "ChainForked",
        _AT_ONCE,
        "block",
        "A chain has forked.",
        "Nodes of {chain} have gone another way for {value}: what one of them says the other will give up.",
    ),
    "finality": _Told(
        "FinalityLate",
        _AT_ONCE,
        "block",
        "Blocks of a chain do not become irreversible.",
        "The last irreversible block of {chain} is {value} behind the head, more than its schedule explains: "
        "nothing since then is final.",
    ),
    "quorum": _Told(
        "QuorumAtRisk",
        _AT_ONCE,
        "maker",
        "A chain cannot lose another sealer or producer.",
        "{chain} has {value} more than it takes, with some missing: one failure more halts it, or its finality, "
        "or has done so.",
    ),
    "network_split": _Told(
        "NetworkSplit",
        _SOON,
        "part",
        "The network of a chain has parted.",
        "The connections of the nodes of {chain} fall into {value} that do not reach each other.",
    ),
    "chain_clock": _Told(
        "BlockTimesOff",
        _SOON,
        "second",
        "Block times differ from the collector's clock.",
        "The blocks of {chain} are ahead of the collector's clock by {value} (below 0: behind it): one of them is "
        "wrong.",
    ),
    "mixed_versions": _Told(
        "MixedVersions",
        _SOON,
        "version",
        "Nodes of a chain run different versions.",
        "The nodes of {chain} run {value}: during an upgrade that is as it should be.",
    ),
    "node_down": _Told(
        "NodeDown",
        _SOON,
        "",
        "A node does not answer.",
        "{subject} of {chain} does not answer, or pushes no more.",
    ),
    "behind": _Told(
        "NodeBehind",
        _SOON,
        "block",
        "A node is behind.",
        "{subject} of {chain} is {value} behind the others: what it answers is out of date.",
    ),
    "foreign": _Told(
        "NodeForeign",
        _AT_ONCE,
        "",
        "A node is on another network.",
        "{subject} is not on the network of {chain}: its genesis, chain id or network id differs.",
    ),
    "forked": _Told(
        "NodeForked",
        _AT_ONCE,
        "block",
        "A node is on a branch of its own.",
        "{subject} of {chain} has been on a branch that is not the chain for {value}: it will give them up.",
    ),
    "reorganised": _Told(
        "NodeReorganised",
        _AT_ONCE,
        "block",
        "A node gave up blocks.",
        "{subject} of {chain} gave up {value} for others: transactions in them may be gone.",
    ),
    "no_peers": _Told(
        "NodeWithoutPeers",
        _SOON,
        "",
        "A node is connected to no other.",
        "{subject} of {chain} is connected to no other node: it hears of no new blocks.",
    ),
    "strangers": _Told(
        "NodeHasStrangers",
        _SOON,
        "node",
        "A node is connected to nodes that are not watched.",
        "{subject} of {chain} is connected to {value} of which nobody here knows.",
    ),
    "clock": _Told(
        "NodeClockOff",
        _SOON,
        "second",
        "A node's clock is wrong.",
        "The clock of {subject} of {chain} is ahead of the collector's by {value} (below 0: behind it).",
    ),
    "outdated": _Told(
        "NodeOutdated",
        _AT_ONCE,
        "",
        "A node runs an old version.",
        "{subject} of {chain} runs a version older than wanted.",
    ),
    "slow": _Told(
        "NodeSlow",
        _SOON,
        "second",
        "A node is slow to answer.",
        "{subject} of {chain} takes {value} to answer, most of the time that it has.",
    ),
    "flaky": _Told(
        "NodeFlaky",
        _SOON,
        "ratio",
        "A node fails again and again.",
        "{value} of the last gathers of {subject} of {chain} failed, with others between.",
    ),
    "balancer_behind": _Told(
        "BalancerBehind",
        _SOON,
        "block",
        "A load balancer answers with an old head.",
        "{subject} answers {value} behind the nodes of {chain} behind it: it asks one that is stuck.",
    ),
    "maker_absent": _Told(
        "MakerAbsent",
        _AT_ONCE,
        "",
        "A sealer or producer makes no blocks.",
        "{subject} has its turns on {chain}, and makes no blocks.",
    ),
    "blocks_missed": _Told(
        "BlocksMissed",
        _AT_ONCE,
        "round",
        "A producer leaves out blocks.",
        "{subject} of {chain} made fewer blocks than it had to in {value}.",
    ),
    "rounds_missed": _Told(
        "RoundsMissed",
        _AT_ONCE,
        "round",
        "A producer lets whole rounds go by.",
        "{subject} of {chain} let {value} go by without a block.",
    ),
    "double_production": _Told(
        "DoubleProduction",
        _AT_ONCE,
        "time",
        "A producer makes more blocks than its turn has.",
        "{subject} of {chain} made more blocks in a row than its turn has, {value} of late: two nodes may produce "
        "with one key.",
    ),
    "unscheduled": _Told(
        "MakerUnscheduled",
        _AT_ONCE,
        "",
        "A sealer or producer is scheduled no more.",
        "{subject} is no signer of {chain} any more, or has dropped out of its schedule.",
    ),
    "paused": _Told(
        "ProductionPaused",
        _AT_ONCE,
        "",
        "Block production is paused.",
        "Block production is paused on {subject} of {chain}, which is to produce.",
    ),
    "out_of_turn": _Told(
        "SealingOutOfTurn",
        _SOON,
        "ratio",
        "Few blocks are sealed in turn.",
        "{value} of the last blocks of {chain} were sealed in turn, though no signer is missing.",
    ),
}


def _alert(signal: str) -> Alert:
    told, about = _TABLE[signal], SIGNALS[signal]
    return Alert(
        name=told.name,
        group=_GROUPS[about.of],
        severity=about.severity,
        condition=Signalled(signal, figure=bool(told.unit)),
        of_chain=True,
        of=() if about.of == "chain" else ("subject",),
        lasts=told.lasts,
        keeps=_KEEPS,
        unit=told.unit,
        summary=told.summary,
        description=told.description,
    )


OF_SIGNALS = tuple(_alert(signal) for signal in SIGNALS)
"""One alert for each signal, in their order."""
