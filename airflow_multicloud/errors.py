"""One error tree for every cloud: the class says the area, ``kind`` says the cause."""

from __future__ import annotations

import errno
from enum import StrEnum

from airflow_multicloud.text import printable


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
    INVALID_ARGUMENT = "invalid_argument"
    UNSUPPORTED = "unsupported"

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anything being changed."""
        return self in _RETRYABLE


# INTEGRITY and SOURCE_CHANGED are retryable because a new try reads the source afresh.
_RETRYABLE = frozenset(
    {
        ErrorKind.THROTTLED,
        ErrorKind.UNAVAILABLE,
        ErrorKind.TIMEOUT,
        ErrorKind.CAPACITY,
        ErrorKind.INTEGRITY,
        ErrorKind.SOURCE_CHANGED,
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
    """

    def __init__(
        self, message: str, *, kind: ErrorKind, cloud: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(printable(message))
        self.kind = kind
        self.cloud = cloud
        self.code = None if code is None else printable(str(code))

    @property
    def retryable(self) -> bool:
        """Whether trying again can help; follows from ``kind``."""
        return self.kind.retryable

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword-only fields through pickling (process pools, triggers)."""
        return (_rebuild, (type(self), str(self), self.kind, self.cloud, self.code))


def _rebuild(
    cls: type[CloudError], message: str, kind: ErrorKind, cloud: str | None, code: str | None
) -> CloudError:
    return cls(message, kind=kind, cloud=cloud, code=code)


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
