"""Fetch an object from the first of several copies that can be trusted."""
