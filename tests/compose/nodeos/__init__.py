"""The entrypoint of the nodeos image, with the stand-in for nodeos: one test for each life that a node may have."""
