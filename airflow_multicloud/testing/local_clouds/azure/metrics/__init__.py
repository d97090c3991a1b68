"""Application Insights on loopback: what its ingestion takes, and how it answers."""
