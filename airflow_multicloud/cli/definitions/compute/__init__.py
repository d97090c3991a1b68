"""Commands about virtual machines."""
