"""From a connection to the cloud that it belongs to, and to that cloud's hooks.

``conn_id → connection type → cloud → clouds.<cloud>.<service>.Hook``. Clouds are found by
the entry point group ``airflow_multicloud.clouds``, each naming a module with the constants
``NAME, TITLE, REQUIREMENT, CONN_TYPES, URI_SCHEMES``; a service is a module of the same name as its
port beside them, with a class ``Hook``. :func:`register_provider` adds one at run time.

This is the only place that handles ``ImportError``.
"""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import PurePath
from typing import Any, TypeVar

from airflow_multicloud import __version__
from airflow_multicloud.errors import CredentialsError, ErrorKind, ProviderNotAvailableError
from airflow_multicloud.locations import Location
from airflow_multicloud.ports.cost import Cost
from airflow_multicloud.ports.object_store import ObjectStore

P = TypeVar("P")

ENTRY_POINT_GROUP = "airflow_multicloud.clouds"
_DISTRIBUTION = "airflow-multicloud"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud: what its package says of itself.

    :param module: the dotted name under which its services lie.
    :param requirement: what to install to have it whole (``airflow-multicloud[aws]``).
    :param uri_schemes: URI scheme → default connection id.
    :param export_schemes: the same for schemes that name billing exports only (``bigquery``);
        the module's constant ``EXPORT_SCHEMES``, which it may leave out.
    """

    name: str
    title: str
    module: str
    requirement: str
    conn_types: tuple[str, ...]
    uri_schemes: Mapping[str, str]
    export_schemes: Mapping[str, str] = field(default_factory=dict)


_registered: dict[str, Cloud] = {}


@dataclass(frozen=True, slots=True)
class _Discovery:
    """What the entry points gave; one that can't be loaded leaves the others usable."""

    clouds: Mapping[str, Cloud]
    broken: Mapping[str, str]


@cache
def _discovered() -> _Discovery:
    clouds: dict[str, Cloud] = {}
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda e: e.name):
        try:
            module: Any = entry.load()
        except ImportError as err:
            broken[entry.name] = f"{entry.value} of {entry.dist and entry.dist.name}: {err}"
            continue
        cloud = Cloud(
            name=module.NAME,
            title=module.TITLE,
            module=module.__name__,
            requirement=module.REQUIREMENT,
            conn_types=tuple(module.CONN_TYPES),
            uri_schemes=dict(module.URI_SCHEMES),
            export_schemes=dict(getattr(module, "EXPORT_SCHEMES", {})),
        )
        _check_clash(clouds, cloud)
        clouds[cloud.name] = cloud
    return _Discovery(clouds, broken)


def _broken() -> str:
    """What to add to an error about an unknown cloud."""
    return "".join(
        f"; cloud {name} could not be loaded: {why}" for name, why in _discovered().broken.items()
    )


def _check_clash(known: Mapping[str, Cloud], new: Cloud) -> None:
    for old in known.values():
        shared = {*old.conn_types} & {*new.conn_types} or {*old.uri_schemes} & {*new.uri_schemes}
        if shared or old.name == new.name:
            raise ProviderNotAvailableError(
                f"clouds {old.name} ({old.module}) and {new.name} ({new.module}) both claim "
                f"{', '.join(sorted(shared)) or new.name}; remove one of the two",
                kind=ErrorKind.INVALID_ARGUMENT,
                cloud=new.name,
            )


def register_provider(cloud: Cloud) -> None:
    """Add a cloud at run time, as its entry point would.

    :raises ProviderNotAvailableError: kind ``invalid_argument`` when its name, a connection
        type or a URI scheme is taken by another. The same one again is no error.
    """
    if _registered.get(cloud.name) == cloud:
        return
    _check_clash({**_discovered().clouds, **_registered}, cloud)
    _registered[cloud.name] = cloud


def unregister_provider(name: str) -> None:
    """Take back :func:`register_provider`; an unknown name is no error."""
    _registered.pop(name, None)


def list_providers() -> tuple[Cloud, ...]:
    """Every known cloud, by name. Importable constants only; its extra may be missing."""
    clouds = {**_discovered().clouds, **_registered}
    return tuple(clouds[name] for name in sorted(clouds))


