"""Rollouts: one artifact on virtual machines in several clouds, and back again."""
