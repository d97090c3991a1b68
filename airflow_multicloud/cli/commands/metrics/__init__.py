"""Commands about metrics."""
