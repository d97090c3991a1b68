"""What the errors of Azure Database for PostgreSQL and of Azure SQL mean.

PostgreSQL's own codes stand in no list. These are named by its documentation ("Resolve capacity
errors", https://learn.microsoft.com/azure/postgresql/troubleshoot/how-to-resolve-capacity-errors)
or have been reported with their messages (github.com/Azure/azure-postgresql/issues/134,
github.com/Azure/bicep-registry-modules/issues/4451,
github.com/hashicorp/terraform-provider-azurerm/issues/29219); Azure SQL's are those
of "Databases - Create Or Update", "Databases - Delete" and "Failover Groups - Create Or Update" in
its description (github.com/Azure/azure-rest-api-specs, specification/sql). A code that is in no
table is judged by its HTTP status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TypeVar

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.azure import NAME, errors
from airflow_multicloud.errors import DatabaseError, ErrorKind

T = TypeVar("T")

#: What the codes mean, of answers and of operations that failed.
TABLE = errors.BASE.overlay(
    by_code(
        {
            ErrorKind.BUSY: (
                "Conflict OperationNotAllowedOnServerBusy ServerBusy ServerIsBusy ServerIsNotReady "
                "ConflictingDatabaseOperation ConflictingSystemOperationInProgress "
                "ManagementServiceDatabaseBusy SkuAssignmentInProgress "
                "UpdateNotAllowedIfGeoDrOperationInProgress UpdateSloInProgress"
            ),
            ErrorKind.ALREADY_EXISTS: (
                "DatabaseAlreadyExists NameAlreadyExists ServerAlreadyExists "
                "ServerNameAlreadyExists"
            ),
            ErrorKind.CAPACITY: (
                "AllocationFailed OverconstrainedAllocationRequest SkuNotAvailable "
                "ZonalAllocationFailed"
            ),
            ErrorKind.QUOTA: "QuotaExceeded ResourceQuotaExceeded ServerDtuQuotaExceeded",
            ErrorKind.NOT_FOUND: (
                "DatabaseDoesNotExist InvalidLiveDatabase OperationIdNotFound OperationNotFound "
                "ServerNotInSubscription ServerNotInSubscriptionResourceGroup "
                "SourceDatabaseNotFound SubscriptionDoesNotHaveServer"
            ),
            ErrorKind.PRECONDITION_FAILED: (
                "DropDisallowedDuringFailover GeoReplicationDatabaseNotSecondary ScopeLocked"
            ),
            ErrorKind.THROTTLED: (
                "SubscriptionTooManyCreateUpdateRequests SubscriptionTooManyRequests"
            ),
            ErrorKind.UNAVAILABLE: "DatabaseUnavailable OperationInterrupted",
            ErrorKind.INVALID_ARGUMENT: "InvalidParameterValue InvalidRequestContent",
            ErrorKind.UNSUPPORTED: (
                "LocationIsOfferRestricted RestoreNotSupportedForFreeEdition "
                "UnsupportedReplicationOperation"
            ),
        }
    )
)

#: Codes that say that what was asked for is not there: it, or the server that it would be on.
_GONE = frozenset(
    {
        *("NotFound", "ResourceGroupNotFound", "ResourceNotFound", "ParentResourceNotFound"),
        *("DatabaseDoesNotExist", "ServerNotInSubscription"),
        *("ServerNotInSubscriptionResourceGroup", "SubscriptionDoesNotHaveServer"),
    }
)

#: Codes that say that the subscription has never used a service, or has given it up, which Azure
#: refuses while anything of it is there
#: (https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types).
_UNREGISTERED = frozenset({"MissingSubscriptionRegistration", "SubscriptionNotRegistered"})


def translated(doing: str) -> AbstractContextManager[None]:
    """:func:`airflow_multicloud.clouds.azure.errors.translated` for this service.

    :param doing: the call and what it is about, for the message.
    """
    return errors.translated(doing, table=TABLE, area=DatabaseError)


def kind_of(code: str | None) -> ErrorKind:
    """What an operation failed with.

    :param code: of its error.
    """
    return TABLE.kind_of_code(code) or ErrorKind.UNAVAILABLE


def if_there(doing: str, read: Callable[[], T]) -> T | None:
    """What a resource is, or ``None`` when there is none.

    :param doing: as for :func:`translated`.
    :raises DatabaseError: any other failure.
    """
    try:
        with translated(doing):
            return read()
    except DatabaseError as err:
        if err.kind is ErrorKind.NOT_FOUND and err.code in _GONE:
            return None
        raise


def all_listed(doing: str, read: Callable[[], Iterable[T]]) -> list[T]:
    """All that a listing of a subscription shows: nothing where the service is not registered.

    :param doing: as for :func:`translated`.
    :raises DatabaseError: any other failure.
    """
    try:
        with translated(doing):
            return list(read())
    except DatabaseError as err:
        if err.code in _UNREGISTERED:
            return []
        raise


def failure(message: str, kind: ErrorKind = ErrorKind.INVALID_ARGUMENT) -> DatabaseError:
    """An error of this service that no answer told."""
    return DatabaseError(message, kind=kind, cloud=NAME)
