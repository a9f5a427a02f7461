"""The command as its users run it: real processes, simulated nodes, databases that fail."""
