"""From a connection to the cloud that it belongs to, and to that cloud's hooks.

``conn_id → connection type → cloud → clouds.<cloud>.<service>.Hook``: a service is a module of the
same name as its port beside the cloud's constants, with a class ``Hook``. Which clouds there are
says :mod:`airflow_multicloud.known_clouds`.

Within a :func:`session` a connection is read once, and every place that is reached by it has the
same hooks, with their clients. This is the only place that handles ``ImportError``.
"""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any, TypeVar

from airflow_multicloud.adapters.connections import once_per_session, session
from airflow_multicloud.errors import CredentialsError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.extras import how_to_install
from airflow_multicloud.known_clouds import (
    ENTRY_POINT_GROUP,
    Cloud,
    cloud_of_scheme,
    connection_of,
    default_connection,
    get_provider,
    list_providers,
    register_provider,
    unregister_provider,
    why_not_loaded,
)
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.cost import Cost
from airflow_multicloud.ports.object_store import ObjectStore

__all__ = [
    "ENTRY_POINT_GROUP",
    "Cloud",
    "cloud_of",
    "cloud_of_scheme",
    "connection_of",
    "default_connection",
    "get_provider",
    "list_providers",
    "part_of",
    "read_connection",
    "register_provider",
    "resolve",
    "resolve_export",
    "resolve_location",
    "session",
    "unregister_provider",
]

P = TypeVar("P")


