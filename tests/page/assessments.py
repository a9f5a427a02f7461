"""Assessments made by hand: chains in health, and with something wrong with them, for those who show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from collector.health.assessment import (
    Assessment,
    Branch,
    Finality,
    Finding,
    MakerHealth,
    Making,
    NodeHealth,
    PeerGraph,
    Round,
    Severity,
    State,
    Traffic,
)

NOW = 1_700_000_000.0
HOSTILE = "<img src=x onerror=\"document.title='hit'\"><script>alert(1)</script>'\"`&{}"
"""A name that would be markup, if anybody took it for that."""

_ADDRESSES = ("0xaaaa00000000000000000000000000000000aaaa", "0xbbbb00000000000000000000000000000000bbbb")


def block_hash(number: int, branch: int = 0) -> str:
    """Return a hash for a block of a branch."""
    return f"0x{number:056x}{branch:08x}"


def node(name: str, role: str = "sealer", head: int = 1234, at: float = NOW, **changed: object) -> NodeHealth:
    """Return a node in health, but for what is changed."""
    healthy = NodeHealth(
        node=name,
        role=role,
        address=f"http://10.0.0.{sum(map(ord, name)) % 250 + 1}:8545",
        state=State.UP,
        version="Geth/v1.13.15-stable/linux-amd64/go1.21",
        foreign=False,
        branch=0,
        head_number=head,
        head_hash=block_hash(head),
        head_time=at - 3,
        head_age=3.0,
        lag_blocks=0,
        lag_seconds=0.0,
        syncing=False,
        peers=3,
        strangers=0,
        pool=2,
        latency=0.012,
        latency_p95=0.031,
        failed_share=0.0,
        failures={},
        delay_p50=0.05,
        delay_p95=0.21,
        clock_skew=0.01,
        last_answer=at - 1,
        lags=[0, 0, 1, 0, 0, 0, 1, 0] * 7,
    )
    return replace(healthy, **changed)  # type: ignore[arg-type]


def down(known: NodeHealth) -> NodeHealth:
    """Return a node as it is once it answers no more."""
    assert known.last_answer is not None
    return replace(
        known,
        state=State.DOWN,
        branch=None,
        head_age=None,
        lag_blocks=None,
        lag_seconds=None,
        peers=None,
        failed_share=1.0,
        failures={"refused": 60},
        last_answer=known.last_answer - 95,
        lags=[*known.lags[20:], *[None] * 20],
    )


def signer(name: str, **changed: object) -> MakerHealth:
    """Return a signer in health, but for what is changed."""
    healthy = MakerHealth(
        name=name,
        scheduled=True,
        active=True,
        last_block=1230,
        recent_blocks=21,
        empty_share=0.1,
        in_turn_share=0.98,
        rounds=[Round(1, 1)] * 12,
        next_turn=NOW + 6,
        blocks=411,
        empty_blocks=40,
        in_turn_blocks=400,
        missed_blocks=2,
    )
    return replace(healthy, **changed)  # type: ignore[arg-type]


def _graph(nodes: Sequence[NodeHealth]) -> PeerGraph:
    names = sorted(each.node for each in nodes)
    return PeerGraph(list(combinations(names, 2)), [names], complete=True)


def clique(name: str = "lab", at: float = NOW) -> Assessment:
    """Return a Clique chain of seven nodes in health."""
    roles = ("sealer", "sealer", "sealer", "client", "client", "client", "boot")
    nodes = [node(f"{role}-{place + 1}", role, at=at) for place, role in enumerate(roles)]
    makers = [
        signer(_ADDRESSES[0], current=True, last_block=1234, next_turn=at + 12),
        signer(_ADDRESSES[1], next_turn=at + 2),
        signer("0xcccc00000000000000000000000000000000cccc", next_turn=at + 7),
    ]
    return Assessment(
        chain=name,
        kind="ethereum",
        at=at,
        interval=1.0,
        sentence="All 7 nodes agree at block 1,234; all 3 signers seal, and 1 of them may fail.",
        genesis=block_hash(0),
        chain_id="8888",
        network_id="8888",
        period=5.0,
        head_number=1234,
        head_hash=block_hash(1234),
        head_time=at - 3,
        head_age=3.0,
        halted=False,
        nodes=nodes,
        branches=[Branch([each.node for each in nodes], 1234, block_hash(1234), at - 3)],
        making=Making(
            "clique",
            makers,
            64,
            3,
            3,
            2,
            1,
            in_turn_share=0.98,
            verdict="1 of the 3 signers may fail; none is missing.",
        ),
        traffic=Traffic(64, 320.0, 5.0, 5.2, 12.5, 80.0, 0.1, 0.31),
        peers=_graph(nodes),
        versions={"Geth/v1.13.15": 7},
        clock_skew=0.1,
        delay_p50=0.05,
        delay_p95=0.21,
        pool=2,
    )


def forked(at: float = NOW) -> Assessment:
    """Return the chain split in two, with a node down and one that calls itself something hostile."""
    whole = clique("split", at)
    nodes = list(whole.nodes)
    for place in (1, 4):
        nodes[place] = replace(
            nodes[place],
            branch=1,
            head_number=1231,
            head_hash=block_hash(1231, 1),
            lag_blocks=3,
            lags=[0] * 50 + [1, 2, 3],
        )
    nodes[3] = down(nodes[3])
    nodes[5] = replace(nodes[5], node=HOSTILE, version=HOSTILE, forgettable=True, pushes=True)
    own = [each.node for each in nodes if each.branch == 0]
    other = [each.node for each in nodes if each.branch == 1]
    sentence = "The chain has forked at block 1,224: 4 nodes are at 1,234, and 2 went on to 1,231 on their own."
    assert whole.making
    makers = list(whole.making.makers)
    makers[1] = replace(
        makers[1], active=True, rounds=[Round(1, 1)] * 7 + [Round(0, 1)] * 5, missed_rounds_in_a_row=5, missed_rounds=5
    )
    return replace(
        whole,
        sentence=sentence,
        severity=Severity.CRITICAL,
        nodes=nodes,
        branches=[
            Branch(own, 1234, block_hash(1234), at - 3),
            Branch(other, 1231, block_hash(1231, 1), at - 8, parted_at=1224, depth=7),
        ],
        making=replace(whole.making, makers=makers, verdict="One more failure halts the chain."),
        peers=PeerGraph(
            [*combinations(sorted(own), 2), *combinations(sorted(other), 2)],
            [sorted(own), sorted(other)],
            complete=True,
        ),
        findings=[
            Finding("fork", Severity.CRITICAL, "", sentence, at - 40, 7),
            Finding("network_split", Severity.WARNING, "", "The nodes fall into 2 parts.", at - 41, 2),
            Finding("node_down", Severity.WARNING, nodes[3].node, "client-4 does not answer: refused.", at - 95),
            Finding("forked", Severity.WARNING, "sealer-2", "sealer-2 left the chain at block 1,224.", at - 40, 7),
            Finding("maker_absent", Severity.WARNING, _ADDRESSES[1], f"{_ADDRESSES[1]} seals no more.", at - 30),
            Finding("strangers", Severity.INFO, HOSTILE, f"{HOSTILE} is connected to 2 others.", at - 500, 2),
        ],
    )


def halted(at: float = NOW) -> Assessment:
    """Return the chain without two of its three signers."""
    whole = clique("stopped", at)
    assert whole.making
    nodes = [
        replace(each, head_time=at - 187, head_age=187.0) if place not in (1, 2) else down(each)
        for place, each in enumerate(whole.nodes)
    ]
    makers = [
        replace(
            maker, active=place == 0, current=place == 0, next_turn=None, rounds=[Round(1, 1)] * 10 + [Round(0, 1)] * 2
        )
        for place, maker in enumerate(whole.making.makers)
    ]
    sentence = "The chain has halted: no block for 187 s, and 2 of its 3 signers are missing."
    return replace(
        whole,
        sentence=sentence,
        severity=Severity.CRITICAL,
        head_time=at - 187,
        head_age=187.0,
        halted=True,
        nodes=nodes,
        making=replace(whole.making, makers=makers, active=1, margin=-1, verdict="2 of 3 signers are missing."),
        findings=[
            Finding("halted", Severity.CRITICAL, "", sentence, at - 160, 187),
            Finding("quorum", Severity.CRITICAL, "", "1 of 3 signers is left, and it takes 2.", at - 150, -1),
            Finding("node_down", Severity.WARNING, "sealer-2", "sealer-2 does not answer: refused.", at - 180),
            Finding("node_down", Severity.WARNING, "sealer-3", "sealer-3 does not answer: refused.", at - 180),
        ],
    )


def producers(count: int = 21, name: str = "main", at: float = NOW) -> Assessment:
    """Return a chain of many producers, of which one misses blocks and one whole rounds."""
    accounts = [f"producer{chr(ord('a') + place // 5)}{place % 5 + 1}" for place in range(count)]
    makers = [
        MakerHealth(
            account,
            scheduled=True,
            active=True,
            current=place == 4,
            last_block=8_500_000 - 12 * place,
            recent_blocks=12,
            empty_share=0.0,
            rounds=[Round(12, 12)] * 12,
            next_turn=at + 6.0 * (place - 4) % (6.0 * count),
            blocks=4000,
        )
        for place, account in enumerate(accounts)
    ]
    findings: list[Finding] = []
    if count > 6:
        makers[3] = replace(makers[3], rounds=[*[Round(12, 12)] * 10, Round(7, 12), Round(12, 12)], missed_blocks=5)
        makers[6] = replace(
            makers[6],
            active=False,
            rounds=[*[Round(12, 12)] * 9, *[Round(0, 12)] * 3],
            missed_rounds=3,
            missed_rounds_in_a_row=3,
        )
        findings = [
            Finding(
                "rounds_missed", Severity.WARNING, accounts[6], f"{accounts[6]} missed 3 rounds in a row.", at - 400, 3
            ),
            Finding(
                "blocks_missed", Severity.WARNING, accounts[3], f"{accounts[3]} missed 5 blocks of 12.", at - 200, 5
            ),
        ]
    nodes = [
        node(f"{role}-{place + 1}", role, 8_500_000, at, version="v4.0.6", finalized=8_499_670, lag_blocks=place % 2)
        for place, role in enumerate(["producer"] * 3 + ["worker"] * 6)
    ]
    needed = count * 2 // 3 + 1
    return Assessment(
        chain=name,
        kind="nodeos",
        at=at,
        interval=1.0,
        sentence=f"All 9 nodes agree; {len(findings)} of {count} producers miss blocks."
        if findings
        else "All is well.",
        severity=Severity.WARNING if findings else None,
        genesis="c" * 64,
        period=0.5,
        head_number=8_500_000,
        head_hash="a" * 64,
        head_time=at - 0.2,
        head_age=0.2,
        halted=False,
        nodes=nodes,
        branches=[Branch([each.node for each in nodes], 8_500_000, "a" * 64, at - 0.2)],
        making=Making(
            "dpos",
            makers,
            12 * count,
            count,
            count - (count > 6),
            needed,
            count - (count > 6) - needed,
            verdict="Enough are left.",
        ),
        finality=Finality(8_499_670, 330, "dpos", 325, 337),
        traffic=Traffic(240, 120.0, 0.5, 0.5, 140.2, 900.0, 0.05, None, 0.004, 5300.0),
        peers=_graph(nodes),
        versions={"v4.0.6": 9},
        findings=findings,
    )


def many(count: int = 500, beat: int = 0, name: str = "crowd") -> Assessment:
    """Return a chain of many nodes; with every beat, all of them change a little."""
    at = NOW + beat
    head = 5000 + beat
    nodes = [
        node(
            f"worker-{place + 1}",
            "worker" if place % 10 else "client",
            head - place % 3,
            at,
            lag_blocks=place % 3,
            peers=5 + (place + beat) % 7,
            latency=0.001 * (place * (7 + beat * 13) % 97 + 1),
            lags=[(place * n + beat + n) % 5 for n in range(60)],
        )
        for place in range(count)
    ]
    broken = beat % count
    nodes[broken] = down(nodes[broken])
    names = [each.node for each in nodes]
    edges = sorted(
        {
            tuple(sorted((names[i], names[(i * 7 + k) % count])))
            for i in range(count)
            for k in (1, 5)
            if i != (i * 7 + k) % count
        }
    )
    down_name = names[broken]
    return Assessment(
        chain=name,
        kind="nodeos",
        at=at,
        interval=1.0,
        sentence=f"{count - 1} of {count} nodes agree at block {head:,}; {down_name} does not answer.",
        severity=Severity.WARNING,
        head_number=head,
        head_hash=block_hash(head),
        head_time=at - 1,
        head_age=1.0,
        period=1.0,
        halted=False,
        nodes=nodes,
        branches=[Branch([each for each in names if each != down_name], head, block_hash(head), at - 1)],
        peers=PeerGraph([(a, b) for a, b in edges], [names], complete=False),
        findings=[Finding("node_down", Severity.WARNING, down_name, f"{down_name} does not answer: timeout.", at - 20)],
    )


def unknown(at: float = NOW) -> Assessment:
    """Return a chain of which nothing is known yet."""
    nodes = [NodeHealth(f"node-{place}", "", f"http://10.1.0.{place}:8545", State.UNKNOWN) for place in range(1, 4)]
    return Assessment(
        chain="new", kind="ethereum", at=at, interval=10.0, sentence="Nothing is known of this chain yet.", nodes=nodes
    )


def everything(at: float = NOW) -> list[Assessment]:
    """Return all of them, but for the crowd."""
    return [clique(at=at), forked(at), halted(at), producers(at=at), unknown(at)]
