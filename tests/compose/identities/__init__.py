"""Tests of node keys, accounts, secrets, the genesis, and what is handed to other services."""
