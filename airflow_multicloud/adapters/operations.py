"""Operations as they are seen now, whatever a cloud's handles look like."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_multicloud.errors import ErrorKind
from airflow_multicloud.ports.operations import Operation, OperationState


def operation_of(
    action: str,
    resource: str,
    state: OperationState,
    handle: object,
    *,
    progress: float | None = None,
    error_kind: ErrorKind | None = None,
    error: str | None = None,
    code: str | None = None,
    poll_after: timedelta | None = None,
) -> Operation:
    """An operation, seen now; one that has succeeded is complete.

    :param handle: the cloud's own, whose text finds the operation again.
    :param poll_after: how long the cloud asks to wait; left out once the operation has ended.
    """
    return Operation(
        handle=str(handle),
        action=action,
        resource=resource,
        state=state,
        seen_at=datetime.now(UTC),
        progress=1.0 if state is OperationState.SUCCEEDED else progress,
        error_kind=error_kind,
        error=error,
        code=code,
        poll_after=None if state.is_final else poll_after,
    )
