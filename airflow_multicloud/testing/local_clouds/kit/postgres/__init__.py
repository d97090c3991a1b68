"""PostgreSQL servers that really run, behind the local managed databases."""
