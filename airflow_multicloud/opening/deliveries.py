"""Destinations of metrics and logs, opened from connection ids."""

from __future__ import annotations

from typing import TypeVar

from airflow_multicloud import registry
from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.errors import CloudError, ErrorKind
from airflow_multicloud.lists import texts

P = TypeVar("P")


def check_conn_ids(given: object, parameter: str, *, error: type[CloudError]) -> tuple[str, ...]:
    """Connection ids, at least one, each once.

    :param parameter: what they were given for, for errors.
    :param error: the class of what is raised.
    :raises CloudError: kind ``invalid_argument``.
    """
    found = texts(
        given,
        parameter,
        what="connection ids",
        error=error,
        if_empty="give at least one connection",
    )
    if twice := sorted({one for one in found if found.count(one) > 1}):
        raise error(
            f"{parameter}: {', '.join(twice)} given more than once, expected each connection once",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return found


def open_destination(port: type[P], conn_id: str) -> Destination[P]:
    """A connection's hook; one that can't be used says why, and costs nobody else."""
    cloud = ""
    try:
        cloud = registry.cloud_of(conn_id).name
        return Destination(conn_id=conn_id, cloud=cloud, hook=registry.resolve(port, conn_id))
    except CloudError as err:
        return Destination(conn_id=conn_id, cloud=cloud, error=err)
