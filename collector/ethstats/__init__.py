"""ethstats: geth nodes, and others that speak the same protocol, push what they know over a WebSocket.

    listening = Listening(about)
    await listening.apply(configuration)                 # raises OSError where a port can't be opened
    readings_of = listening.readings_of("lab")           # None for a chain without `ethstats`
    readings = readings_of(targets)                      # at every tick of the chain
    await listening.close()

A connection passes a `Door` (bounds, TLS turned away), then aiohttp; a `Listener` finds its chain by the path; a
`Session` speaks with the node and hands what it says to the `PushedChain`; `PushedReadings`, `Pushing` (for health) and
the page read that.
"""

from collector.ethstats.chain import News
from collector.ethstats.listening import Listening
from collector.ethstats.observing import block_of

__all__ = ["Listening", "News", "block_of"]
