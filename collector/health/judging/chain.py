"""What is wrong with a chain as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collector.health.assessment import Assessment, Making, State
from collector.health.judging.found import Found, where_parted
from collector.health.judging.nodes import is_down
from collector.health.making import tolerated
from collector.health.node import Node
from collector.health.thresholds import Thresholds
from collector.health.words import ahead_of, amount, listed, seconds

LEAST_SHARE = 0.75
"""Of its fair share of the blocks, which a signer has that was not away for a part of them."""

MOST_PARTS = 4
"""Parts of the network that a sentence holds, the largest."""

FEW_BLOCKS = 32
"""Blocks below which shares say little."""


def of_chain(now: Assessment, nodes: Mapping[str, Node], limits: Thresholds) -> Iterator[Found]:
    """Yield what is wrong with the chain; `nodes` is what is remembered of its nodes, by name."""
    asked = [node for node in now.nodes if node.state is not State.UNKNOWN]
    if asked and all(is_down(nodes[node.node], node, limits) for node in asked):
        who = "The node does not answer" if len(asked) == 1 else f"None of {len(asked):,} nodes answers"
        yield Found("silent", "", f"{who}: nothing is known of the chain.")
    if now.halted:
        yield Found("halted", "", _halted(now), now.head_age)
    yield from _forks(now, nodes)
    yield from _finality(now)
    yield from _quorum(now, limits)
    yield from _peers(now, nodes)
    if now.clock_skew is not None and abs(now.clock_skew) > limits.clock_seconds:
        text = f"Block times are {ahead_of(now.clock_skew)} the collector's clock: one of them is wrong."
        yield Found("chain_clock", "", text, now.clock_skew)
    if now.versions and len(now.versions) > 1:
        told = listed(f"{version} ({count})" for version, count in now.versions.items())
        yield Found("mixed_versions", "", f"Nodes run different versions: {told}.", len(now.versions))


def _halted(now: Assessment) -> str:
    age = ""
    if now.head_time is not None:  # by the collector's clock, from which block times may differ
        age = f", {seconds(max(0.0, now.at - now.head_time + (now.clock_skew or 0.0)))} ago"
    if now.period == 0:
        waiting = amount(now.pool or 0, "transaction")
        return f"{waiting} wait, and no block has come since {now.head_number:,}{age}."
    missing = f" {now.making.verdict}" if now.making and now.making.verdict else ""
    return f"No block has come since {now.head_number:,}{age}.{missing}"


def _forks(now: Assessment, nodes: Mapping[str, Node]) -> Iterator[Found]:
    standing = [branch for branch in now.branches[1:] if any(nodes[name].stands("forked") for name in branch.nodes)]
    if standing:
        deepest = max(standing, key=lambda branch: branch.depth)
        who = listed(name for branch in standing for name in branch.nodes)
        where, depth = where_parted(deepest), amount(deepest.depth, "block")
        text = f"The chain has parted {where}: {who} went another way, {depth} by now."
        yield Found("fork", "", text, deepest.depth)


def _finality(now: Assessment) -> Iterator[Found]:
    finality = now.finality
    if finality is None or now.halted or finality.expected_most is None:
        return
    most = tolerated(finality, now.making.scheduled if now.making else 0)
    if most is not None and finality.lag > most:
        text = (
            f"The last irreversible block, {finality.number:,}, is {finality.lag:,} behind the head; "
            f"{finality.expected_most:,} are what is to be expected at most."
        )
        yield Found("finality", "", text, finality.lag)


def _quorum(now: Assessment, limits: Thresholds) -> Iterator[Found]:
    making = now.making
    if making is None or making.margin is None or making.active is None:
        return
    if making.kind == "dpos" and now.halted:
        return  # nobody makes blocks: that some are missing says nothing more
    if making.margin <= 0 and making.active < making.scheduled:
        yield Found("quorum", "", making.verdict or "Makers are missing.", making.margin)
    if _out_of_turn(making, limits):
        share = f"{making.in_turn_share:.0%}"
        text = f"{share} of the last {making.window} blocks were sealed in turn, though every signer seals."
        yield Found("out_of_turn", "", text, making.in_turn_share)


def _out_of_turn(making: Making, limits: Thresholds) -> bool:
    """Tell whether few blocks are sealed in turn, and not because a signer has been away for a part of them."""
    if making.kind != "clique" or making.in_turn_share is None or making.window < FEW_BLOCKS:
        return False
    fair = making.window / max(1, making.scheduled)
    there = all(maker.recent_blocks >= LEAST_SHARE * fair for maker in making.makers if maker.scheduled)
    return there and making.in_turn_share < limits.in_turn_share


def _peers(now: Assessment, nodes: Mapping[str, Node]) -> Iterator[Found]:
    if now.peers is None or not now.peers.complete:
        return
    parts = [part for part in now.peers.parts if not all(nodes[name].streaks.get("no_peers") for name in part)]
    lasting = all(any(nodes[name].stands("apart") for name in part) for part in parts)
    if len(parts) > 1 and lasting:
        shown = "; ".join(listed(part) for part in parts[:MOST_PARTS])
        text = f"The nodes' connections fall into {len(parts)} parts that do not reach each other: {shown}."
        yield Found("network_split", "", text, len(parts))
