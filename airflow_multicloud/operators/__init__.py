"""Operators: thin shells over :mod:`airflow_multicloud.core`; importing them loads no SDK."""
