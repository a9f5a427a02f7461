"""What holds of a node at one gather after another: each is looked at once, however often somebody asks."""

from __future__ import annotations

from collector.health.assessment import Assessment, NodeHealth, State
from collector.health.blocks import Reorganisations
from collector.health.node import Node
from collector.health.thresholds import Thresholds


def note_gather(
    node: Node,
    said: NodeHealth,
    chain: Assessment,
    limits: Thresholds,
    reorganisations: Reorganisations,
    *,
    alone: bool,
) -> None:
    """Take note of what holds of a node at its last gather, if that was not done yet.

    `chain` is what is said of the chain, without its nodes; `alone` tells that no other node is up.
    """
    if said.state is not State.UP:
        node.streaks.clear()
        node.parted = node.parted_by = None
        return
    if node.judged is node.observation:
        return
    node.judged = node.observation
    node.lags.append(said.lag_blocks)
    node.held("behind", holds=_is_behind(node, said.lag_blocks, limits))
    node.held("no_peers", holds=None if said.peers is None else said.peers == 0 and not alone and not said.foreign)
    node.held("foreign", holds=said.foreign)
    node.held("strangers", holds=None if said.strangers is None else said.strangers > 0)
    node.held("clock", holds=None if said.clock_skew is None else abs(said.clock_skew) > limits.clock_seconds)
    peers = chain.peers
    node.held("apart", holds=len(peers.parts) > 1 if peers and peers.complete else None)
    _note_branch(node, said, chain, limits)
    if reorganisations.last_at is not None and reorganisations.last_depth >= limits.reorganised_blocks:
        node.reorganised_at = reorganisations.last_at
        node.reorganised_depth = reorganisations.last_depth


def _is_behind(node: Node, lag: int | None, limits: Thresholds) -> bool | None:
    """Tell whether a lag is too great: of a node that is behind, until it has caught up by more than half.

    The block that is being made when a node is asked may count or not, so that a lag that stands seems to sway.
    """
    if lag is None:
        return None
    return lag >= limits.behind_blocks or (node.stands("behind") and lag > limits.behind_blocks // 2)


def _note_branch(node: Node, said: NodeHealth, chain: Assessment, limits: Thresholds) -> None:
    """Take note of whether it is on a branch that is long, or lasts: one block of a branch happens in health."""
    if said.branch is None:
        return
    if said.branch == 0:
        node.parted = node.parted_by = None
        node.held("forked", holds=False)
        return
    branch = chain.branches[said.branch]
    if node.parted_by is not None and branch.parted_at is not None and branch.parted_at >= node.parted_by:
        node.parted = None  # what it was on then is of the chain now: it is another block that nodes exchange
        node.held("forked", holds=False)
    node.parted_by = said.head_number
    if node.parted is None:
        node.parted = chain.at
    lasts = chain.at - node.parted >= limits.fork_periods * (chain.period or 0.0)
    node.held("forked", holds=lasts or branch.depth >= limits.fork_blocks)