def get_provider(name: str) -> Cloud:
    """The cloud of this name.

    :raises ProviderNotAvailableError: when there is none.
    """
    for cloud in list_providers():
        if cloud.name == name:
            return cloud
    raise ProviderNotAvailableError(
        f"no cloud is called {name!r}; known: {', '.join(c.name for c in list_providers())}"
        + _broken(),
        kind=ErrorKind.INVALID_ARGUMENT,
    )


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
        f"{allowed}{_broken()}",
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def cloud_of_scheme(scheme: str, *, parameter: str) -> Cloud:
    """The cloud that a URI scheme belongs to.

    :raises ProviderNotAvailableError: kind ``invalid_argument`` when it belongs to no known cloud.
    """
    for cloud in list_providers():
        if scheme in cloud.uri_schemes:
            return cloud
    allowed = ", ".join(sorted(f"{s}://" for c in list_providers() for s in c.uri_schemes))
    raise ProviderNotAvailableError(
        f"{parameter}: no cloud has the scheme {scheme}://; allowed: {allowed}" + _broken(),
        kind=ErrorKind.INVALID_ARGUMENT,
    )


def canonical_scheme(scheme: str) -> str:
    """The first of a cloud's schemes that share a default connection, for any of them.

    ``abfss`` becomes ``abfs``; a scheme of no known cloud stays what it is.
    """
    for cloud in list_providers():
        if scheme in cloud.uri_schemes:
            default = cloud.uri_schemes[scheme]
            return next(s for s, conn_id in cloud.uri_schemes.items() if conn_id == default)
    return scheme


def default_connection(scheme: str) -> str | None:
    """The connection a URI of this scheme uses when it names none; ``None``: of no known cloud."""
    return next((c.uri_schemes[scheme] for c in list_providers() if scheme in c.uri_schemes), None)


def connection_of(location: Location) -> str | None:
    """The connection that a location is reached by; ``None``: its scheme is of no known cloud."""
    return location.conn_id or default_connection(location.scheme)


def resolve(port: type[P], conn_id: str) -> P:
    """The hook that fits ``port``, on the connection's cloud.

    :raises CredentialsError: as :func:`cloud_of`.
    :raises ProviderNotAvailableError: when the cloud has no such service, or when its extra
        is not installed (the error names it).
    """
    return _hook(port, cloud_of(conn_id), conn_id)


def resolve_location(location: Location, *, parameter: str) -> tuple[Cloud, ObjectStore]:
    """The object store that a location lies in, and its cloud.

    :raises CredentialsError: kind ``invalid_argument`` when the URI's scheme and the
        connection's type belong to different clouds.
    """
    cloud = cloud_of_scheme(location.scheme, parameter=parameter)
    return cloud, _located(ObjectStore, cloud, cloud.uri_schemes, location, parameter)


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


def how_to_install(requirement: str) -> str:
    """A command that exists: this package is on no index, so it is named as it can be had.

    :param requirement: of this package (``airflow-multicloud[gcp]``), or of a cloud's own one.
    """
    name, bracket, extras = requirement.partition("[")
    if name != _DISTRIBUTION:
        return f"pip install '{requirement}'"
    wheel = f"airflow_multicloud-{__version__}-py3-none-any.whl"
    return (
        f"pip install '.{bracket}{extras}' in a checkout of {_DISTRIBUTION}, or "
        f"pip install '{wheel}{bracket}{extras}' where its wheel is"
    )


def require_extra(module: str, extra: str) -> None:
    """Refuse to go on without an optional dependency.

    :raises ProviderNotAvailableError: kind ``unsupported``, naming what to install.
    """
    if find_spec(module) is None:
        raise ProviderNotAvailableError(
            f"{module} is not installed: {how_to_install(f'{_DISTRIBUTION}[{extra}]')}",
            kind=ErrorKind.UNSUPPORTED,
        )


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
    service = port.__module__.rpartition(".")[2]
    name = f"{cloud.module}.{service}"
    try:
        if find_spec(name) is None:
            raise ProviderNotAvailableError(
                f"{cloud.title} has no {service}", kind=ErrorKind.UNSUPPORTED, cloud=cloud.name
            )
        module: Any = importlib.import_module(name)
    except ImportError as err:
        if err.name is None or err.name.startswith(cloud.module):
            raise  # A mistake in the cloud's own code, which installing won't mend.
        raise ProviderNotAvailableError(
            f"{cloud.title} needs {err.name}, which is not installed: "
            f"{how_to_install(cloud.requirement)}",
            kind=ErrorKind.UNSUPPORTED,
            cloud=cloud.name,
        ) from err
    try:
        hook: P = module.Hook(**{module.Hook.conn_name_attr: conn_id})
    except (AttributeError, LookupError, TypeError, ValueError) as err:
        raise _unusable(cloud, conn_id, err) from None
    return hook


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
    # Imported here: Airflow takes seconds to load, and plain API users may never get here.
    from airflow.providers.common.compat.sdk import AirflowException
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowRuntimeError

    try:
        connection = BaseHook.get_connection(conn_id)
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
    return str(connection.conn_type)
