"""`python -m benchmarks`: all of them."""

from benchmarks import exposition, gathering, health, notifying

gathering.main()
exposition.main()
health.main()
notifying.main()
