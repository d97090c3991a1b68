"""What CloudWatch's errors mean.

"Errors" of each operation in the Amazon CloudWatch API Reference, as botocore's service model has
them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import NAME, errors
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.errors import ErrorKind, MetricsError

#: ``LimitExceededException`` stays what it is in the base: a quota, no throttling.
TABLE: Final = BASE.overlay(
    by_code(
        {
            ErrorKind.INVALID_ARGUMENT: (
                "InvalidFormat InvalidParameterCombinationException "
                "MissingRequiredParameterException RequestEntityTooLarge"
            ),
            ErrorKind.UNAVAILABLE: "InternalServiceFault",
            # A page's token ran out: begin at the first.
            ErrorKind.SOURCE_CHANGED: "InvalidNextToken InvalidNextTokenException",
        }
    )
)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as CloudWatch means them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=MetricsError)


def failure(message: str, kind: ErrorKind) -> MetricsError:
    """An error that is found here, before CloudWatch is asked."""
    return MetricsError(message, kind=kind, cloud=NAME)
