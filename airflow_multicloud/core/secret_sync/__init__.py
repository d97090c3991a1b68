"""Secrets of one store kept equal in others; the clouds are the only record of it."""
