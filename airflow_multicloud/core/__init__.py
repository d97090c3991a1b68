"""The operations themselves, the same for every cloud; no Airflow and no SDK in here."""
