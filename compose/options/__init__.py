"""The options of a cluster: one file in, checked as a whole, for everything that compose/ makes."""
