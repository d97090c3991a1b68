"""Billing exports, opened from their URIs."""

from __future__ import annotations

from airflow_multicloud import registry
from airflow_multicloud.core.cost.exports import Export
from airflow_multicloud.locations import parse_location


def open_export(uri: str, *, parameter: str = "export") -> Export:
    """Resolve an export's URI to the cloud's cost hook; no request is made.

    :param uri: ``s3://conn@bucket/prefix/name``, ``abfs://conn@container/directory/name`` or
        ``bigquery://conn@project/dataset/table``.
    :param parameter: the parameter ``uri`` was given for, for errors.
    :raises CloudError: naming ``parameter`` when the URI or its connection can't be used.
    """
    location = parse_location(uri, parameter=parameter)
    cloud, hook = registry.resolve_export(location, parameter=parameter)
    return Export(cloud.name, location, hook)
