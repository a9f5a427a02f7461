"""A chain that a load of transfers can be sent to: one geth, as far as the load asks it anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account._utils.legacy_transactions import Transaction
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from tests.answering import Answer
from tests.answering import json as answer_json

CHAIN_ID = 18


class FakeChain:
    """Takes signed transfers in the order of their nonces, as a pool does, and mines them when told to."""

    def __init__(self, *, base_fee: int | None = 7) -> None:
        self.base_fee = base_fee
        self.number = 1
        self.mined: dict[str, int] = {}
        self.pool: dict[str, dict[int, dict[str, Any]]] = {}
        self.taken: list[dict[str, Any]] = []
        self.fault: Callable[[str], Answer | str | None] = lambda _: None
        """Given a method, returns another answer than the right one, or the text of an error."""

    def __call__(self, body: bytes) -> Answer:
        """Answer a request, as `tests.answering` has it."""
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        answers = []
        for call in calls:
            fault = self.fault(call["method"])
            if isinstance(fault, Answer):
                return fault
            answers.append({"jsonrpc": "2.0", "id": call["id"], **self._answer(call, fault)})
        return answer_json(answers if isinstance(asked, list) else answers[0])

    def mine(self) -> None:
        """Put what is next of every account into a block."""
        self.number += 1
        for sender, waiting in self.pool.items():
            while (nonce := self.mined.get(sender, 0)) in waiting:
                del waiting[nonce]
                self.mined[sender] = nonce + 1

    def lose(self) -> None:
        """Forget all that waits, as a node does that is started again."""
        self.pool.clear()

    def _answer(self, call: dict[str, Any], fault: str | None) -> dict[str, Any]:
        if fault:
            return {"error": {"code": -32000, "message": fault}}
        if call["method"] == "eth_sendRawTransaction":
            return self._take(call["params"][0])
        if call["method"] == "eth_getTransactionCount":
            return {"result": hex(self._count(*call["params"]))}
        fee = {} if self.base_fee is None else {"baseFeePerGas": hex(self.base_fee)}
        results = {
            "eth_chainId": hex(CHAIN_ID),
            "eth_gasPrice": hex(10**9),
            "eth_getBlockByNumber": {"number": hex(self.number), **fee},
        }
        if call["method"] in results:
            return {"result": results[call["method"]]}
        return {"error": {"code": -32601, "message": f"the method {call['method']} does not exist"}}

    def _count(self, sender: str, which: str) -> int:
        count = self.mined.get(sender, 0)
        while which == "pending" and count in self.pool.get(sender, {}):
            count += 1
        return count

    def _take(self, raw: str) -> dict[str, Any]:
        sender = Account.recover_transaction(raw)
        transaction = _decoded(raw)
        waiting = self.pool.setdefault(sender, {})
        nonce = transaction["nonce"]
        if nonce < self.mined.get(sender, 0):
            return {"error": {"code": -32000, "message": f"nonce too low: next nonce {self.mined[sender]}"}}
        if nonce in waiting:
            same = waiting[nonce]["raw"] == raw
            words = "already known" if same else "replacement transaction underpriced"
            return {"error": {"code": -32000, "message": words}}
        waiting[nonce] = transaction
        self.taken.append({"from": sender, **transaction})
        return {"result": "0x" + "11" * 32}


def _decoded(raw: str) -> dict[str, Any]:
    content = HexBytes(raw)
    if content[0] < 0x80:
        decoded = TypedTransaction.from_bytes(content).as_dict()
    else:
        legacy = Transaction.from_bytes(content)
        decoded = {**legacy.as_dict(), "chainId": (legacy.v - 35) // 2, "type": 0}
    return {**decoded, "raw": raw}
