"""Managed databases: what is ordered of them, what guards it, and how their content is verified."""
