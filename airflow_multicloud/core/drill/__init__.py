"""Disaster-recovery drills: lose the primary on purpose, and prove what is left."""
