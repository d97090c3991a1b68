"""Links that tasks have in Airflow's UI."""
