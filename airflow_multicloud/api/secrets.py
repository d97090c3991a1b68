"""Secrets kept equal in several clouds, and compared; no function here gives a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from airflow_multicloud.core.secret_sync.options import DeletionPolicy, OnConflict
from airflow_multicloud.core.secret_sync.report import SyncFailedError, SyncReport
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening import secrets as _opening
from airflow_multicloud.opening.secrets import GivenSync
from airflow_multicloud.ports.secrets import Secret
from airflow_multicloud.registry import session

__all__ = [
    "SyncFailedError",
    "SyncReport",
    "list_secrets",
    "secret_drift",
    "sync_secrets",
]


@session()
@operation("secrets.sync")
def sync_secrets(
    source: str,
    destinations: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    prefix: str | None = None,
    on_conflict: OnConflict | str = OnConflict.FAIL,
    deletion_policy: DeletionPolicy | str = DeletionPolicy.RETAIN,
    max_replace: int = 10,
    max_remove: int = 10,
    preserve_tags: bool = True,
    accounts: Mapping[str, str] | None = None,
    dry_run: bool = False,
    workers: int = 8,
) -> SyncReport:
    """Make secrets of other stores equal to those of a source, and write only what differs.

    The parameters are those of
    :class:`~airflow_multicloud.operators.secrets.sync.SyncSecretsOperator`.

    :raises SecretsError: ``invalid_argument`` for what is wrong with the call;
        ``precondition_failed`` when a connection leads to another store than expected;
        ``not_found`` when the source has nothing of what is meant. Nothing was written then.
    :raises SyncFailedError: when something failed, is a conflict, or more would be replaced or
        removed than is allowed; with the report. A dry run raises it for the same reasons.
    """
    report = _opening.sync_secrets(
        GivenSync(
            source=source,
            destinations=destinations,
            names=names,
            prefix=prefix,
            on_conflict=on_conflict,
            deletion_policy=deletion_policy,
            preserve_tags=preserve_tags,
            dry_run=dry_run,
            accounts=accounts,
            numbers={"max_replace": max_replace, "max_remove": max_remove, "workers": workers},
        )
    )
    report.raise_if_failed()
    return report


@session()
@operation("secrets.drift")
def secret_drift(
    source: str,
    destinations: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    prefix: str | None = None,
    preserve_tags: bool = True,
    accounts: Mapping[str, str] | None = None,
) -> SyncReport:
    """How secrets differ from those of a source; nothing is written.

    The report is one of a dry run; its ``in_sync`` says whether everything is equal. What differs,
    and what could not be looked at, is in it and raises nothing.

    :param source: connection id of the store that the others are compared with.
    :param destinations: connection ids.
    :param names: which secrets.
    :param prefix: instead of names: all secrets of the source whose names begin so.
    :param preserve_tags: whether tags are compared, too.
    :param accounts: connection id → the store that it must lead to.
    :raises CloudError: as :func:`sync_secrets`, but for its ``SyncFailedError``.
    """
    return _opening.secret_drift(
        GivenSync(
            source=source,
            destinations=destinations,
            names=names,
            prefix=prefix,
            preserve_tags=preserve_tags,
            accounts=accounts,
        )
    )


@session()
@operation("secrets.list")
def list_secrets(conn_id: str, *, prefix: str = "") -> tuple[Secret, ...]:
    """The secrets of a store, by name, without values.

    :param prefix: how their names begin.
    :raises CloudError: when the store can't be asked.
    """
    return _opening.list_secrets(conn_id, prefix)
