"""`python -m compose.simulated.standin`, as `nodeos` would be called."""

from __future__ import annotations

import os
import sys

from .running import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a name that is still being looked up, in a thread of its own, would hold up the end
