"""The requests to Google Cloud that ``who_am_i`` makes.

The token says who the caller is. Without a token, Cloud Storage is asked something; any answer will
do.
"""

from __future__ import annotations

from collections.abc import Mapping

from airflow_multicloud.ports.calls import ApiCall, CallTable


def _resource(kind: str, facts: Mapping[str, str]) -> str:  # noqa: ARG001  # of no request
    return f"//cloudresourcemanager.googleapis.com/projects/{facts['project']}"


TABLE = CallTable({"who_am_i": (ApiCall(call="storage.buckets.list", permissions=()),)}, _resource)
