"""What the errors of Azure's cost services mean: Cost Management, Advisor, Retail Prices.

"Troubleshoot common Cost Management errors"
(https://learn.microsoft.com/azure/cost-management-billing/troubleshoot-cost-management-errors);
its quotas: https://learn.microsoft.com/azure/cost-management-billing/costs/manage-automation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from airflow_multicloud.adapters.errors import by_code, retry_after_of
from airflow_multicloud.clouds.azure import errors
from airflow_multicloud.errors import CostAnalysisError, ErrorKind

#: What the codes of the cost services mean; RBACAccessDenied comes with status 401.
TABLE = errors.BASE.overlay(
    by_code(
        {
            ErrorKind.PERMISSION_DENIED: (
                "AccountCostDisabled DepartmentCostDisabled IndirectCostDisabled RBACAccessDenied"
            ),
        }
    )
)

_QUOTA_WAIT = re.compile(r"x-ms-ratelimit-microsoft\.costmanagement-\w+-retry-after")


def quota_wait(headers: Mapping[str, str]) -> timedelta | None:
    """The longest wait that an answer's headers ask for: Retry-After, and one for each quota.

    :param headers: with names of any case.
    """
    asked = [
        retry_after_of({"Retry-After": value})
        for name, value in headers.items()
        if _QUOTA_WAIT.fullmatch(name.lower())
    ]
    waits = [wait for wait in (*asked, retry_after_of(headers)) if wait is not None]
    return max(waits, default=None)


#: :func:`airflow_multicloud.clouds.azure.errors.translated` for these services.
translated = partial(errors.translated, table=TABLE, area=CostAnalysisError, wait=quota_wait)
