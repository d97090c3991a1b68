"""What the memory cloud's databases refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.testing.memory_cloud import NAME

if TYPE_CHECKING:
    from airflow_multicloud.ports.database import DatabaseState
    from airflow_multicloud.testing.memory_cloud.database.servers import Server
    from airflow_multicloud.testing.memory_cloud.database.space import Databases


def failure(message: str, kind: ErrorKind, code: str | None = None) -> DatabaseError:
    """An error of this cloud."""
    return DatabaseError(message, kind=kind, cloud=NAME, code=code)


def check_idle(kept: Databases, server: Server) -> None:
    """Refuse an instance with which something goes on.

    :raises DatabaseError: ``busy``.
    """
    if kept.is_busy(server):
        raise failure(f"database {server.name}: something else goes on with it", ErrorKind.BUSY)


def check_state(server: Server, wanted: DatabaseState) -> None:
    """Refuse an instance in another state.

    :raises DatabaseError: ``precondition_failed``.
    """
    if server.state is not wanted:
        raise unfit(server, f"it is {server.state}, expected {wanted}")


def unfit(server: Server, why: str) -> DatabaseError:
    """An instance is not as it must be."""
    return failure(f"database {server.name}: {why}", ErrorKind.PRECONDITION_FAILED)


def name_taken(what: str, name: str) -> DatabaseError:
    """Something that an order did not make has its name."""
    return failure(
        f"name: there is already another {what} {name!r}; expected a name that is free",
        ErrorKind.ALREADY_EXISTS,
    )
