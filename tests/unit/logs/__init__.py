"""Logs: shipping and querying."""
