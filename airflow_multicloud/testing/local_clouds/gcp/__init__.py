"""Google Cloud on loopback, one package per service."""

from __future__ import annotations

PROJECT = "local"


def connection(**extra: object) -> dict[str, object]:
    """A connection of type ``google_cloud_platform`` without credentials."""
    return {
        "conn_type": "google_cloud_platform",
        "extra": {"is_anonymous": True, "project": PROJECT, **extra},
    }
