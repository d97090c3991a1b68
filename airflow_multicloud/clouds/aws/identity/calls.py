"""Which requests telling who the caller is makes of STS.

"No permissions are required to perform this operation" (API_GetCallerIdentity.html).
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # it has none
    return "*"


TABLE = CallTable({"who_am_i": (ApiCall(call="sts:GetCallerIdentity", permissions=()),)}, _resource)
