"""Whether the unit tests notice a fault: ``make mutants`` makes faults and counts."""
