"""The listeners of a configuration, from one configuration to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from collector.about import About
from collector.configuration import Address, Chain, Configuration
from collector.ethstats.chain import News, PushedChain
from collector.ethstats.limits import Limits
from collector.ethstats.listener import Listener
from collector.ethstats.observing import Pushing
from collector.ethstats.page import Page
from collector.ethstats.readings import PushedReadings
from collector.readings import Reading
from collector.targets import Target


class Listening:
    """Every chain that is pushed to, and the ports where that is done. Chains may share one.

    `told` is called, with the name of a chain, for each block that is news from a node of it.

    A listener whose address is unchanged stays open, and the nodes stay connected whose chain, path and secret do.
    """

    def __init__(
        self, about: About, limits: Limits | None = None, told: Callable[[str, News], None] | None = None
    ) -> None:
        self._about = about
        self._told = told
        self._limits = limits
        self._listeners: dict[Address, Listener] = {}
        self._chains: dict[str, PushedChain] = {}
        self._readings: dict[str, PushedReadings] = {}
        self._pages: dict[str, Page] = {}
        self._places: dict[str, tuple[Address, str]] = {}

    async def apply(self, configuration: Configuration) -> None:
        """Listen as this configuration says from now on.

        Raises OSError where one can't be opened; all listeners are then as they were.
        """
        chains = {chain.name: chain for chain in configuration.chains if chain.ethstats is not None}
        places = {name: _place(chain) for name, chain in chains.items()}
        wanted = dict.fromkeys(address for address, _ in places.values())
        new = {
            address: Listener(address, self._about, self._limits)
            for address in wanted
            if address not in self._listeners
        }
        # One leaves before its successor comes if both want one port, all else leaves after it.
        ports = {address.port for address in new} - {0}
        in_the_way = {at: old for at, old in self._listeners.items() if at not in wanted and at.port in ports}
        for listener in in_the_way.values():
            await listener.close()
        started: list[Listener] = []
        try:
            for listener in new.values():
                await listener.start()
                started.append(listener)
        except BaseException:
            for listener in started:
                await listener.close()
            for listener in in_the_way.values():
                await listener.start()
            raise
        leaving = [old for at, old in self._listeners.items() if at not in wanted and at not in in_the_way]
        self._listeners = {at: self._listeners.get(at) or new[at] for at in wanted}
        self._take_over(chains, places)
        for listener in leaving:
            await listener.close()

    def readings_of(self, chain: str) -> Callable[[Sequence[Target]], list[Reading]] | None:
        """Return what makes the readings of a chain, given its polled servers; None for one that is not pushed to."""
        found = self._readings.get(chain)
        return found.readings if found else None

    @property
    def pushing(self) -> dict[str, Pushing]:
        """The nodes that push, by the name of their chain."""
        return {name: Pushing(chain) for name, chain in self._chains.items()}

    def port(self, chain: str) -> int:
        """Return the port at which the nodes of a chain push."""
        return self._listeners[self._places[chain][0]].port

    async def close(self) -> None:
        """Listen no more."""
        for listener in self._listeners.values():
            await listener.close()
        self._listeners = {}
        self._take_over({}, {})

    def _take_over(self, chains: dict[str, Chain], places: dict[str, tuple[Address, str]]) -> None:
        for name in [name for name in self._chains if places.get(name) != self._places[name]]:
            self._chains[name].disconnect()
            if name not in chains:
                del self._chains[name], self._readings[name], self._pages[name]
        for name, settings in chains.items():
            if name in self._chains:
                self._chains[name].apply(settings)
            else:
                told = partial(self._told, name) if self._told else None
                self._chains[name] = PushedChain(settings, self._about, self._limits, told=told)
                self._readings[name] = PushedReadings(self._chains[name])
                self._pages[name] = Page(self._chains[name])
        self._places = places
        for address, listener in self._listeners.items():
            listener.pages = {path: self._pages[name] for name, (where, path) in places.items() if where == address}


def _place(chain: Chain) -> tuple[Address, str]:
    """Return where the nodes of a chain push: the address, and the path without the slash at its end."""
    assert chain.ethstats is not None
    return chain.ethstats.listen, chain.ethstats.path.rstrip("/")
