"""AWS on loopback, one package per service."""

from __future__ import annotations

REGION = "us-east-1"
#: No word that Airflow would mask wherever else it stands in a log.
ACCESS_KEY, SECRET_KEY = "test", "test-secret-key"


def connection(**extra: object) -> dict[str, object]:
    """A connection of type ``aws`` with the local credentials."""
    return {
        "conn_type": "aws",
        "login": ACCESS_KEY,
        "password": SECRET_KEY,
        "extra": {"region_name": REGION, **extra},
    }
