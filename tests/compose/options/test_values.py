"""Single values: whatever is written is taken or refused, and never told; what is taken means what it says."""

from __future__ import annotations

import string
from collections.abc import Callable

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from collector.configuration.document import Scalar
from compose.options import values

ONE_BY_ONE: list[Callable[[object], object]] = [
    values.count,
    values.none_or_one,
    values.cpus,
    values.rate,
    values.megabytes,
    values.labels,
    values.geth_version,
    values.project_name,
    values.ethstats_secret,
    values.private_keys,
    values.modules,
    values.arguments,
    values.wei,
    values.eth_address,
    values.host_port,
    values.ip_address,
    values.advertised_address,
    values.block_period,
    values.days,
    values.verbosity,
    values.log_level,
    values.choice("full", "fast"),
    values.image_name,
    values.image_prefix,
]

ODD = st.text() | st.text("0123456789abcdefx,.:/-_ '\"") | st.text("ab", min_size=100, max_size=200)


def scalar(text: str) -> Scalar:
    """Return a text as it stands in a file, without quotes."""
    written = Scalar(text)
    written.quoted = False
    return written


@pytest.mark.parametrize("read", ONE_BY_ONE, ids=lambda read: read.__name__)
@given(text=ODD)
def test_whatever_is_written_is_taken_or_refused_without_being_told(
    read: Callable[[object], object], text: str
) -> None:
    for value in (scalar(text), [scalar(text)], {text: scalar(text)}, None):
        try:
            read(value)
        except ValueError as error:
            said = str(error)
            assert all(said.partition("; ")[::2])
            assert len(text) < 12 or text not in said


@given(st.integers(0, 10**12))
def test_numbers_are_what_they_say_or_refused(number: int) -> None:
    for read, least, most in (
        (values.count, 0, values.MOST_NODES),
        (values.none_or_one, 0, 1),
        (values.megabytes, 16, values.MOST_MEGABYTES),
        (values.host_port, 0, 65_535),
        (values.block_period, 0, 86_400),
        (values.days, 1, 36_500),
    ):
        try:
            assert read(scalar(str(number))) == number
        except ValueError:
            assert not least <= number <= most
        else:
            assert least <= number <= most


@given(st.floats())
def test_processors_and_rates_are_finite(number: float) -> None:
    for read, most in ((values.cpus, 1024), (values.rate, 1000)):
        try:
            assert 0 <= read(number) <= most
        except ValueError:
            assert not 0.01 <= number <= most


@given(
    st.dictionaries(
        st.text(string.ascii_letters + "._-", min_size=1).filter(str.strip), st.text("ab:/ ").map(str.strip)
    )
)
def test_labels_as_text_and_as_mapping_are_alike(labels: dict[str, str]) -> None:
    written = ",".join(f"{name}:{label}" for name, label in labels.items())
    assert values.labels(scalar(written)) == values.labels(labels) == labels


@given(st.integers(1, values._CURVE_ORDER - 1))
def test_private_keys_are_those_that_have_an_account(number: int) -> None:
    key = f"{number:064x}"
    for written in (key, f"0x{key}", key.upper(), f" {key} ,0x{key},"):
        assert {found.get_secret_value() for found in values.private_keys(scalar(written))} == {key}
    assert Account.from_key(key).address
    assert key not in repr(values.private_keys(scalar(key)))


@pytest.mark.parametrize("number", [0, values._CURVE_ORDER, 2**256 - 1])
def test_numbers_beyond_the_curve_are_no_keys(number: int) -> None:
    with pytest.raises(ValueError, match="is no private key"):
        values.private_keys(scalar(f"{number:064x}"))
    with pytest.raises(Exception, match="private key"):
        Account.from_key(f"{number:064x}")


@given(st.binary(min_size=20, max_size=20))
def test_addresses_have_the_capitals_of_their_checksum(content: bytes) -> None:
    plain = content.hex()
    found = values.eth_address(f"0x{plain}")
    assert found.lower() == f"0x{plain}"
    assert values.eth_address(found) == values.eth_address(f"0x{plain.upper()}") == found
    turned = "0x" + found[2:].swapcase()
    if turned[2:] not in (plain, plain.upper()):
        with pytest.raises(ValueError, match="checksum"):
            values.eth_address(turned)


@given(st.integers(0, 2**256 - 1))
def test_amounts_in_wei(amount: int) -> None:
    assert values.wei(scalar(str(amount))) == values.wei(scalar(hex(amount))) == values.wei(amount) == amount


@pytest.mark.parametrize("written", ["", "-1", "1e18", "1.0", "0x", str(2**256), "1 ether", "\u0661"])
def test_no_amounts(written: str) -> None:
    with pytest.raises(ValueError, match="is no amount in wei"):
        values.wei(scalar(written))


def test_arguments_are_split_as_a_shell_would_and_nothing_in_them_is_expanded() -> None:
    written = "--identity 'my node' --a=\"$HOME\" `id` \\; *"
    assert values.arguments(scalar(written)) == ("--identity", "my node", "--a=$HOME", "`id`", ";", "*")


@given(st.lists(st.text("abc-=' $", min_size=1).filter(str.strip)))
def test_arguments_as_a_list_are_as_they_are(arguments: list[str]) -> None:
    assert values.arguments(arguments) == tuple(arguments)


@pytest.mark.parametrize(
    ("read", "written", "found"),
    [
        (values.geth_version, "v1.9.25", "1.9.25"),
        (values.modules, "eth, net,,eth", ("eth", "net")),
        (values.modules, "", ()),
        (values.verbosity, "9", 5),
        (values.log_level, "info", "INFO"),
        (values.ip_address, "::1", "::1"),
        (values.ip_address, "", ""),
        (values.image_prefix, "mirror:5000/", "mirror:5000/"),
        (values.image_prefix, "", ""),
        (values.image_name, "a/b@sha256:" + "0" * 64, "a/b@sha256:" + "0" * 64),
        (values.image_name, "geth:v1.13.15-RC_1", "geth:v1.13.15-RC_1"),
        (
            values.image_name,
            "mirror.example:5000/a/b-c_d.e:1@sha256:" + "0" * 64,
            "mirror.example:5000/a/b-c_d.e:1@sha256:" + "0" * 64,
        ),
        (values.replaced, "anything", None),
    ],
)
def test_what_is_written_in_more_than_one_way(read: Callable[[object], object], written: str, found: object) -> None:
    assert read(scalar(written)) == found


@pytest.mark.parametrize(
    "written", ["a:b:c", "a//b:1", "a:-b", "a/:1", "A:1", "-a:1", "a@sha256:0", "a:1/b", "host:99999999/a:1"]
)
def test_names_that_docker_takes_for_none_of_an_image(written: str) -> None:
    with pytest.raises(ValueError, match=r"is no name of an image|has no version"):
        values.image_name(scalar(written))


def test_secrets_do_not_show() -> None:
    assert "hunter2" not in repr(values.ethstats_secret(scalar("hunter2")))
    assert values.ethstats_secret(SecretStr("hunter2")).get_secret_value() == "hunter2"
