"""What the service says of what it refuses: codes of its description.

"Databases" and "Failover Groups" in github.com/Azure/azure-rest-api-specs, specification/sql.
"""

from __future__ import annotations

from http import HTTPStatus

from airflow_multicloud.testing.local_clouds.azure.arm.http import Refusal


def busy(name: str) -> Refusal:
    """Something else goes on with a database."""
    return Refusal(
        HTTPStatus.CONFLICT,
        "ConflictingDatabaseOperation",
        f"There is already some operation on the database '{name}'.",
    )


def not_secondary(name: str) -> Refusal:
    """A failover to what is no secondary, or not one that is synchronized."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "GeoReplicationDatabaseNotSecondary",
        f"The operation expects the database '{name}' to be a replication target.",
    )


def unsupported_pause(name: str) -> Refusal:
    """A pause of what is no data warehouse."""
    return Refusal(
        HTTPStatus.BAD_REQUEST,
        "InvalidOperationForDatabase",
        f"The operation is for data warehouses only, and '{name}' is none.",
    )


def invalid(code: str, why: str) -> Refusal:
    """A request that can't be carried out as it is."""
    return Refusal(HTTPStatus.BAD_REQUEST, code, why)
