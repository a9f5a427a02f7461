"""The load: transfers at a steady rate, in turn from each account to the next and to each node.

A nonce is used up only when a node has its transaction. Where that is unknown, the same bytes are sent again, to the
next node: whoever has them already says so, and nothing is spent twice. Where the chain has not moved an account's
count for a while although transactions wait, one of them got lost, or the chain began anew: the account goes back to
what the chain has, and sends again from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from collector.remarks import Remarks
from compose.transfers.asking import Call, NoAnswer, Node, Refused
from compose.transfers.wallets import Wallet

GWEI = 10**9
VALUE = GWEI
"""Wei that a transfer carries: so little that no account runs dry by it."""

TIP = GWEI
"""Wei for each gas that the sealer gets: the least that geth asks for."""

CEILING = 100 * GWEI
"""Wei for each gas that a transfer would pay. Far above what a block asks for, it stays good while that rises; and the
same transfer signed again is the same bytes, which a node knows."""

_GAS = 21_000
_POLL = 5.0
_REPORT = 60.0
_REST = 10.0
"""Seconds: between looks at the chain, between lines of the log, for an account that a node has refused."""

_LOST_AFTER, _LOST_BLOCKS, _LOST_AT_LAST = 60.0, 2, 600.0
"""A transaction is taken for lost when it has waited for so many seconds and blocks; where no blocks come, later."""

_MOST_WAITING = 4000
"""Transactions that wait for a block, of all accounts together: a pool of geth holds 4096."""

_log = logging.getLogger("chainwatch.transfers")


@dataclass
class Chain:
    """What a transfer depends on: fees are in wei for each gas, `base` is None before London."""

    chain_id: int
    head: int
    base: int | None
    price: int


@dataclass
class Counts:
    """What was done since the last report."""

    sent: int = 0
    accepted: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"sent {self.sent}, accepted {self.accepted}, failed {self.failed}"


class Load:
    """Sends transfers between accounts, `rate` a second, for as long as `run` lasts. There is an account at least."""

    def __init__(self, nodes: Sequence[Node], wallets: Sequence[Wallet], rate: float) -> None:
        self._nodes = nodes
        self._turns = cycle(range(len(nodes)))
        self._wallets = wallets
        self._next_wallet = 0
        self._interval = 1 / rate
        self._window = max(1, min(_MOST_WAITING // len(wallets), 1024))
        self._chain: Chain | None = None
        self._remarks = Remarks(_log, "the chain")
        self._remarks_of = {wallet.address: Remarks(_log, wallet.address) for wallet in wallets}
        self._flying: set[asyncio.Task[None]] = set()
        self.total = Counts()
        self._reported = Counts()

    async def run(self) -> None:
        """Send until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._look())
                tasks.create_task(self._report())
                tasks.create_task(self._send_steadily())
        finally:
            for task in self._flying:
                task.cancel()
            await asyncio.gather(*self._flying, return_exceptions=True)

    async def _send_steadily(self) -> None:
        """Start a transfer at each turn. A turn that can't be used is gone: nothing is made up for later."""
        due = time.monotonic()
        while True:
            due = max(due + self._interval, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            wallet, node = self._idle_wallet(), self._node()
            if self._chain and wallet and node:
                wallet.busy = True
                task = asyncio.create_task(self._transfer(wallet, node, self._chain))
                self._flying.add(task)
                task.add_done_callback(self._flying.discard)

    async def _transfer(self, wallet: Wallet, node: Node, chain: Chain) -> None:
        try:
            if wallet.unsettled is None:
                wallet.unsettled = await asyncio.to_thread(self._signed, wallet, chain)
            self.total.sent += 1
            await node.ask("eth_sendRawTransaction", wallet.unsettled)
        except NoAnswer:
            self.total.failed += 1  # and is sent again as it is
        except Refused as error:
            await self._refused(wallet, node, str(error))
        else:
            self._taken(wallet)
        finally:
            wallet.busy = False

    def _signed(self, wallet: Wallet, chain: Chain) -> str:
        to = self._wallets[(self._wallets.index(wallet) + 1) % len(self._wallets)].address
        transaction: dict[str, Any] = {
            "chainId": chain.chain_id,
            "nonce": wallet.next,
            "to": to,
            "value": VALUE,
            "gas": _GAS,
        }
        if chain.base is None:
            transaction["gasPrice"] = chain.price
        else:
            transaction |= {"type": 2, "maxPriorityFeePerGas": TIP, "maxFeePerGas": max(2 * chain.base, CEILING) + TIP}
        return "0x" + bytes(wallet.account.sign_transaction(transaction).raw_transaction).hex()

    def _taken(self, wallet: Wallet) -> None:
        """Go on to the next nonce: a node has this one."""
        if wallet.next == wallet.mined:
            wallet.moved_at = time.monotonic()  # it waits from now on
            wallet.moved_head = self._chain.head if self._chain else 0
        wallet.next += 1
        wallet.unsettled = None
        if wallet.next > wallet.told:
            wallet.told = wallet.next
            self.total.accepted += 1
        self._remarks_of[wallet.address].recovered("its transfers are accepted again")

    async def _refused(self, wallet: Wallet, node: Node, said: str) -> None:
        """Make the best of a node's no; its words are those of geth 1.8 to 1.13, which has no codes for this."""
        if said.startswith(("already known", "known transaction", "replacement transaction underpriced")):
            self._taken(wallet)  # this nonce waits already
            return
        self.total.failed += 1
        wallet.unsettled = None
        if said.startswith("nonce too low"):
            with contextlib.suppress(NoAnswer, Refused, ValueError):
                count = _number(await node.ask("eth_getTransactionCount", wallet.address, "latest"))
                wallet.mined = max(wallet.mined, count)
                wallet.next = max(wallet.next + 1, wallet.mined)
                wallet.told = max(wallet.told, wallet.next)
                return
        wallet.resting_until = time.monotonic() + _REST
        self._remarks_of[wallet.address].failed("refused", f"its transfer is refused: {said}")

    def _idle_wallet(self) -> Wallet | None:
        """Return the next account that can send, if any can."""
        now = time.monotonic()
        for step in range(len(self._wallets)):
            place = (self._next_wallet + step) % len(self._wallets)
            wallet = self._wallets[place]
            waiting = wallet.next - wallet.mined
            if wallet.known and not wallet.busy and now >= wallet.resting_until and waiting < self._window:
                self._next_wallet = place + 1
                return wallet
        return None

    def _node(self) -> Node | None:
        """Return the next node that works, if any does."""
        return next((self._nodes[i] for i in islice(self._turns, len(self._nodes)) if not self._nodes[i].resting), None)

    async def _look(self) -> None:
        """Keep an eye on the chain: its fees, and how many transactions of each account it has."""
        while True:
            if node := self._node():
                with contextlib.suppress(NoAnswer):
                    try:
                        await self._look_at(node)
                    except Refused as error:
                        self._remarks.failed("refused", f"a node does not tell of it: {error}")
                    except (ValueError, TypeError, AttributeError):
                        self._remarks.failed("wrong", "a node tells of it what can't be")
                    else:
                        self._remarks.recovered("nodes tell of it again")
            await asyncio.sleep(_POLL if self._chain else 1.0)

    async def _look_at(self, node: Node) -> None:
        calls = [Call("eth_chainId"), Call("eth_gasPrice"), Call("eth_getBlockByNumber", ("latest", False))]
        calls += [Call("eth_getTransactionCount", (wallet.address, "latest")) for wallet in self._wallets]
        chain_id, price, block, *counts = await node.ask_all(calls)
        base = block.get("baseFeePerGas")
        self._chain = Chain(
            _number(chain_id),
            _number(block.get("number")),
            None if base is None else _number(base),
            max(_number(price), GWEI),
        )
        new = [wallet for wallet in self._wallets if not wallet.known]
        for wallet, count in zip(self._wallets, map(_number, counts), strict=True):
            self._counted(wallet, count, self._chain.head)
        # What a load before this one sent may still wait.
        asked = [Call("eth_getTransactionCount", (wallet.address, "pending")) for wallet in new]
        for wallet, count in zip(new, map(_number, await node.ask_all(asked) if asked else ()), strict=True):
            wallet.next = wallet.told = max(wallet.mined, count)
            wallet.known = True

    def _counted(self, wallet: Wallet, count: int, head: int) -> None:
        """Take what a node says of an account: it may be behind the others."""
        if wallet.busy:
            return
        now = time.monotonic()
        waited, blocks = now - wallet.moved_at, head - wallet.moved_head
        if count > wallet.mined or not wallet.known:
            wallet.mined, wallet.moved_at, wallet.moved_head = count, now, head
            if wallet.next < count:
                wallet.next, wallet.unsettled = count, None
            wallet.told = max(wallet.told, wallet.next)
        elif wallet.next == wallet.mined == count:
            wallet.moved_at, wallet.moved_head = now, head
        elif (waited > _LOST_AFTER and blocks >= _LOST_BLOCKS) or waited > _LOST_AT_LAST:
            if count < wallet.mined:
                wallet.told = count  # another chain
            wallet.mined = wallet.next = count
            wallet.moved_at, wallet.moved_head, wallet.unsettled = now, head, None

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_REPORT)
            self.report()

    def report(self) -> None:
        """Say what was done since the last time."""
        total, before = self.total, self._reported
        since = Counts(total.sent - before.sent, total.accepted - before.accepted, total.failed - before.failed)
        self._reported = Counts(total.sent, total.accepted, total.failed)
        _log.info("%s", since)


def _number(value: object) -> int:
    """Return a number of JSON-RPC. Raises ValueError."""
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 18:  # noqa: PLR2004 - 64 bits
        raise ValueError("is no number")
    return int(value, 16)
