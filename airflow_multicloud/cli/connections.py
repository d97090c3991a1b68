"""Which connections there are to check, when a person names none."""

from __future__ import annotations

import os
from collections.abc import Iterable

from airflow.models import Connection
from airflow.utils.session import create_session
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from airflow_multicloud import registry
from airflow_multicloud.cli import output
from airflow_multicloud.errors import CredentialsError, ErrorKind

#: https://airflow.apache.org/docs/apache-airflow/stable/howto/connection.html
_VARIABLE = "AIRFLOW_CONN_"


def known_connections(*, noted: bool = True) -> tuple[str, ...]:
    """Every connection of a cloud, and for a cloud that has none its default ids.

    Those in the environment and in the metadata database; a secrets backend can't be listed.

    :param noted: say so when the database can't be read.
    """
    found = {*_in_environment(), *_stored(noted=noted)}
    clouds = [_cloud(conn_id) for conn_id in found]
    for cloud in registry.list_providers():
        if cloud.name not in clouds:
            found.update(cloud.uri_schemes.values())
    return tuple(sorted(found))


def _in_environment() -> Iterable[str]:
    for variable in os.environ:
        conn_id = variable.removeprefix(_VARIABLE).lower()
        if variable.startswith(_VARIABLE) and _cloud(conn_id) != "":
            yield conn_id


def _cloud(conn_id: str) -> str | None:
    """The cloud's name; empty when it belongs to no known cloud, ``None`` when it can't be read."""
    try:
        return registry.cloud_of(conn_id).name
    except CredentialsError as err:
        return "" if err.kind is ErrorKind.INVALID_ARGUMENT else None


def _stored(*, noted: bool) -> Iterable[str]:
    types = [conn_type for cloud in registry.list_providers() for conn_type in cloud.conn_types]
    wanted = select(Connection.conn_id).where(Connection.conn_type.in_(types))
    try:
        with create_session() as session:
            return [str(conn_id) for conn_id in session.scalars(wanted)]
    except DBAPIError:  # Its text is the driver's, with the database's address in it.
        if noted:
            output.say(
                "note: no connections could be read from the metadata database (is it migrated? "
                f"airflow db check-migrations), so only {_VARIABLE}… connections are known"
            )
        return []
