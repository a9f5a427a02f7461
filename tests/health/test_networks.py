"""Which network is the chain, and who is on another one."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from collector.health.nodes import Networks
from collector.observations import Network

OURS = Network("0xaaaa", "1337", "7")
OTHER = Network("0xbbbb", "1337", "7")


def told(*networks: Network, makers: Sequence[int] = (), up: Sequence[int] | None = None) -> Networks:
    """Return what is known once each node, n0 and so on, has told its network."""
    judged = Networks()
    for number, network in enumerate(networks):
        judged.saw(f"n{number}", network, makes_blocks=number in makers)
    judged.judge([f"n{number}" for number in (range(len(networks)) if up is None else up)])
    return judged


def test_nodes_that_agree_are_one_network() -> None:
    networks = told(OURS, OURS, OURS)
    assert networks.own == OURS
    assert [networks.foreign(f"n{number}") for number in range(3)] == [False] * 3
    assert networks.differs("n0") == ""


def test_what_some_do_not_say_is_no_difference_and_is_put_together() -> None:
    networks = told(Network(genesis="0xaaaa"), Network(chain_id="1337"), Network(network_id="7"), Network())
    assert networks.own == OURS
    assert [networks.foreign(f"n{number}") for number in range(4)] == [False, False, False, None]


def test_a_node_of_another_genesis_chain_id_or_network_id_is_foreign_and_is_told_how() -> None:
    long = Network("0x" + 64 * "b", "1", "9")
    networks = told(OURS, OURS, OURS, OTHER, long)
    assert networks.foreign("n3") is networks.foreign("n4") is True
    assert networks.differs("n3") == "genesis 0xbbbb instead of 0xaaaa"
    assert networks.differs("n4") == (
        "genesis 0xbbbbbbbb… instead of 0xaaaa and chain id 1 instead of 1337 and network id 9 instead of 7"
    )


def test_who_says_less_does_not_make_a_network_of_its_own() -> None:
    networks = told(OURS, OURS, OTHER, Network(network_id="7"), Network(network_id="7"))
    assert networks.own == OURS
    assert networks.foreign("n2") is True


def test_of_two_that_disagree_it_is_the_one_known_before() -> None:
    for first, second in ((OURS, OTHER), (OTHER, OURS)):
        networks = told(first)
        networks.saw("n1", second)
        networks.judge(["n0", "n1"])
        assert (networks.own, networks.foreign("n0"), networks.foreign("n1")) == (first, False, True)


def test_of_two_that_come_at_once_it_is_that_of_the_makers() -> None:
    assert told(OURS, OTHER, makers=[0]).own == OURS
    assert told(OURS, OTHER, makers=[1]).own == OTHER
    assert told(OURS, OTHER).own == told(OTHER, OURS).own


def test_nodes_that_are_down_keep_their_vote_until_they_are_forgotten() -> None:
    networks = told(OURS, OURS, OURS, OTHER, OTHER)
    networks.judge(["n0", "n3", "n4"])
    assert networks.own == OURS
    networks.forget("n1")
    networks.forget("n2")
    networks.judge(["n0", "n3", "n4"])
    assert networks.own == OTHER


def test_where_nobody_is_up_of_the_chain_it_is_what_those_are_on_who_are() -> None:
    networks = told(OURS, OURS, OURS, OTHER)
    networks.judge([])
    assert networks.own == OURS
    networks.judge(["n3"])
    assert networks.own == OTHER
    networks.judge(["n0", "n1", "n2", "n3"])
    assert networks.own == OURS


def test_a_foreign_node_that_answers_first_is_foreign_once_the_others_have_answered() -> None:
    networks = told(OTHER)
    for number in (1, 2):
        networks.saw(f"n{number}", OURS)
        networks.judge(["n0", "n1", "n2"][: number + 1])
    assert networks.own == OURS
    assert networks.foreign("n0") is True


def test_a_chain_that_begins_anew_is_the_chain_once_most_are_on_it() -> None:
    networks = told(OURS, OURS, OURS, OURS)
    found = []
    for number in range(4):
        networks.saw(f"n{number}", OTHER)
        networks.judge(["n0", "n1", "n2", "n3"])
        found.append(networks.own)
    assert found == [OURS, OURS, OTHER, OTHER]


def test_a_gather_without_a_network_changes_nothing() -> None:
    networks = told(OURS, OURS, OTHER)
    networks.saw("n2", Network())
    networks.judge(["n0", "n1", "n2"])
    assert networks.foreign("n2") is True


def test_before_anybody_told_anything_nothing_is_known() -> None:
    networks = told(Network(), Network())
    assert networks.own == Network()
    assert networks.foreign("n0") is networks.foreign("nobody") is None
    assert networks.differs("nobody") == ""


@given(st.permutations(range(7)), st.lists(st.integers(0, 6), max_size=5), st.randoms(use_true_random=False))
def test_no_order_and_no_repetition_decides(order: Sequence[int], again: list[int], random: object) -> None:
    said = [OURS, OURS, OURS, OURS, OTHER, Network(genesis="0xcccc"), Network(network_id="7")]
    networks = Networks()
    up: set[str] = set()
    for number in [*order, *again]:
        networks.saw(f"n{number}", said[number])
        up.add(f"n{number}")
        networks.judge(up)
    assert networks.own == OURS
    assert [networks.foreign(f"n{number}") for number in range(7)] == [False, False, False, False, True, True, False]


_FEW = st.sampled_from(["", "a", "b", "c"])
_NETWORKS = st.builds(Network, _FEW, _FEW, _FEW)


@given(st.lists(st.tuples(st.sampled_from("xyzuv"), _NETWORKS, st.sets(st.sampled_from("xyzuv"))), max_size=20))
def test_whatever_is_told_the_chain_is_what_nodes_are_on(steps: list[tuple[str, Network, set[str]]]) -> None:
    networks = Networks()
    for node, network, up in steps:
        networks.saw(node, network)
        networks.judge(up)
        for each in "xyzuv":
            assert bool(networks.differs(each)) == (networks.foreign(each) is True)
    networks.judge("xyzuv")
    told_anything = any(network != Network() for _, network, _ in steps)
    assert (networks.own != Network()) == told_anything
    assert not told_anything or any(networks.foreign(each) is False for each in "xyzuv")


def test_a_thousand_nodes_of_a_thousand_networks_are_bearable() -> None:
    networks = told(*(Network(f"0x{number}") for number in range(1000)))
    assert sum(networks.foreign(f"n{number}") is False for number in range(1000)) == 1
