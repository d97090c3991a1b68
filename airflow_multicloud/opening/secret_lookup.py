"""The stores that a secrets backend asks, opened from variables of the environment alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from airflow_multicloud import registry
from airflow_multicloud.adapters.masking import mask_value
from airflow_multicloud.core.secret_lookup.asked_store import AskedStore
from airflow_multicloud.core.secret_lookup.lookup import Lookup
from airflow_multicloud.core.secret_lookup.options import LookupOptions
from airflow_multicloud.errors import CredentialsError, ErrorKind
from airflow_multicloud.ports.secrets import SecretsService

#: By process, stores and options: Airflow makes a new backend for each option of its configuration
#: that it looks up, and threads and connections do not survive a fork.
_SHARED: dict[tuple[int, tuple[str, ...], LookupOptions], Lookup] = {}


def shared_lookup(conn_ids: Sequence[str], options: LookupOptions) -> Lookup:
    """This process's lookup over these stores, with what it has kept.

    :param conn_ids: in the order in which they are asked.
    """
    key = (os.getpid(), tuple(conn_ids), options)
    found = _SHARED.get(key)
    # No lock, which a process could be forked with.
    return _SHARED.setdefault(key, open_lookup(conn_ids, options)) if found is None else found


def open_lookup(
    conn_ids: Sequence[str], options: LookupOptions, *, compares: bool = True
) -> Lookup:
    """A lookup over these stores; nothing is opened or asked yet.

    :param conn_ids: in the order in which they are asked.
    :param compares: whether stores that were not needed are asked afterwards.
    """
    stores = [
        AskedStore(
            one,
            partial(registry.resolve, SecretsService, one),
            options,
            read_connection=partial(connection_of_environment, one),
        )
        for one in conn_ids
    ]
    return Lookup(stores, options, mask=mask_value, compares=compares)


def connection_of_environment(conn_id: str) -> object:
    """The connection of a store.

    :raises CredentialsError: ``not_found`` when no variable of the environment has the connection:
        it can't come from a store; ``invalid_argument`` when it can't be read.
    """
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    if variable not in os.environ:
        raise CredentialsError(
            f"stores: connection {conn_id!r} is in no variable {variable} of the environment; the "
            "secrets backend reads its own connections from there only",
            kind=ErrorKind.NOT_FOUND,
        )
    return registry.read_connection(conn_id)
