"""Azure Monitor's logs on loopback: ingestion by a data collection rule, queries of a workspace."""
