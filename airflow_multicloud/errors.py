"""One error tree for every cloud: the class says the area, ``kind`` says the cause."""

from __future__ import annotations

import errno
from datetime import timedelta
from enum import StrEnum
from typing import Any, Self, TypeVar

from airflow_multicloud.text import printable

E = TypeVar("E", bound="CloudError")


class ErrorKind(StrEnum):
    """Why an operation failed, in words that mean the same on every cloud."""

    NOT_FOUND = "not_found"
    ALREADY_EXISTS = "already_exists"
    PRECONDITION_FAILED = "precondition_failed"
    PERMISSION_DENIED = "permission_denied"
    UNAUTHENTICATED = "unauthenticated"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    QUOTA = "quota"
    CAPACITY = "capacity"
    INTEGRITY = "integrity"
    SOURCE_CHANGED = "source_changed"
    BUSY = "busy"
    INVALID_ARGUMENT = "invalid_argument"
    UNSUPPORTED = "unsupported"

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anything being changed."""
        return self in _RETRYABLE

    @property
    def is_outage(self) -> bool:
        """Whether the place that was asked can't work for now, whatever it is asked."""
        return self in _OUTAGES


_OUTAGES = frozenset(
    {ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.THROTTLED, ErrorKind.BUSY}
)

# INTEGRITY and SOURCE_CHANGED are retryable because a new try reads the source afresh; BUSY because
# the conflicting operation on the same resource ends (a database that is being modified, say).
_RETRYABLE = frozenset(
    {
        ErrorKind.THROTTLED,
        ErrorKind.UNAVAILABLE,
        ErrorKind.TIMEOUT,
        ErrorKind.CAPACITY,
        ErrorKind.INTEGRITY,
        ErrorKind.SOURCE_CHANGED,
        ErrorKind.BUSY,
    }
)


_BY_ERRNO = {
    errno.ENOSPC: ErrorKind.QUOTA,
    errno.EDQUOT: ErrorKind.QUOTA,
    errno.EFBIG: ErrorKind.QUOTA,
    errno.EACCES: ErrorKind.PERMISSION_DENIED,
    errno.EPERM: ErrorKind.PERMISSION_DENIED,
    errno.EROFS: ErrorKind.PERMISSION_DENIED,
    errno.EIO: ErrorKind.UNAVAILABLE,
    errno.ESTALE: ErrorKind.UNAVAILABLE,
}


def kind_of_os_error(err: OSError) -> ErrorKind:
    """The kind of an error of the local file system; where no other fits, the path is at fault."""
    return _BY_ERRNO.get(err.errno or 0, ErrorKind.INVALID_ARGUMENT)


class CloudError(Exception):
    """Base of every error this package raises about a cloud.

    :param message: what failed, naming the parameter or resource; never a secret. Keys and what
        services answered stand in it, so it is kept as :func:`~airflow_multicloud.text.printable`
        gives it: one line that can't forge another.
    :param kind: the cause.
    :param cloud: the cloud it happened on (``aws``, ``gcp``, ``azure`` …), if any.
    :param code: the service's own error code, kept for the reader, if any; printable as well.
    :param retry_after: how long the service asks to wait before the next request, where it says.

    A subclass may take other arguments: pickling and :meth:`with_context` keep every attribute.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind,
        cloud: str | None = None,
        code: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(printable(message))
        self.kind = kind
        self.cloud = cloud
        self.code = None if code is None else printable(str(code))
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Whether trying again can help; follows from ``kind``."""
        return self.kind.retryable

    def with_context(self, prefix: str) -> Self:
        """The same error with ``prefix: `` before its message, to be raised ``from`` this one."""
        return _rebuild(type(self), f"{printable(prefix)}: {self}", dict(vars(self)))

    def on_cloud(self, cloud: str) -> Self:
        """The same error of this cloud, unless it names one; to be raised ``from`` this one."""
        return _rebuild(type(self), str(self), {**vars(self), "cloud": self.cloud or cloud})

    def __reduce__(self) -> tuple[object, ...]:
        """Keep every attribute through pickling (process pools, triggers)."""
        return (_rebuild, (type(self), str(self), dict(vars(self))))


def _rebuild(cls: type[E], message: str, state: dict[str, Any]) -> E:
    # Not cls(…): a subclass's __init__ may take other arguments.
    error = cls.__new__(cls)
    error.args = (message,)
    vars(error).update(state)
    return error


class ProviderNotAvailableError(CloudError):
    """A cloud or one of its services can't be used: not installed, or not offered."""


class ProviderNotInitializedError(CloudError):
    """A cloud was used before a connection for it was given."""


class CredentialsError(CloudError):
    """A connection is missing, contradicts its use, or its credentials are refused."""


class StorageError(CloudError):
    """Object storage failed."""


class RetentionError(StorageError):
    """A retention policy, an object lock or a hold keeps an object (``permission_denied``).

    It can be neither overwritten nor deleted before that ends.
    """


class DeploymentError(CloudError):
    """A rollout or a compute operation failed."""


class CostAnalysisError(CloudError):
    """Reading or comparing costs failed."""


class MetricsError(CloudError):
    """Exporting or reading metrics failed."""


class LogsError(CloudError):
    """Writing or querying logs failed."""


class SecretsError(CloudError):
    """Reading, writing or comparing secrets failed."""


class OverwrittenError(SecretsError):
    """A value was written, and somebody else wrote at the same time (``precondition_failed``).

    Only clouds that can't compare and write in one step have it.

    :param written: id of the version that was made.
    :param others: ids of the versions that somebody else made since the one that was to be
        replaced.
    :param is_current: whether what was made here is the current version.
    """

    def __init__(
        self,
        message: str,
        *,
        written: str,
        others: tuple[str, ...],
        is_current: bool = True,
        cloud: str | None = None,
    ) -> None:
        super().__init__(message, kind=ErrorKind.PRECONDITION_FAILED, cloud=cloud)
        self.written = written
        self.others = others
        self.is_current = is_current


class DatabaseError(CloudError):
    """A managed database could not be described, changed, restored or verified."""


class SpentTokenError(DeploymentError):
    """The instance that an order made has been terminated: order again with another token."""

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind = ErrorKind.ALREADY_EXISTS,
        cloud: str | None = None,
        code: str | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message, kind=kind, cloud=cloud, code=code, retry_after=retry_after)
