"""Azure Monitor's logs: ingestion by a data collection rule, and queries of a workspace."""
