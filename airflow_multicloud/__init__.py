"""AWS, Google Cloud and Azure as one, for Apache Airflow."""

__version__ = "0.1.0"
