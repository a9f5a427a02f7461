"""What is wrong with single nodes."""

from __future__ import annotations

from collections.abc import Iterator

from collector.health.assessment import Assessment, NodeHealth, State
from collector.health.judging.found import Found, where_parted
from collector.health.node import Node
from collector.health.nodes import named, older
from collector.health.thresholds import Thresholds
from collector.health.words import ahead_of, amount, listed, seconds

FEW_GATHERS = 12
"""Gathers below which it is not said how long they take: the median of three is often far from what is usual."""


def of_node(node: NodeHealth, memory: Node, now: Assessment, limits: Thresholds) -> Iterator[Found]:
    """Yield what is wrong with a node; `memory` is what is remembered of it."""
    name = node.node
    if is_down(memory, node, limits):
        yield _down(node, memory, now)
    if node.state is not State.UP:
        return
    if node.foreign:
        if memory.stands("foreign"):  # whoever answers first is the whole chain for a moment
            yield Found("foreign", name, f"{name} is on another network: {memory.differs or 'it differs'}.")
        return
    if memory.place.balances:
        if memory.stands("behind") and node.lag_blocks is not None:
            text = f"{name} answers with a head {amount(node.lag_blocks, 'block')} behind the nodes behind it."
            yield Found("balancer_behind", name, text, node.lag_blocks)
        return
    yield from _of_its_blocks(node, memory, now, limits)
    yield from _of_its_peers(node, memory)
    yield from _of_its_service(node, memory, limits)


def is_down(memory: Node, node: NodeHealth, limits: Thresholds) -> bool:
    """Tell whether a node is down, and not just late once."""
    return node.state is State.DOWN and (not memory.polled or memory.answers.failed_in_a_row >= limits.down_gathers)


def _down(node: NodeHealth, memory: Node, now: Assessment) -> Found:
    failures = node.failures or {}
    kinds = listed(sorted(failures, key=lambda kind: -failures[kind])[:2])
    since = f" for {seconds(now.at - memory.silent_since)}" if memory.silent_since is not None else ""
    return Found("node_down", node.node, f"{node.node} has not answered{since}{f' ({kinds})' if kinds else ''}.")


def _of_its_blocks(node: NodeHealth, memory: Node, now: Assessment, limits: Thresholds) -> Iterator[Found]:
    name = node.node
    if memory.stands("behind") and node.lag_blocks is not None:
        late = f", {seconds(node.lag_seconds)}" if node.lag_seconds is not None else ""
        yield Found("behind", name, f"{name} is {amount(node.lag_blocks, 'block')} behind{late}.", node.lag_blocks)
    if memory.stands("forked") and node.branch:
        branch = now.branches[node.branch]
        yield Found("forked", name, f"{name} has been on a branch of its own {where_parted(branch)}.", branch.depth)
    if memory.reorganised_at is not None and now.at - memory.reorganised_at < limits.event_seconds:
        depth = memory.reorganised_depth
        yield Found("reorganised", name, f"{name} gave up {amount(depth, 'block')} for others.", depth)


def _of_its_peers(node: NodeHealth, memory: Node) -> Iterator[Found]:
    name = node.node
    if memory.stands("no_peers"):
        yield Found("no_peers", name, f"{name} is connected to no other node.", 0)
    if memory.stands("strangers") and node.strangers:
        are = "is" if node.strangers == 1 else "are"
        text = f"{name} is connected to {amount(node.strangers, 'node')} that {are} not watched."
        yield Found("strangers", name, text, node.strangers)
    if memory.stands("clock") and node.clock_skew is not None:
        text = f"The clock of {name} is {ahead_of(node.clock_skew)} the collector's."
        yield Found("clock", name, text, node.clock_skew)


def _of_its_service(node: NodeHealth, memory: Node, limits: Thresholds) -> Iterator[Found]:
    name = node.node
    if node.paused and memory.place.makes_blocks:
        yield Found("paused", name, f"Block production is paused on {name}.")
    if limits.oldest_version and older(node.version, limits.oldest_version):
        yield Found(
            "outdated", name, f"{name} runs {named(node.version)}; {limits.oldest_version} is the oldest wanted."
        )
    given, answers = memory.place.timeout, memory.answers
    if node.latency is not None and node.latency > limits.slow_share * given and answers.gathers >= FEW_GATHERS:
        text = f"{name} takes {seconds(node.latency)} to answer, of the {seconds(given)} that it has."
        yield Found("slow", name, text, node.latency)
    if answers.spells >= limits.flaky_spells and answers.failed >= limits.flaky_share * answers.gathers:
        text = f"{name} fails again and again: {answers.failed} of its last {answers.gathers} gathers did."
        yield Found("flaky", name, text, answers.failed / answers.gathers)
