"""The chain id is reckoned as nodeos does it, and what is no genesis is refused."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compose.simulated.standin import genesis
from compose.simulated.standin.ending import FAILED, EndError

DEFAULT_OF_EOSIO = "cf057bbfb72640471fd910bcb67639c22df9f92470936cddc1ade0e2f2e7dc4f"
"""The chain id of every EOSIO chain that was begun without a genesis: known from its documentation."""


def test_the_default_chain_of_eosio_has_its_well_known_id() -> None:
    assert genesis.of({"initial_configuration": {"max_inline_action_size": 4096}}).chain_id == DEFAULT_OF_EOSIO


def test_each_part_makes_another_chain() -> None:
    ids = {
        genesis.of(document).chain_id
        for document in (
            {},
            {"initial_timestamp": "2026-01-01T00:00:00.000"},
            {"initial_timestamp": "2026-01-01T00:00:00.500"},
            {"initial_key": "EOS5Jxn51YwuZqDCNCgbzxYdWehDXkfwNKfcT4q3vRXpNNdrDXGAf"},
            {"initial_configuration": {"max_authority_depth": 7}},
        )
    }
    assert len(ids) == 5


@pytest.mark.parametrize("stamp", ["2026-01-01T00:00:00", "2026-01-01T00:00:00.000", "2026-01-01T00:00:00.000Z"])
def test_times_are_utc_however_they_are_written(stamp: str) -> None:
    assert genesis.of({"initial_timestamp": stamp}).began == 1_767_225_600


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"initial_timestamp": "soon"},
        {"initial_timestamp": 5},
        {"initial_key": 5},
        {"initial_key": "EOS0OIl"},
        {"initial_key": "EOS"},
        {"initial_key": "EOS" + "z" * 60},
        {"initial_configuration": []},
        {"initial_configuration": {"max_authority_depth": 65_536}},
        {"initial_configuration": {"max_authority_depth": "six"}},
    ],
)
def test_what_is_no_genesis_is_refused(document: Any) -> None:  # noqa: ANN401 - JSON can be anything
    with pytest.raises(EndError) as refused:
        genesis.of(document)
    assert refused.value.code == FAILED


@settings(max_examples=100)
@given(st.text(string.printable, max_size=80))
def test_any_text_is_a_key_or_is_refused(text: str) -> None:
    try:
        key = genesis.public_key(text)
    except EndError:
        return
    assert len(key) == 33
