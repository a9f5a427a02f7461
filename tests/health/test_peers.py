"""Who is connected to whom, who is alone, and who is none of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.assessment import PeerGraph
from collector.health.nodes import Peers
from collector.observations import Observation, Peer


def geth(node: str, *peers: str) -> Observation:
    """Return what a geth tells: its own key, and those of its peers."""
    told = [Peer(id=f"key-{peer}", name="Geth", address=f"172.17.0.{len(peer)}:30303") for peer in peers]
    return Observation(at=0.0, identity=f"key-{node}", peers=told, peer_count=len(told))


def nodeos(*peers: str | Peer) -> Observation:
    """Return what a nodeos tells: where its peers listen."""
    told = [peer if isinstance(peer, Peer) else Peer(id=f"{peer}-now", name="EOS", address=peer) for peer in peers]
    return Observation(at=0.0, peers=told, peer_count=len(told))


def judged(
    observations: Mapping[str, Observation], hosts: Mapping[str, str] | None = None
) -> tuple[PeerGraph, Mapping[str, int | None]]:
    """Return what is said of the nodes, all of them asked by their names, if nothing else is given."""
    return Peers().judge(observations, {node: node for node in observations} if hosts is None else hosts)


def test_geths_are_recognised_by_their_keys() -> None:
    graph, strangers = judged({"a": geth("a", "b"), "b": geth("b", "a", "c"), "c": geth("c", "b")})
    assert graph == PeerGraph([("a", "b"), ("b", "c")], [["a", "b", "c"]], complete=True)
    assert strangers == {"a": 0, "b": 0, "c": 0}


def test_what_one_side_tells_is_a_connection() -> None:
    graph, _ = judged({"a": geth("a", "b"), "b": geth("b")})
    assert graph.edges == [("a", "b")]


def test_a_network_in_parts_is_told_with_the_largest_part_first() -> None:
    graph, strangers = judged(
        {
            "a": geth("a", "b"),
            "b": geth("b", "a"),
            "c": geth("c", "d"),
            "d": geth("d", "e"),
            "e": geth("e"),
            "z": geth("z"),
        }
    )
    assert graph.parts == [["c", "d", "e"], ["a", "b"], ["z"]]
    assert graph.complete
    assert set(strangers.values()) == {0}


def test_a_peer_that_is_none_of_ours_is_a_stranger_and_may_connect_parts() -> None:
    graph, strangers = judged({"a": geth("a", "elsewhere", "elsewhere"), "b": geth("b", "elsewhere")})
    assert strangers == {"a": 1, "b": 1}
    assert graph.parts == [["a"], ["b"]]
    assert not graph.complete


def test_a_node_that_is_down_is_no_stranger_and_still_connects() -> None:
    peers = Peers()
    hosts = {"a": "a", "b": "b", "c": "c"}
    peers.judge({"a": geth("a", "b"), "b": geth("b", "a", "c"), "c": geth("c", "b")}, hosts)
    graph, strangers = peers.judge({"a": geth("a", "b"), "c": geth("c", "b")}, hosts)
    assert graph == PeerGraph([("a", "b"), ("b", "c")], [["a", "c"]], complete=True)
    assert strangers == {"a": 0, "c": 0}


def test_while_one_of_ours_never_told_who_it_is_nobody_is_called_a_stranger() -> None:
    graph, strangers = judged({"a": geth("a", "b")}, {"a": "a", "b": "b"})
    assert strangers == {"a": None}
    assert not graph.complete


def test_a_node_that_does_not_tell_who_its_peers_are_is_not_alone() -> None:
    silent = Observation(at=0.0, peer_count=3)
    for each in (silent, Observation(at=0.0)):
        graph, strangers = judged({"a": geth("a"), "b": each})
        assert not graph.complete
        assert strangers == {"a": 0, "b": None}


def test_a_node_that_counts_no_peers_tells_all_of_them() -> None:
    graph, strangers = judged({"a": Observation(at=0.0, peer_count=0)})
    assert graph == PeerGraph([], [["a"]], complete=True)
    assert strangers == {"a": 0}


def test_nodeos_is_recognised_by_where_it_listens() -> None:
    graph, strangers = judged({"bp": nodeos("w1:9876", "w2:9876"), "w1": nodeos("bp:9876"), "w2": nodeos("bp:9876")})
    assert graph == PeerGraph([("bp", "w1"), ("bp", "w2")], [["bp", "w1", "w2"]], complete=True)
    assert strangers == {"bp": 0, "w1": 0, "w2": 0}


def test_nodeos_is_recognised_by_its_agent_name() -> None:
    told = {
        "bp": nodeos(Peer(id="1", name="w1", address="127.0.0.1:9877")),
        "w1": nodeos(Peer(id="2", name="bp", address="127.0.0.1:9876")),
    }
    graph, strangers = judged(told, dict.fromkeys(told, "127.0.0.1"))
    assert graph == PeerGraph([("bp", "w1")], [["bp", "w1"]], complete=True)
    assert strangers == {"bp": 0, "w1": 0}


@pytest.mark.parametrize(
    ("address", "hosts", "strangers"),
    [
        ("10.0.0.9:9876", {"a": "10.0.0.1", "b": "10.0.0.2"}, 1),
        ("[fd00::9]:9876", {"a": "fd00::1", "b": "fd00::2"}, 1),
        ("elsewhere:9876", {"a": "bp", "b": "w1"}, 1),
        ("10.0.0.9:9876", {"a": "bp", "b": "w1"}, None),
        ("elsewhere:9876", {"a": "10.0.0.1", "b": "10.0.0.2"}, None),
        ("10.0.0.9:9876", {"a": "10.0.0.1", "b": "w1"}, None),
        ("127.0.0.1:9876", {"a": "10.0.0.1", "b": "10.0.0.2"}, None),
        ("localhost:9876", {"a": "bp", "b": "w1"}, None),
        ("10.0.0.2:9876", {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.2"}, None),
        ("", {"a": "10.0.0.1", "b": "10.0.0.2"}, None),
        ("[half:9876", {"a": "10.0.0.1", "b": "10.0.0.2"}, None),
    ],
)
def test_a_peer_of_nodeos_is_a_stranger_only_where_addresses_can_be_compared(
    address: str, hosts: dict[str, str], strangers: int | None
) -> None:
    _, told = judged({"a": nodeos(Peer(id="1", name="EOS", address=address)), "b": nodeos()}, hosts)
    assert told["a"] == strangers


def test_who_knows_a_node_may_be_one_of_those_that_it_cannot_place() -> None:
    hosts = {"bp": "10.0.0.1", "w1": "10.0.0.2"}
    _, strangers = judged({"bp": nodeos("10.0.9.9:40000"), "w1": nodeos("10.0.0.1:9876")}, hosts)
    assert strangers == {"bp": 0, "w1": 0}
    _, strangers = judged({"bp": nodeos("10.0.9.9:40000", "10.0.9.8:1"), "w1": nodeos("10.0.0.1:9876")}, hosts)
    assert strangers == {"bp": 1, "w1": 0}


def test_another_key_is_another_node_whatever_its_name_and_host() -> None:
    told = {
        "a": Observation(at=0.0, identity="key-a", peers=[Peer("key-x", "b", "b:30303")]),
        "b": geth("b"),
    }
    graph, strangers = judged(told)
    assert graph.edges == []
    assert strangers == {"a": 1, "b": 0}


def test_a_node_is_not_its_own_peer() -> None:
    graph, strangers = judged({"a": geth("a", "a")})
    assert graph == PeerGraph([], [["a"]], complete=True)
    assert strangers == {"a": 0}


def test_without_nodes_there_is_nothing_to_tell() -> None:
    assert judged({}) == (PeerGraph((), (), complete=True), {})


def test_what_has_not_changed_is_not_matched_again() -> None:
    told = {node: geth(node, "a", "b", "c") for node in "abc"}
    hosts = {node: node for node in told}
    peers = Peers()
    peers.judge(told, hosts)
    matched = dict(peers._told)
    peers.judge(told, hosts)
    assert all(peers._told[node] is matched[node] for node in told)
    told["a"] = geth("a", "b")
    graph, _ = peers.judge({**told, "c": geth("c")}, hosts)
    assert graph.edges == [("a", "b"), ("b", "c")]
    assert peers._told["b"] is matched["b"]
    peers.judge({"b": told["b"]}, {"b": "b"})
    assert peers._told.keys() == {"b"}


_NAMES = st.sampled_from(["", "a", "b", "c", "127.0.0.1", "10.0.0.1", "[", "é", "a:b:c"])
_PEER = st.builds(Peer, _NAMES, _NAMES, _NAMES)
_TOLD = st.builds(
    Observation,
    at=st.just(0.0),
    identity=_NAMES,
    peers=st.none() | st.lists(_PEER, max_size=5),
    peer_count=st.none() | st.integers(-1, 5),
)


@given(
    st.lists(
        st.tuples(st.dictionaries(_NAMES, _TOLD, max_size=4), st.dictionaries(_NAMES, _NAMES, max_size=4)), max_size=4
    )
)
def test_whatever_is_told_each_node_is_in_one_part_and_edges_are_pairs(
    rounds: Sequence[tuple[dict[str, Observation], dict[str, str]]],
) -> None:
    peers = Peers()
    for observations, hosts in rounds:
        graph, strangers = peers.judge(observations, hosts)
        assert sorted(node for part in graph.parts for node in part) == sorted(observations)
        assert strangers.keys() == observations.keys()
        assert list(graph.edges) == sorted(set(graph.edges))
        assert all(one < other for one, other in graph.edges)
        assert (graph, strangers) == peers.judge(observations, hosts)
