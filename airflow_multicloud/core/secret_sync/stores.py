"""The stores of a synchronisation, each asked for its name before anything is read of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from airflow_multicloud.core.deliveries import Destination
from airflow_multicloud.core.telemetry import failed
from airflow_multicloud.errors import CloudError, ErrorKind, SecretsError
from airflow_multicloud.ports.secrets import SecretsService, SecretStore

#: Connection → the store that it is expected to lead to.
Accounts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store that answers.

    :param id: its full name, as its cloud gives it.
    """

    conn_id: str
    cloud: str
    hook: SecretsService
    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A destination that can't be used, and why."""

    conn_id: str
    cloud: str
    error: CloudError


def source_store(source: Destination[SecretsService], accounts: Accounts) -> Store:
    """The source.

    :raises CloudError: when it can't be used, or is another store than expected.
    """
    found = _asked(source, accounts)
    if isinstance(found, Unusable):
        raise found.error
    return found


def destination_stores(
    source: Store, destinations: Sequence[Destination[SecretsService]], accounts: Accounts
) -> tuple[Store | Unusable, ...]:
    """The destinations; one that can't be asked fails alone.

    :raises SecretsError: ``invalid_argument`` when one is the source or another one's store;
        ``precondition_failed`` when one is another store than expected.
    """
    known = {source.conn_id, *(one.conn_id for one in destinations)}
    if unknown := sorted({*accounts} - known):
        raise SecretsError(
            f"accounts: {', '.join(unknown)} given, expected only the connections of this "
            f"synchronisation: {', '.join(sorted(known))}",
            kind=ErrorKind.INVALID_ARGUMENT,
        )
    found = tuple(_asked(one, accounts) for one in destinations)
    stores = {source.id: source}
    for one in found:
        if isinstance(one, Unusable):
            continue
        if (other := stores.setdefault(one.id, one)) is not one:
            raise SecretsError(
                f"destinations: connection {one.conn_id!r} leads to {one.id}, as "
                f"{other.conn_id!r} does; expected different stores",
                kind=ErrorKind.INVALID_ARGUMENT,
            )
    return found


def _asked(one: Destination[SecretsService], accounts: Accounts) -> Store | Unusable:
    if one.hook is None:
        missing = one.error or CloudError("it has no hook", kind=ErrorKind.UNSUPPORTED)
        return Unusable(conn_id=one.conn_id, cloud=one.cloud, error=missing)
    try:
        store = one.hook.describe_store()
    except CloudError as err:
        failed(err)
        return Unusable(conn_id=one.conn_id, cloud=one.cloud, error=err)
    expected = accounts.get(one.conn_id)
    if expected is not None and expected not in {store.id, *store.also}:
        raise SecretsError(
            f"accounts: connection {one.conn_id!r} leads to {_told(store)}, expected {expected}; "
            "nothing was read. Correct the connection, or the parameter",
            kind=ErrorKind.PRECONDITION_FAILED,
            cloud=one.cloud,
        )
    return Store(conn_id=one.conn_id, cloud=one.cloud, hook=one.hook, id=store.id)


def _told(store: SecretStore) -> str:
    """With the other names that say more than a part of it."""
    more = sorted(name for name in store.also if name not in store.id)
    return f"{store.id} ({', '.join(more)})" if more else store.id
