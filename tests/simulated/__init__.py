"""The simulated cluster: held against recorded answers of real nodes, and broken on purpose."""
