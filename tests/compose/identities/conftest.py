"""Keystores that cost nothing: what they guard are tests."""

from __future__ import annotations

import pytest

from compose.identities.ethereum import accounts


@pytest.fixture(autouse=True)
def _cheap_keystores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "SCRYPT_ROUNDS", 2)
