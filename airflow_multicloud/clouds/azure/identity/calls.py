"""The requests that ``who_am_i`` makes: one to the storage account, or only one for a token.

"Get Account Information" (https://learn.microsoft.com/rest/api/storageservices/get-account-information).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable

_SERVICE = "Microsoft.Storage/storageAccounts/blobServices"


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # all are the account's
    return (
        f"/subscriptions/{facts['subscription']}/resourceGroups/{facts['resource_group']}"
        f"/providers/Microsoft.Storage/storageAccounts/{facts['storage_account']}"
    )


TABLE = CallTable(
    {
        "who_am_i": (
            ApiCall(
                call="Get Account Information",
                permissions=(f"{_SERVICE}/getInfo/action",),
                without="who the caller is can't be told",
            ),
        ),
    },
    _resource,
)
