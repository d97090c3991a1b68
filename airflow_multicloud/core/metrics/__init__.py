"""Metrics: what is given made points, and points exported, each accounted for everywhere."""
