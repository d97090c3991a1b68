"""What the errors of AWS's cost services mean.

Cost Explorer, Cost Optimization Hub, Compute Optimizer and the price list: "Errors" of each
operation in their API references, as botocore's service models have them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.aws import errors
from airflow_multicloud.clouds.aws.errors import BASE
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

TABLE: Final = BASE.overlay(
    by_code(
        {
            # "You made too many calls in a short period of time": a quota everywhere else.
            ErrorKind.THROTTLED: "LimitExceededException",
            # A page's token ran out, as it does when pages are read slowly: begin at the first.
            ErrorKind.SOURCE_CHANGED: "ExpiredNextTokenException InvalidNextTokenException",
            ErrorKind.INVALID_ARGUMENT: (
                "BillExpirationException BillingViewHealthStatusException DataUnavailableException "
                "RequestChangedException"
            ),
        }
    )
)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn botocore's exceptions into this package's, as the cost services mean them.

    :param doing: the call and what it was for, which begins the message.
    """
    return errors.translated(doing, table=TABLE, area=CostAnalysisError)
