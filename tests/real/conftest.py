"""What the tests against real nodes share: one network, since its start takes ten seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.real.geth import Network


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Run one Clique network for all tests; each leaves it as it found it: every node up and in step."""
    from tests.real.geth import clique  # noqa: PLC0415 - web3 takes over a second, and only these tests need it

    with clique(tmp_path_factory.mktemp("geth")) as running:
        yield running
