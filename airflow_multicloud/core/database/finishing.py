"""Looking at what a cloud is doing to databases, and waiting for it in this process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from airflow_multicloud.core import cancellation
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.operations import Operation, Operations
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


def still_going(service: Operations, operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Those that go on; of one that has failed or was cancelled the log says why."""
    looked = [service.describe_operation(operation) for operation in operations]
    for one in looked:
        if one.error is not None:
            _log.warning("%s of %s: %s", one.action, one.resource, printable(one.error))
    return tuple(one for one in looked if not one.state.is_final)


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
