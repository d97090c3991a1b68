"""What Airflow loads as plugins, in all of its processes: cheap to import."""
