"""Places of object stores, opened from their URIs."""

from __future__ import annotations

import re

from airflow_multicloud import registry
from airflow_multicloud.core.endpoints import Endpoint
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.known_clouds import Cloud
from airflow_multicloud.locations import Location, parse_location

#: A connection's extra: what ledgers call the store that it reaches, by whatever host.
STORE_NAME = "store_name"
_NAME = re.compile(r"[A-Za-z0-9.:_-]{1,255}")


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
    alias = _alias(location, cloud)
    return Endpoint(cloud.name, store, location, storage_class, encryption_key, alias)


def _alias(location: Location, cloud: Cloud) -> str | None:
    """How the connection calls its store; ``None`` when it leaves that to the store."""
    conn_id = registry.connection_of(location) or ""
    given = registry.read_connection(conn_id).extra_dejson.get(STORE_NAME)
    if given in (None, ""):
        return None
    if isinstance(given, str) and _NAME.fullmatch(given):
        return given
    raise CredentialsError(
        f"connection {conn_id!r}: extra {STORE_NAME} is not usable, expected at most 255 of a-z, "
        "A-Z, 0-9, '.', ':', '_' and '-'",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=cloud.name,
    )
