"""The clouds there are, by what they say of themselves: names, schemes, connection types.

They are found by the entry point group ``airflow_multicloud.clouds``, each naming a module with
the constants ``NAME, TITLE, REQUIREMENT, CONN_TYPES, URI_SCHEMES``; :func:`register_provider`
adds one at run time. No connection is read here, and no SDK is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from airflow_multicloud.errors import ErrorKind, ProviderNotAvailableError
from airflow_multicloud.locations import Location

ENTRY_POINT_GROUP = "airflow_multicloud.clouds"


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud: what its package says of itself.

    :param module: the dotted name under which its services lie.
    :param requirement: what to install to use all of it (``airflow-multicloud[aws]``).
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


def why_not_loaded() -> str:
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
        + why_not_loaded(),
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
        f"{parameter}: no cloud has the scheme {scheme}://; allowed: {allowed}" + why_not_loaded(),
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
