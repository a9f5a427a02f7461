"""What a directory can be made for."""

from __future__ import annotations

COMPOSE = "compose"
"""Docker Compose, on one machine."""

SWARM = "swarm"
"""`docker stack deploy`, on a swarm of machines."""

TARGETS = (COMPOSE, SWARM)

NOT_FOR_SWARM = (
    "is of an Ethereum network, and only an EOSIO or Antelope network, a file with the section `eos`, can be spread "
    "over a swarm; leave --target out"
)
