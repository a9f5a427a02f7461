"""Keys of EOSIO and Antelope networks, held against keys that everybody knows."""

from __future__ import annotations

import pytest
from eth_keys.constants import SECPK1_N
from hypothesis import given
from hypothesis import strategies as st

from compose import eos_keys
from compose.eos_keys import is_private_key, new_private_key, public_key_of

PRIVATE = "5KQwrPbwdL6PhXujxW37FSSQZ1JiwsST4cqQzDeyXtP79zkvFD3"
PUBLIC = "EOS6MRyAjQq8ud7hVNYcfnVPJqcVpscN5So8BhtHuGYqET5GDW5CV"
"""The development key of nodeos, which stands in its own documents."""

NUMBERS = st.integers(1, SECPK1_N - 1).map(lambda number: number.to_bytes(32, "big"))


def test_the_key_that_everybody_knows() -> None:
    assert is_private_key(PRIVATE)
    assert public_key_of(PRIVATE) == PUBLIC


def test_the_generator_of_the_curve() -> None:
    """The key 1 in base 58 stands in Bitcoin's documents, the point that belongs to it in SEC 2, section 2.4.1."""
    private = "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf"
    value = 0
    for character in public_key_of(private).removeprefix("EOS"):
        value = value * 58 + eos_keys._VALUE[character]
    assert f"{value >> 32:066x}" == "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


@given(NUMBERS)
def test_numbers_come_back(number: bytes) -> None:
    written = eos_keys._written(number)
    assert written.startswith("5")
    assert is_private_key(written)
    assert eos_keys._number(written) == number


def test_new_keys_are_keys_and_differ() -> None:
    made = {new_private_key() for _ in range(20)}
    assert len(made) == 20
    assert all(map(is_private_key, made))
    assert all(public_key_of(key).startswith("EOS") for key in made)


@given(st.integers(0, 50), st.sampled_from(eos_keys._ALPHABET))
def test_one_wrong_character_is_noticed(place: int, character: str) -> None:
    spoilt = PRIVATE[:place] + character + PRIVATE[place + 1 :]
    assert is_private_key(spoilt) == (spoilt == PRIVATE)


@given(st.text(max_size=60) | st.text(eos_keys._ALPHABET, min_size=51, max_size=51))
def test_any_text_is_none(text: str) -> None:
    assert not is_private_key(text)
    with pytest.raises(ValueError, match=r"^is no private key$"):
        public_key_of(text)


@pytest.mark.parametrize("number", [0, SECPK1_N, 2**256 - 1])
def test_numbers_beyond_the_curve_are_none(number: int) -> None:
    assert not is_private_key(eos_keys._written(number.to_bytes(32, "big")))


@pytest.mark.parametrize(
    "other",
    [
        "L5oLkpV3aqBjhki6LmvChTCV6odsp4SXM6FfU2Gppt5kFLaHLuZ9",  # compressed, as Bitcoin's wallets write them
        "PVT_K1_2bfGi9rYsXQSXXTvJbDAPhHLQUojjaNLomdm3cEJ1XTzMqUt3V",
        PRIVATE.lower(),
        f" {PRIVATE}",
        f"{PRIVATE}\n",
        PUBLIC,
    ],
)
def test_other_forms_are_none(other: str) -> None:
    assert not is_private_key(other)
