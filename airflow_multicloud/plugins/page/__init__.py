"""The pages in Airflow's UI: what Airflow remembers of this package's work, and nothing else.

A page asks Airflow's database, and no cloud. Only the files that a task has written (evidence,
reports) are read from their object stores, when somebody opens them.
"""
