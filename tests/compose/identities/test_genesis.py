"""The genesis: its extra data, the forks of each version, what differs from the options, and what is no genesis."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from compose.identities import Unusable
from compose.identities.ethereum.genesis import (
    build,
    differences,
    extra_data,
    forks,
    other_chain,
    read_genesis,
    signers_in,
    signers_of,
    text_of,
    too_few_signers,
)
from compose.options.ethereum.models import Options
from compose.options.values import GETH_VERSIONS
from tests.compose.identities.checking import options

ONE, TWO, THREE = (to_checksum_address(number.to_bytes(20, "big")) for number in (1, 2, 3))

addresses = st.binary(min_size=20, max_size=20).map(to_checksum_address)


def made(wanted: Options | None = None, *signers: str) -> dict[str, Any]:
    """Return a genesis as it is read from its file."""
    text = text_of(build(wanted or options(), signers or [ONE, TWO, THREE], [ONE]))
    return dict(read_genesis(text, "genesis.json"))


@given(st.lists(addresses, max_size=8))
def test_extra_data_names_each_signer_once_in_ascending_order(signers: list[str]) -> None:
    extra = extra_data(signers)
    assert signers_in(extra) == sorted(set(signers), key=str.lower)
    content = bytes.fromhex(extra[2:])
    assert content[:32] == bytes(32)
    assert content[-65:] == bytes(65)
    assert len(content) == 32 + 20 * len(set(signers)) + 65


@given(st.text() | st.binary().map(lambda content: "0x" + content.hex()) | st.integers() | st.none())
def test_extra_data_of_any_sort_is_read_or_refused(extra: object) -> None:
    found = signers_in(extra)
    assert found is None or (isinstance(extra, str) and len(extra) == 2 + 2 * (32 + 20 * len(found) + 65))


def test_a_version_begins_with_the_forks_that_it_knows() -> None:
    newest = {version: forks(version)[-1] for version in GETH_VERSIONS}
    assert newest == {
        "1.8.27": "petersburgBlock",
        "1.9.25": "istanbulBlock",
        "1.10.26": "londonBlock",
        "1.11.6": "londonBlock",
        "1.12.2": "londonBlock",
        "1.13.15": "londonBlock",
    }


def test_a_clique_chain_begins_as_the_options_say() -> None:
    wanted = options(
        geth={"network_id": 7, "clique_period": 3, "clique_epoch": 99, "gas_limit": 5_000_000, "prefund": {TWO: 5}}
    )
    genesis = made(wanted, ONE)
    assert genesis["config"]["chainId"] == 7
    assert genesis["config"]["clique"] == {"period": 3, "epoch": 99}
    assert genesis["difficulty"] == "0x1"
    assert int(genesis["gasLimit"], 16) == 5_000_000
    assert genesis["alloc"] == {ONE[2:].lower(): {"balance": hex(10**24)}, TWO[2:].lower(): {"balance": "0x5"}}
    assert signers_of(genesis) == [ONE]
    assert differences(genesis, wanted) == []


def test_a_mined_chain_has_no_signers() -> None:
    wanted = options(geth={"consensus_engine": "ethash", "version": "1.11.6"})
    genesis = made(wanted)
    assert "clique" not in genesis["config"]
    assert (genesis["extraData"], genesis["difficulty"]) == ("0x", "0x20000")
    assert signers_of(genesis) == []
    assert differences(genesis, wanted) == []
    assert too_few_signers(genesis, []) is None


def test_an_amount_in_the_options_holds_for_a_node_too() -> None:
    genesis = made(options(geth={"prefund": {ONE: 5}}))
    assert genesis["alloc"] == {ONE[2:].lower(): {"balance": "0x5"}}


@pytest.mark.parametrize(
    ("geth", "reason"),
    [
        ({"network_id": 19}, "geth.network_id: 18 -> 19"),
        ({"clique_period": 5}, "geth.clique_period: 15 -> 5"),
        ({"clique_epoch": 5}, "geth.clique_epoch: 30000 -> 5"),
        ({"gas_limit": 8_000_000}, "geth.gas_limit: 4700000 -> 8000000"),
        ({"consensus_engine": "ethash"}, "geth.consensus_engine: clique -> ethash"),
        ({"prefund": {TWO: 5}}, f"geth.prefund.{TWO}: 0 -> 5"),
        ({"prefund": {ONE: 5}}, f"geth.prefund.{ONE}: {10**24} -> 5"),
    ],
)
def test_what_differs_from_the_options_is_named(geth: dict[str, Any], reason: str) -> None:
    assert differences(made(), options(geth=geth)) == [reason]


def test_a_newer_version_goes_on_with_an_older_ones_chain_and_not_the_other_way_round() -> None:
    older, newer = options(geth={"version": "1.8.27"}), options(geth={"version": "1.13.15"})
    assert differences(made(older), newer) == []
    assert differences(made(newer), older) == [
        f"geth.version: 1.8.27 does not know {fork}Block, by which the chain began"
        for fork in ("berlin", "istanbul", "london")
    ]


@pytest.mark.parametrize(
    ("left", "wrong"),
    [([ONE, TWO, THREE], False), ([ONE, TWO], False), ([ONE], True), ([], True), ([ONE, "0x" + "77" * 20], True)],
)
def test_the_signers_that_are_left_have_to_be_more_than_half(left: list[str], wrong: bool) -> None:
    assert bool(too_few_signers(made(), left)) == wrong


def test_half_of_an_even_number_is_too_few() -> None:
    assert too_few_signers(made(None, ONE, TWO), [ONE]) == (
        "sealer.count: 1 of the 2 signers of the genesis would be left, 2 are needed"
    )


def test_numbers_may_be_written_as_geth_reads_them() -> None:
    genesis = made()
    genesis |= {"gasLimit": "4700000"}
    genesis["config"] |= {"chainId": "0x12"}
    assert differences(genesis, options()) == []
    assert other_chain(genesis, options()) is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no genesis"),
        ("{}", "config.chainId is missing"),
        ({"config": []}, "config.chainId is missing"),
        ({"config": {"chainId": "x"}}, "config.chainId is missing"),
        ({"config": {"chainId": True}}, "config.chainId is missing"),
        ({"gasLimit": None}, "gasLimit is missing"),
        ({"difficulty": "one"}, "difficulty is missing"),
        ({"alloc": []}, "alloc is missing"),
        ({"config": {"chainId": 18, "clique": 3}}, "config.clique is no object"),
        ({"extraData": "0x"}, "extraData is not what Clique needs"),
        ({"extraData": extra_data([ONE])[:-2]}, "extraData is not what Clique needs"),
        ({"extraData": None}, "extraData is not what Clique needs"),
    ],
)
def test_what_is_no_genesis_is_refused(change: str | dict[str, Any], named: str) -> None:
    text = change if isinstance(change, str) else json.dumps({**made(), **change})
    with pytest.raises(Unusable, match=named) as raised:
        read_genesis(text, "keys/genesis.json")
    assert str(raised.value).startswith("keys/genesis.json: ")
    assert "\n" not in str(raised.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["config", "chainId", "clique", "period", "gasLimit", "alloc", "extraData", "balance"])
                | st.text(max_size=3),
                inner,
                max_size=6,
            )
        ),
        max_leaves=12,
    )
)
def test_a_genesis_changed_by_hand_is_taken_or_refused(document: Any) -> None:  # noqa: ANN401 - JSON is anything
    merged = document
    if isinstance(document, dict):
        genesis = made()
        inner = document.get("config")
        config = {**genesis["config"], **inner} if isinstance(inner, dict) else genesis["config"]
        merged = {**genesis, **document, "config": config}
    try:
        taken = read_genesis(json.dumps(merged), "genesis.json")
    except Unusable:
        return
    differences(taken, options())
    other_chain(taken, options())
    too_few_signers(taken, [ONE])
