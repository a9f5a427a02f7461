"""Tests of the load of transfers."""
