"""The fault matrix: what health says of a simulated chain while its nodes misbehave. See cases/README.md."""
