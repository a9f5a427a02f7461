"""Tests of the stand-in for nodeos."""
