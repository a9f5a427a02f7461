"""The live page: what it serves, to whom, and what it keeps to itself."""
