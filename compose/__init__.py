"""The chains to watch: deployed on Docker by their options, simulated, and put under load."""
