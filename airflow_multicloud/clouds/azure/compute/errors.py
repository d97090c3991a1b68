"""What the errors of Azure's compute and network services mean.

"Allocation failures" (https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure),
"Resolve errors for SKU not available"
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available),
"Resolve errors for resource quotas"
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-resource-quota) and
"Common deployment errors"
(https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.azure import NAME, errors
from airflow_multicloud.errors import DeploymentError, ErrorKind

T = TypeVar("T")

#: What the codes mean, of answers and of operations that failed.
TABLE = errors.BASE.overlay(
    by_code(
        {
            ErrorKind.CAPACITY: (
                "AllocationFailed OverconstrainedAllocationRequest "
                "OverconstrainedZonalAllocationRequest SubnetIsFull ZonalAllocationFailed"
            ),
            ErrorKind.QUOTA: (
                "IPv4StandardSkuPublicIpCountLimitReached PublicIPCountLimitReached QuotaExceeded "
                "ResourceQuotaExceeded"
            ),
            ErrorKind.UNSUPPORTED: "SkuNotAvailable",
            ErrorKind.BUSY: (
                "AttachDiskWhileBeingDetached CanceledAndSupersededDueToAnotherOperation Conflict "
                "NicInUse NicReservedForAnotherVm OperationPreempted "
                "PublicIPAddressCannotBeDeleted ReferencedResourceNotProvisioned "
                "RetryableErrorDueToAnotherOperation"
            ),
            ErrorKind.NOT_FOUND: "ImageNotFound OperationNotFound PlatformImageNotFound",
            ErrorKind.INVALID_ARGUMENT: (
                "InvalidParameter InvalidRequestContent LocationNotAvailable"
            ),
            ErrorKind.TIMEOUT: "OSProvisioningTimedOut VMExtensionProvisioningTimeout",
        }
    )
)

# Codes with several meanings, told apart by words of the message: they are said of a size that
# there is no room for, or that is over the limit, of a disk whose machine is going, and of other
# things.
_BY_WORD = {
    "OperationNotAllowed": {"quota": ErrorKind.QUOTA, "attached to vm": ErrorKind.BUSY},
    "SkuNotAvailable": {"capacity": ErrorKind.CAPACITY},
}

#: Codes that say that the resource that was asked for is not there, and not what it lies in.
_GONE = frozenset({"NotFound", "ResourceGroupNotFound", "ResourceNotFound"})


def kind_of(code: str | None, message: str | None) -> ErrorKind:
    """What an operation failed with.

    :param code: of its error.
    :param message: which tells some codes' two meanings apart.
    """
    return _kind_by_words(code, message) or TABLE.kind_of_code(code) or ErrorKind.UNAVAILABLE


def _kind_by_words(code: str | None, message: str | None) -> ErrorKind | None:
    """What a code with several meanings means here; ``None`` for any other."""
    said = (message or "").lower()
    meanings = _BY_WORD.get(code or "", {})
    return next((kind for words, kind in meanings.items() if words in said), None)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """:func:`airflow_multicloud.clouds.azure.errors.translated` for these services.

    :param doing: the call and what it is about, for the message.
    :raises DeploymentError: the service or the way to it failed.
    :raises CredentialsError: there are no usable credentials, or they were refused as such.
    """
    try:
        with errors.translated(doing, table=TABLE, area=DeploymentError):
            yield
    except DeploymentError as err:
        kind = _kind_by_words(err.code, str(err))
        if kind is None or kind is err.kind:
            raise
        raise DeploymentError(
            str(err), kind=kind, cloud=NAME, code=err.code, retry_after=err.retry_after
        ) from None


def if_there(doing: str, read: Callable[[], T]) -> T | None:
    """What a resource is, or ``None`` when there is none.

    :param doing: as for :func:`translated`.
    :raises DeploymentError: any other failure.
    """
    try:
        with translated(doing):
            return read()
    except DeploymentError as err:
        if err.kind is ErrorKind.NOT_FOUND and err.code in _GONE:
            return None
        raise


def failure(message: str, kind: ErrorKind = ErrorKind.INVALID_ARGUMENT) -> DeploymentError:
    """An error of this service that no answer told."""
    return DeploymentError(message, kind=kind, cloud=NAME)
