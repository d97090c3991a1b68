"""Operations: what a cloud goes on with after the request for it has been answered.

A launch, a restore, a promotion: each is an :class:`Operation`, whatever its cloud calls it. It
is a plain value that another process can take up, so that waiting needs no worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from airflow_multicloud.errors import CloudError, ErrorKind


class OperationState(StrEnum):
    """How far it is."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether it stays like this."""
        return self not in (OperationState.PENDING, OperationState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One look at something that a cloud is doing.

    :param handle: what finds it again, in this process or another; only its own cloud reads it. It
        holds no secret.
    :param action: what is done, in a word: ``launch``, ``terminate``, ``restore``.
    :param resource: id of what it is done to, as the cloud writes it.
    :param progress: from 0 to 1, where the cloud tells.
    :param error_kind: why it failed, when it has.
    :param error: what the cloud says of that, and its own code.
    :param seen_at: when the cloud was asked.
    :param poll_after: how long the cloud asks to wait before it is asked again.
    """

    handle: str
    action: str
    resource: str
    state: OperationState
    seen_at: datetime
    progress: float | None = None
    error_kind: ErrorKind | None = None
    error: str | None = None
    code: str | None = None
    poll_after: timedelta | None = None

    def __post_init__(self) -> None:
        if self.seen_at.tzinfo is None:
            raise ValueError("seen_at: a datetime without a timezone given, expected an aware one")
        if (self.error_kind is not None) != (self.state is OperationState.FAILED):
            raise ValueError(
                f"error_kind: {self.error_kind} given for an operation that is {self.state}; "
                "expected one exactly when it has failed"
            )

    def raise_if_failed(self, area: type[CloudError], cloud: str) -> None:
        """Raise what it failed with.

        :param area: the class of the error.
        :param cloud: on which it ran.
        :raises CloudError: of that class, when it has failed or was cancelled; ``unavailable`` for
            one that was cancelled.
        """
        if self.state is OperationState.SUCCEEDED or not self.state.is_final:
            return
        kind = self.error_kind or ErrorKind.UNAVAILABLE
        why = self.error or "it was cancelled"
        raise area(
            f"{self.action} of {self.resource}: {why}", kind=kind, cloud=cloud, code=self.code
        )


def longest_wait(operations: Iterable[Operation]) -> timedelta:
    """How long clouds ask to wait before these are looked at again: the longest; zero for none."""
    asked = (one.poll_after for one in operations)
    return max((wait for wait in asked if wait is not None), default=timedelta())


class Operations(Protocol):
    """What every service that does long work can say of it."""

    def describe_operation(self, operation: Operation) -> Operation:
        """The operation as it is now; a final one is given back as it is.

        :raises CloudError: when the cloud can't be asked. What the operation failed with is in the
            operation.
        """
        ...
