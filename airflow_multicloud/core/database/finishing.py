"""Waiting in this process for what a cloud is doing to a database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core import cancellation
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.operations import Operation, Operations


def finished(
    service: Operations,
    operation: Operation,
    *,
    poll_interval: timedelta,
    timeout: timedelta,
    cloud: str,
    pause: Callable[[float], object] = cancellation.pause,
) -> Operation:
    """The operation once it has succeeded.

    :param pause: waits so many seconds.
    :raises DatabaseError: what it has failed with; ``timeout``, and it goes on in the cloud.
    """
    until = datetime.now(UTC) + timeout
    while not operation.state.is_final:
        if datetime.now(UTC) >= until:
            raise DatabaseError(
                f"timeout: the {operation.action} of {operation.resource} was not done within "
                f"{timeout}; it goes on in the cloud, and the same order again waits for it",
                kind=ErrorKind.TIMEOUT,
                cloud=cloud,
            )
        wait = max(poll_interval, operation.poll_after or timedelta())
        left = max(until - datetime.now(UTC), timedelta())
        pause(min(wait, left).total_seconds())
        operation = service.describe_operation(operation)
    operation.raise_if_failed(DatabaseError, cloud)
    return operation
