"""eth-account, less what it does to the process: one of its libraries lets Python recurse a hundred times deeper.

With that limit JSON that is nested deeply enough ends the process, where Python would raise RecursionError.
"""

from __future__ import annotations

import json
import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402 - see above
from eth_account.signers.local import LocalAccount  # noqa: E402
from eth_keyfile.exceptions import EthKeyfileException  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = ["Account", "LocalAccount", "opened"]


def opened(keystore: str, passphrase: str) -> LocalAccount | None:
    """Return the account in the text of a keystore's file, None where that or the passphrase is wrong.

    Takes as long as the keystore's scrypt does.
    """
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(json.loads(keystore), passphrase))
    except (EthKeyfileException, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None
    return account
