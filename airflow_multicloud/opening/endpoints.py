"""Places of object stores, opened from their URIs."""

from __future__ import annotations

from airflow_multicloud import registry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.locations import parse_location


def open_endpoint(
    uri: str,
    *,
    parameter: str,
    storage_class: str | None = None,
    encryption_key: str | None = None,
) -> Endpoint:
    """Find the cloud and the store of a URI.

    :param uri: ``scheme://conn_id@bucket/key``.
    :param parameter: the parameter ``uri`` was given for, for errors.
    :param storage_class: for what is written there; the store's own name.
    :param encryption_key: for what is written there; see ``WriteOptions``.
    :raises CloudError: kind ``invalid_argument`` for what is no location or contradicts its
        connection; see :mod:`airflow_multicloud.registry`.
    """
    location = parse_location(uri, parameter=parameter)
    cloud, store = registry.resolve_location(location, parameter=parameter)
    return Endpoint(cloud.name, store, location, storage_class, encryption_key)
