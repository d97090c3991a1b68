"""For tests of DAGs and of clouds: contract suites, the in-memory cloud, the local clouds."""
