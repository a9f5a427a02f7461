"""The chains to watch: for now the simulated cluster."""
