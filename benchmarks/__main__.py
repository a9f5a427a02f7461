"""`python -m benchmarks`: all of them."""

from benchmarks import exposition, gathering, health

gathering.main()
exposition.main()
health.main()
