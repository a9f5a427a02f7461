"""ethstats: geth nodes, and others that speak the same protocol, push what they know over a WebSocket.

    listening = Listening(about)
    await listening.apply(configuration)                 # raises OSError where a port can't be opened
    readings_of = listening.readings_of("lab")           # None for a chain without `ethstats`
    readings = readings_of(targets)                      # at every tick of the chain
    await listening.close()

A connection passes a `Door` (bounds, TLS turned away), then aiohttp; a `Listener` finds its chain by the path; a
`Session` speaks with the node and hands what it says to the `PushedChain`; `PushedReadings` and the page read that.
"""

from collector.ethstats.listening import Listening

__all__ = ["Listening"]
