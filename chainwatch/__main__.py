"""`python -m chainwatch` is the command `chainwatch`."""

import sys

from chainwatch.command import main

if __name__ == "__main__":
    sys.exit(main())
