"""What each command of ``airflow multicloud`` can be told."""
