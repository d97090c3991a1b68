"""What the errors of the Cloud SQL Admin API mean, of requests and of operations.

Codes: https://cloud.google.com/sql/docs/postgres/admin-api-error-messages; requests have the same
reasons in camel case, as users quote them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.gcp import NAME, errors
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.errors import DatabaseError, ErrorKind

TABLE: Final = BASE.overlay(
    by_code(
        {
            ErrorKind.NOT_FOUND: (
                "instanceDoesNotExist backupRunDoesNotExist operationDoesNotExist "
                "INSTANCE_DOES_NOT_EXIST BACKUP_RUN_DOES_NOT_EXIST ERROR_BACKUP_NOT_FOUND"
            ),
            ErrorKind.ALREADY_EXISTS: "instanceAlreadyExists INSTANCE_ALREADY_EXISTS",
            ErrorKind.BUSY: "operationInProgress OPERATION_IN_PROGRESS",
            ErrorKind.PRECONDITION_FAILED: (
                "invalidState invalidOperation instanceNotRunning "
                "INVALID_STATE INVALID_OPERATION INSTANCE_NOT_RUNNING"
            ),
            ErrorKind.PERMISSION_DENIED: "notAuthorized NOT_AUTHORIZED",
            ErrorKind.INVALID_ARGUMENT: "invalid INVALID_REQUEST",
            ErrorKind.QUOTA: "errorMaxInstancePerLabel ERROR_MAX_INSTANCE_PER_LABEL",
            ErrorKind.UNAVAILABLE: "internalError INTERNAL_ERROR ERROR_RDBMS",
        }
    )
)


@dataclass(frozen=True, slots=True)
class Failure:
    """What something failed with.

    :param code: Google's own.
    """

    kind: ErrorKind
    text: str
    code: str | None


def failure_in(told: Mapping[str, Any]) -> Failure | None:
    """What an operation has failed with, if it has.

    A code that is not known says no more than that Cloud SQL could not do it.

    :param told: Google's operation.
    :raises LookupError: when it is none.
    """
    listed = (told.get("error") or {}).get("errors") or ()
    return failure_of(listed[0]) if listed else None


def failure_of(error: Mapping[str, Any]) -> Failure:
    """What an error of an operation or a backup means."""
    code = str(error.get("code") or "") or None
    kind = TABLE.kind_of_code(code) if code else None
    text = str(error.get("message") or "") or code or "Cloud SQL gives no reason"
    return Failure(kind or ErrorKind.UNAVAILABLE, text, code)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn the exceptions of these services and of the way there into this package's.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=DatabaseError)


def failure(message: str, kind: ErrorKind) -> DatabaseError:
    """An error that this package found itself."""
    return DatabaseError(message, kind=kind, cloud=NAME)