def cloud_of(conn_id: str) -> Cloud:
    """The cloud that an Airflow connection belongs to, by its connection type.

    :raises CredentialsError: when the connection does not exist, or its type belongs to no known
        cloud.
    """
    conn_type = _conn_type(conn_id)
    given = os.environ.get(_variable(conn_id), "{")
    for cloud in list_providers():
        if conn_type in cloud.conn_types:
            return cloud
    if not conn_type or not ("://" in given or given.lstrip().startswith("{")):
        raise _malformed(conn_id)  # What was taken for the type may be part of a secret.
    allowed = ", ".join(sorted(t for c in list_providers() for t in c.conn_types))
    raise CredentialsError(
        f"connection {conn_id!r} has type {conn_type!r}, which belongs to no known cloud; allowed: "
        f"{allowed}{why_not_loaded()}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


@session()
def resolve(port: type[P], conn_id: str) -> P:
    """The hook that fits ``port``, on the connection's cloud.

    :raises CredentialsError: as :func:`cloud_of`.
    :raises ProviderNotAvailableError: when the cloud has no such service, or when its extra
        is not installed (the error names it).
    """
    return _hook(port, cloud_of(conn_id), conn_id)


@session()
def resolve_location(location: Location, *, parameter: str) -> tuple[Cloud, ObjectStore]:
    """The object store that a location lies in, and its cloud.

    :raises CredentialsError: kind ``invalid_argument`` when the URI's scheme and the
        connection's type belong to different clouds.
    """
    cloud = cloud_of_scheme(location.scheme, parameter=parameter)
    return cloud, _located(ObjectStore, cloud, cloud.uri_schemes, location, parameter)


@session()
def resolve_export(location: Location, *, parameter: str) -> tuple[Cloud, Cost]:
    """The cost hook that reads a billing export, and its cloud.

    :raises ProviderNotAvailableError: as :func:`cloud_of_scheme`.
    :raises CredentialsError: as :func:`resolve_location`.
    """
    for cloud in list_providers():
        if location.scheme in cloud.export_schemes:
            return cloud, _located(Cost, cloud, cloud.export_schemes, location, parameter)
    cloud = cloud_of_scheme(location.scheme, parameter=parameter)
    return cloud, _located(Cost, cloud, cloud.uri_schemes, location, parameter)


def _located(
    port: type[P], cloud: Cloud, schemes: Mapping[str, str], location: Location, parameter: str
) -> P:
    conn_id = location.conn_id or schemes[location.scheme]
    actual = cloud_of(conn_id)
    if actual.name != cloud.name:
        raise CredentialsError(
            f"{parameter}: {location} has the scheme {location.scheme}:// ({cloud.title}), but "
            f"connection {conn_id!r} has type {_conn_type(conn_id)!r} ({actual.title})",
            kind=ErrorKind.INVALID_ARGUMENT,
            cloud=cloud.name,
        )
    return _hook(port, cloud, conn_id)


def _hook(port: type[P], cloud: Cloud, conn_id: str) -> P:
    service = _service_of(port)
    hook: P = once_per_session(
        ("hook", cloud.name, service, conn_id), lambda: _new_hook(cloud, service, conn_id)
    )
    return hook


def part_of(cloud: Cloud, part: str) -> Any:
    """A module of a cloud beside its hooks: ``object_store.calls``; ``None`` where it has none.

    :raises ProviderNotAvailableError: when the cloud's extra is not installed.
    """
    service = part.partition(".")[0]
    return None if _module(cloud, service) is None else _module(cloud, part)


def _new_hook(cloud: Cloud, service: str, conn_id: str) -> Any:
    module = _module(cloud, service)
    if module is None:
        raise ProviderNotAvailableError(
            f"{cloud.title} has no {service}", kind=ErrorKind.UNSUPPORTED, cloud=cloud.name
        )
    try:
        return module.Hook(**{module.Hook.conn_name_attr: conn_id})
    except (AttributeError, LookupError, TypeError, ValueError) as err:
        raise _unusable(cloud, conn_id, err) from None


def _module(cloud: Cloud, part: str) -> Any:
    """A module below a cloud's, or ``None`` when there is none of the name."""
    name = f"{cloud.module}.{part}"
    try:
        return None if find_spec(name) is None else importlib.import_module(name)
    except ImportError as err:
        if err.name is None or err.name.startswith(cloud.module):
            raise  # A mistake in the cloud's own code, which installing won't mend.
        raise ProviderNotAvailableError(
            f"{cloud.title} needs {err.name}, which is not installed: "
            f"{how_to_install(cloud.requirement)}",
            kind=ErrorKind.UNSUPPORTED,
            cloud=cloud.name,
        ) from err


def _service_of(port: type) -> str:
    """What a port's service is called: the module or package below ``ports`` that defines it."""
    names = port.__module__.split(".")
    below = names.index("ports") + 1 if "ports" in names[:-1] else len(names) - 1
    return names[below]


def _unusable(cloud: Cloud, conn_id: str, err: Exception) -> CredentialsError:
    """A field of another form than the official hook expects; its text may hold a secret."""
    last = traceback.extract_tb(err.__traceback__)[-1]
    where = f"{type(err).__name__} at {PurePath(last.filename).name}:{last.lineno}"
    return CredentialsError(
        f"connection {conn_id!r} can't be used: a field or an extra of it is not of the form that "
        f"the {cloud.title} hook expects ({where})",
        kind=ErrorKind.INVALID_ARGUMENT,
        cloud=cloud.name,
    )


def _variable(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _malformed(conn_id: str) -> CredentialsError:
    place = f" in {_variable(conn_id)}" if _variable(conn_id) in os.environ else ""
    return CredentialsError(
        f"connection {conn_id!r}{place} can't be read; expected a JSON object with conn_type, or "
        "a URI like type://login:password@host (its value is not shown: it may hold secrets)",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def _conn_type(conn_id: str) -> str:
    return str(read_connection(conn_id).conn_type)


def read_connection(conn_id: str) -> Any:
    """Airflow's connection of an id, of whatever type; its extra is a JSON object.

    :raises CredentialsError: kind ``not_found`` when there is none, ``invalid_argument`` when it
        can't be read.
    """
    # Imported here: Airflow takes seconds to load, and plain API users may never get here.
    from airflow.providers.common.compat.sdk import AirflowException
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowRuntimeError

    try:
        connection = once_per_session(
            ("connection", conn_id), lambda: BaseHook.get_connection(conn_id)
        )
    except (ValueError, TypeError):
        # Its text may hold the connection's, so it is neither shown nor chained.
        raise _malformed(conn_id) from None
    except (AirflowException, AirflowRuntimeError) as err:
        if _variable(conn_id) in os.environ:  # Airflow skips a variable that it can't parse.
            raise _malformed(conn_id) from None
        raise CredentialsError(
            f"connection {conn_id!r} does not exist (or can't be read): {err}",
            kind=ErrorKind.NOT_FOUND,
        ) from err
    if not isinstance(connection.extra_dejson, dict):
        raise CredentialsError(
            f"connection {conn_id!r}: its extra is not a JSON object",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    return connection
