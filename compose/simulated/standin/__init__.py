"""A stand-in for `nodeos` as a program: its command line, files, locks, exit codes, signals, log and HTTP API.

    python -m compose.simulated.standin --data-dir DIR --config-dir DIR ...

or the script `nodeos` beside this file, which starts faster since it leaves out the rest of `compose.simulated`: put
it on the PATH. It behaves as Leap 4.0.6 was recorded, over a chain of its own: blocks hold nothing but their place in
the chain, and nodes exchange them over real TCP in a protocol that only stand-ins speak. Faults that signals and the
network cannot play are asked for in the environment and by files in the data directory: see `faults`.

It needs the standard library alone, Python 3.10 or newer, this directory and the `recorded` one beside it.
"""
