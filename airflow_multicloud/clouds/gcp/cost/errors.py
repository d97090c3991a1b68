"""What the errors of BigQuery, Recommender and the Cloud Billing Catalog mean.

BigQuery's reasons: https://cloud.google.com/bigquery/docs/error-messages
"""

from __future__ import annotations

from contextlib import AbstractContextManager

from airflow_multicloud.adapters.errors import by_code
from airflow_multicloud.clouds.gcp import errors
from airflow_multicloud.clouds.gcp.errors import BASE
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

TABLE = BASE.overlay(
    by_code(
        {
            # Limits on what a query may use, scan or return.
            ErrorKind.QUOTA: (
                "billingTierLimitExceeded bytesBilledLimitExceeded resourcesExceeded "
                "responseTooLarge"
            ),
            ErrorKind.THROTTLED: "jobRateLimitExceeded",
            ErrorKind.TIMEOUT: "timeout",
            # Reasons of failed jobs, which come with status 400 or 200 whatever the cause. A
            # stopped job was cancelled by somebody else.
            ErrorKind.UNAVAILABLE: "jobBackendError jobInternalError tableUnavailable stopped",
            ErrorKind.BUSY: "resourceInUse",
        }
    )
)


def translated(doing: str) -> AbstractContextManager[None]:
    """Turn the exceptions of these services and of the way there into this package's.

    :param doing: the call and what it was about, for the message.
    :raises CostAnalysisError: with the cause's kind.
    """
    return errors.translated(doing, table=TABLE, area=CostAnalysisError)
