"""The clouds this package brings: one folder each, one module per service in it."""
