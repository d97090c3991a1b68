"""The extras of a Google connection, checked before they are used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow_multicloud.adapters.secret_text import check_control_characters
from airflow_multicloud.clouds.gcp import NAME
from airflow_multicloud.errors import CredentialsError, ErrorKind

_RETRIES = 5  # Airflow's own default
_PREFIX = "extra__google_cloud_platform__"
#: Longer ones no name server has (RFC 1035), and an error would show all of it.
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
#: An id, one of a domain's own (``example.com:id``), or a number.
_PROJECT = re.compile(r"[A-Za-z0-9.:_-]{1,255}")
# Its text is a file's.
_KEYS = ("keyfile_dict", "credential_config_file")
#: Services whose extra ``<service>.endpoint`` says where else they are.
_SERVICES = (
    *("gcs", "bigquery", "recommender", "cloudbilling", "compute"),
    *("monitoring", "logging", "telemetry"),
    *("cloudresourcemanager", "iam", "secretmanager", "sts"),
    "sqladmin",
)


def endpoint_extra(service: str) -> str:
    """The extra that says where else a service is."""
    return f"{service}.endpoint"


def checked_extras(conn_id: str, extras: Mapping[str, Any]) -> int:
    """Refuse an endpoint that is no URL, a project that is none, and what no request can hold.

    :return: ``num_retries``, how often one request is repeated.
    :raises CredentialsError: kind ``invalid_argument``, naming the extra.
    """
    named = {name.removeprefix(_PREFIX): value for name, value in extras.items()}
    texts = {name: value for name, value in named.items() if name not in _KEYS}
    check_control_characters(conn_id, texts, cloud=NAME)
    for name in map(endpoint_extra, _SERVICES):
        if (endpoint := named.get(name)) and not _is_endpoint(endpoint):
            raise _refused(conn_id, name, "http://host:port or https://host")
    project = named.get("project")
    if project not in (None, "") and not is_project(project):
        raise _refused(conn_id, "project", "the id of a project, as a text")
    given = named.get("num_retries")
    if given is None or given == "":
        return _RETRIES
    try:
        retries = -1 if isinstance(given, bool) else int(given)
    except (TypeError, ValueError):
        retries = -1
    if retries < 0:
        raise _refused(conn_id, "num_retries", "a number, 0 or more")
    return retries


def is_project(value: object) -> bool:
    """Whether it can be the id of a project."""
    return isinstance(value, str) and _PROJECT.fullmatch(value) is not None


def _is_endpoint(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and _HOST.fullmatch(host) is not None


def _refused(conn_id: str, name: str, expected: str) -> CredentialsError:
    return CredentialsError(
        f"connection {conn_id!r}: extra {name} is not usable, expected {expected}",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=NAME,
    )
