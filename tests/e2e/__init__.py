"""The rendered cluster, brought up by a Docker engine of its own. Run by `make e2e`; see engine.py and images.py."""
