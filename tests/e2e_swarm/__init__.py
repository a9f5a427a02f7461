"""A nodeos network on a real Docker Swarm of one machine: `make e2e-swarm`."""
