"""Who is on which network: told by genesis and ids, not by the name in the configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from collector.observations import Network

MOST_CANDIDATES = 16
"""Networks of which one may be the chain's, those told most often: nobody watches so many under one name by mistake."""

_LONGEST = 14
_SHOWN = 10

_FIELDS = (("genesis", "genesis"), ("chain_id", "chain id"), ("network_id", "network id"))
"""Fields of `Network`, the one first that tells most, and what they are called."""


class Networks:
    """What each node of one chain says that it is on, and which of it is the chain.

    The chain is the network that more nodes are on than on any other. A node that went down keeps its vote until it is
    forgotten, and the network that was the chain before remains it while anybody up is on it, unless more than half of
    all nodes are on another: so outages do not turn the chain into its opposite, and no order of arrival decides for
    good. Of a tie, what was the chain before wins, then the network with more nodes that make blocks.
    """

    def __init__(self) -> None:
        self._told: dict[str, Network] = {}
        self._makers: set[str] = set()
        self._judged: frozenset[str] | None = None  # who was up, if nothing was told since
        self.own = Network()
        """The chain's network, as far as its nodes tell; empty where nobody told anything yet."""

    def saw(self, node: str, network: Network, *, makes_blocks: bool = False) -> None:
        """Take what a node told. One that told nothing this time is where it said it was before."""
        if network == Network():
            return
        if self._told.get(node) != network or (node in self._makers) != makes_blocks:
            self._told[node] = network
            (self._makers.add if makes_blocks else self._makers.discard)(node)
            self._judged = None

    def forget(self, node: str) -> None:
        """Forget a node, and its vote."""
        if self._told.pop(node, None) is not None:
            self._makers.discard(node)
            self._judged = None

    def judge(self, up: Collection[str]) -> None:
        """Decide which network is the chain, now that these nodes are up."""
        alive = frozenset(up)
        if alive == self._judged:
            return
        self._judged = alive
        voters = self._told
        going_on = self.own != Network() and any(self.foreign(node) is False for node in alive)
        if not going_on:
            voters = {node: network for node, network in self._told.items() if node in alive}
        if not voters:
            return
        best = self._best(voters)
        if going_on and best.contradicts(self.own) and 2 * _support(best, voters.values()) <= len(voters):
            best = self.own
        self.own = self._filled(best, voters)

    def foreign(self, node: str) -> bool | None:
        """Tell whether a node is on another network than the chain; None where it told nothing."""
        told = self._told.get(node)
        return None if told is None or self.own == Network() else told.contradicts(self.own)

    def differs(self, node: str) -> str:
        """Return in words what a node of another network says otherwise; "" of any other node."""
        told = self._told.get(node, Network())
        parts = []
        for field, name in _FIELDS:
            theirs, ours = getattr(told, field), getattr(self.own, field)
            if theirs and ours and theirs != ours:
                parts.append(f"{name} {_short(theirs)} instead of {_short(ours)}")
        return " and ".join(parts)

    def _best(self, voters: Mapping[str, Network]) -> Network:
        """Return the network that most voters are on, or may be on for all that they say."""
        makers = [network for node, network in voters.items() if node in self._makers]

        def rank(candidate: Network) -> tuple[int, bool, int, str, str, str]:
            before = self.own != Network() and not candidate.contradicts(self.own)
            return _support(candidate, voters.values()), before, _support(candidate, makers), *_spelled(candidate)

        told = sorted(Counter(voters.values()).items(), key=lambda item: (-item[1], _spelled(item[0])))
        candidates = [network for network, _ in told[:MOST_CANDIDATES]]
        # What says less than another of them is no network of its own: it would have the votes of all who say more.
        return max((each for each in candidates if not any(_says_less(each, other) for other in candidates)), key=rank)

    def _filled(self, network: Network, voters: Mapping[str, Network]) -> Network:
        """Return the network with what it doesn't say as most of those have it who agree, else as it was before."""
        for field, _ in _FIELDS:
            if getattr(network, field):
                continue
            said = Counter(
                value
                for other in voters.values()
                if (value := getattr(other, field)) and not network.contradicts(other)
            )
            if said:
                known = getattr(self.own, field)
                most = max(said.items(), key=lambda item: (item[1], item[0] == known, item[0]))
                network = replace(network, **{field: most[0]})
            elif not network.contradicts(self.own):
                network = replace(network, **{field: getattr(self.own, field)})
        return network


def _support(candidate: Network, told: Iterable[Network]) -> int:
    return sum(not candidate.contradicts(network) for network in told)


def _says_less(network: Network, other: Network) -> bool:
    return network != other and all(
        mine in ("", theirs) for mine, theirs in zip(_spelled(network), _spelled(other), strict=True)
    )


def _spelled(network: Network) -> tuple[str, str, str]:
    return network.genesis, network.chain_id, network.network_id


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_SHOWN]}…"
