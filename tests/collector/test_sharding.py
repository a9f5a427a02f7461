"""Collectors share servers out: each falls to exactly one, and few move when the collectors are more or fewer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.sharding import holder, share
from collector.targets import Target

SERVERS = 1000


def targets(prefix: str) -> list[Target]:
    return [Target("lab", "nodeos", f"{prefix}{number}", f"http://a:{number}") for number in range(1, SERVERS + 1)]


PREFIXES = st.text(st.characters(codec="utf-8"), max_size=20)
DERANDOMISED = settings(max_examples=25, derandomize=True)


@DERANDOMISED
@given(PREFIXES, st.integers(1, 7))
def test_each_server_falls_to_exactly_one_and_none_is_overburdened(prefix: str, shards: int) -> None:
    servers = targets(prefix)
    slots = range(1, shards + 1)
    shares = [share(servers, slot, slots) for slot in slots]
    assert sorted(str(target) for each in shares for target in each) == sorted(map(str, servers))
    assert max(map(len, shares)) <= 1.35 * SERVERS / shards


@DERANDOMISED
@given(PREFIXES, st.sets(st.integers(1, 500), min_size=1, max_size=7), st.integers(501, 600))
def test_few_servers_move_when_one_collector_comes_or_goes(prefix: str, slots: set[int], other: int) -> None:
    servers = targets(prefix)
    fewer = {str(target): holder(str(target), slots) for target in servers}
    more = {str(target): holder(str(target), slots | {other}) for target in servers}
    moved = [server for server in fewer if fewer[server] != more[server]]
    assert len(moved) <= (1 / len(slots) + 0.05) * SERVERS
    # Those that move go to the one that comes; seen the other way round, they are those of the one that goes.
    assert {more[server] for server in moved} <= {other}


def test_a_server_stays_where_it_is_at_any_address_and_whatever_else_there_is() -> None:
    servers = targets("worker-")
    elsewhere = [Target("lab", "nodeos", target.name, "http://10.9.9.9:1", role="x") for target in servers[::2]]
    for slot in (1, 2, 3):
        own = {target.name for target in share(servers, slot, {3, 1, 2})}
        assert {target.name for target in share(elsewhere, slot, [1, 2, 3])} == own & {each.name for each in elsewhere}


def test_nothing_falls_to_who_is_not_among_them() -> None:
    assert share(targets("w"), 4, {1, 2, 3}) == []
    assert share(targets("w"), 1, ()) == []


def test_every_process_agrees() -> None:
    code = "from collector.sharding import holder\nprint([holder(f'lab/worker-{n}', {1, 2, 3}) for n in range(30)])"
    root = Path(__file__).parents[2]
    told = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, cwd=root, check=True, capture_output=True
        ).stdout.decode()
        for seed in ("1", "2")
    }
    assert told == {f"{[holder(f'lab/worker-{number}', [3, 2, 1]) for number in range(30)]}\n"}
