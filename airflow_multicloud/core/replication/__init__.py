"""Replicate objects from one store to several at once, and prove the copies identical."""
