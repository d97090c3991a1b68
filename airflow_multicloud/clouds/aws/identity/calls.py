"""The requests to STS that ``who_am_i`` makes.

"No permissions are required to perform this operation. If an administrator attaches a policy to
your identity that explicitly denies access to the sts:GetCallerIdentity action, you can still
perform this operation" (API_GetCallerIdentity.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from airflow_multicloud.ports.calls import ApiCall, CallTable

#: Also how other services learn in which account they are.
WHO_AM_I: Final = ApiCall(call="sts:GetCallerIdentity", permissions=())


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # it has none
    return "*"


TABLE = CallTable({"who_am_i": (WHO_AM_I,)}, _resource)
