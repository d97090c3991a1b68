"""What CloudWatch Logs' errors mean.

"Errors" of each operation in the Amazon CloudWatch Logs API Reference, as botocore's service model
has them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import NAME, errors
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.errors import ErrorKind, LogsError

#: ``LimitExceededException`` stays what it is in the base: "You have reached the maximum number of
#: resources that can be created".
TABLE: Final = BASE.overlay(
    by_code(
        {
            # Both are of former times: "PutLogEvents actions are always accepted".
            ErrorKind.ALREADY_EXISTS: "DataAlreadyAcceptedException",
            ErrorKind.BUSY: "InvalidSequenceTokenException",
        }
    )
)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as CloudWatch Logs means them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=LogsError)


def failure(message: str, kind: ErrorKind) -> LogsError:
    """An error that is found here, before CloudWatch Logs is asked."""
    return LogsError(message, kind=kind, cloud=NAME)
