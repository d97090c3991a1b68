"""Definitions of commands about secrets."""
