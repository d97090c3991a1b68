"""Triggers: waiting that takes no worker slot."""
