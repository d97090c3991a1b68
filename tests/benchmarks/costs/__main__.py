"""``python -m tests.benchmarks.costs``."""

from tests.benchmarks.costs.run import main

main()
