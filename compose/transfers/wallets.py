"""The accounts that transfers go between: their keys, and where each is in the count of its transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from compose.eth_accounts import LocalAccount, opened


class Unreadable(Exception):  # noqa: N818 - named for what it says of the keys
    """An account that can't be used: one line for the operator, never a secret."""


@dataclass
class Wallet:
    """One account. Nonces count its transactions from 0."""

    account: LocalAccount = field(repr=False)
    next: int = 0
    """Nonce of the transaction that is sent next."""
    mined: int = 0
    """How many the chain has; those from here on wait."""
    told: int = 0
    """How many were counted as accepted: a nonce may be sent again."""
    known: bool = False
    """Whether the chain has been asked."""
    unsettled: str | None = None
    """The transaction with nonce `next`, signed, where it is not known if a node has it."""
    busy: bool = False
    resting_until: float = 0.0
    moved_at: float = 0.0
    """When `mined` last changed, or nothing waited."""
    moved_head: int = 0
    """The number of the head block then."""

    @property
    def address(self) -> str:
        """The account's address."""
        return str(self.account.address)


def keystores(keys: Path) -> list[tuple[Path, Path]]:
    """Return keystore files, each with the file of its passphrase: the first of every node below. Raises Unreadable."""
    try:
        return list(_keystores(keys))
    except OSError as error:
        raise Unreadable(f"{error.filename or keys}: cannot be read: {error.strerror}") from None


def open_wallet(keystore: Path, password: Path) -> Wallet:
    """Return the account in a keystore's file. Takes as long as its scrypt does. Raises Unreadable."""
    try:
        account = opened(keystore.read_text(), password.read_text().partition("\n")[0].rstrip("\r"))
    except OSError as error:
        raise Unreadable(f"{error.filename}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        account = None
    if account is None:
        raise Unreadable(f"{keystore}: is no keystore's file, or is not opened by the passphrase in {password}")
    return Wallet(account)


def _keystores(keys: Path) -> Iterator[tuple[Path, Path]]:
    for folder in sorted(keys.iterdir()):
        if (folder / "keystore").is_dir():
            files = sorted(it for it in (folder / "keystore").iterdir() if not it.name.startswith("."))
            if files:
                yield files[0], folder / "password"
