"""`python -m benchmarks`: all of them."""

from benchmarks import exposition, gathering

gathering.main()
exposition.main()
