"""``airflow multicloud …``: the operations for a person at a terminal, and for shell scripts."""
