"""Which requests telling who the caller is makes of Google Cloud.

The token tells. Without one Cloud Storage is asked for anything, and any answer will do.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # of no request
    return f"//cloudresourcemanager.googleapis.com/projects/{facts['project']}"


TABLE = CallTable({"who_am_i": (ApiCall(call="storage.buckets.list", permissions=()),)}, _resource)
