"""Tests of what is made of a cluster's options: compose.yaml and the configurations of its services."""
