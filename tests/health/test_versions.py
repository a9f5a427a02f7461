"""Which releases the nodes run, and which of them are older than wanted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health.nodes import older, versions
from collector.health.nodes.versions import MOST_VERSIONS, named


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("Geth/v1.10.26-stable/linux-amd64/go1.18.5", "Geth 1.10.26"),
        ("Geth/n2/v1.8.27-stable/linux-amd64/go1.19.8", "Geth 1.8.27"),
        ("Geth/v1.2/v1.13.15-stable-c5ba367e/linux-amd64/go1.21.6", "Geth 1.13.15"),
        ("Geth/v1.9.0-unstable-abc/linux-amd64/go1.12", "Geth 1.9.0-unstable"),
        ("besu/v23.1.2/linux-x86_64/openjdk-java-17", "besu 23.1.2"),
        ("v4.0.6", "4.0.6"),
        ("v5.0.0-rc1", "5.0.0-rc1"),
        ("v3.1.0-26d4e8a0c0", "3.1.0"),
        ("1.13.15", "1.13.15"),
        ("0.1.2 (node.js)", "0.1.2"),
        ("a build of my own", "a build of my own"),
    ],
)
def test_a_version_has_a_name_that_leaves_out_node_build_and_system(told: str, name: str) -> None:
    assert named(told) == name


def test_nodes_are_counted_by_release_the_most_common_first() -> None:
    told = ["v4.0.6", "", *(f"Geth/n{number}/v1.13.15-stable/linux-amd64/go1.21" for number in range(3)), "?"]
    assert list(versions(told).items()) == [("Geth 1.13.15", 3), ("4.0.6", 1), ("?", 1)]
    assert versions([]) == {}


def test_nodes_of_one_release_are_not_mixed_though_called_otherwise() -> None:
    assert len(versions(f"Geth/n{number}/v1.8.27-stable/linux-amd64/go1.19.8" for number in range(9))) == 1


def test_of_ever_new_versions_the_most_common_are_told_apart() -> None:
    counted = versions(["1.0", "1.0", *(f"v{number}.0" for number in range(100))])
    assert len(counted) == MOST_VERSIONS + 1
    assert (counted["1.0"], sum(counted.values())) == (3, 102)


@pytest.mark.parametrize(
    ("version", "than", "is_older"),
    [
        ("Geth/v1.10.26-stable/linux-amd64/go1.18.5", "1.13.15", True),
        ("Geth/v1.13.15-stable/linux-amd64/go1.21", "1.13.15", False),
        ("Geth/v1.13.15-stable/linux-amd64/go1.21", "v1.9", False),
        ("Geth/v1.8.27-stable/linux-amd64/go1.21", "1.8", False),
        ("v4.0.6", "4.1", True),
        ("v4.0.6", "v4.0.6.0", False),
        ("v5.0.0-rc1", "5.0.0", True),
        ("v5.0.0", "5.0.0-rc1", False),
        ("v5.0.0-rc1", "5.0.0-rc2", False),
        ("besu/v1.2.3/linux", "Geth/v1.13.15", False),
        ("Geth/v1.9.7-stable/linux-amd64/go1.18.5", "geth/v1.13.15", True),
        ("a build of my own", "1.0", False),
        ("1.0", "newest", False),
        ("", "1.0", False),
        ("1.0", "", False),
        ("v" + "9" * 5000 + ".1", "1.0", False),
        ("/" * 5000, "1.0", False),
    ],
)
def test_older(version: str, than: str, is_older: bool) -> None:
    assert older(version, than) is is_older


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_a_version(one: str, other: str) -> None:
    assert not older(one, one)
    assert not (older(one, other) and older(other, one))
    assert sum(versions([one, other]).values()) == bool(one) + bool(other)
