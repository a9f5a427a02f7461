"""Accounts are to be had without what eth-account does to the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
before = sys.getrecursionlimit()
import {module}
assert sys.getrecursionlimit() == before, sys.getrecursionlimit()
import json
try:
    json.loads("[" * 100_000)
except RecursionError:
    print("survived")
"""


@pytest.mark.parametrize("module", ["compose.eth_accounts", "compose.identities", "compose.transfers.__main__"])
def test_deep_json_still_ends_no_process(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode) == ("survived\n", 0), done.stderr
