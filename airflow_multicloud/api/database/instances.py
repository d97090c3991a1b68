"""How databases are, their power, and the promotion of replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_multicloud.core.database.accounts import check_account
from airflow_multicloud.core.database.finishing import finished
from airflow_multicloud.core.database.given import duration, reference
from airflow_multicloud.core.database.lags import MAX_AGE
from airflow_multicloud.core.database.promotions import (
    Allowance,
    LagRule,
    PromotedReplica,
    begin_promotion,
    promoted_replica,
)
from airflow_multicloud.core.telemetry import operation
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.ports.database import DatabaseInstance
from airflow_multicloud.registry import session


@session()
@operation("database.describe")
def describe_database(
    conn_id: str, database: str | Mapping[str, Any], *, region: str | None = None
) -> DatabaseInstance:
    """How an instance is now: its role, state, endpoint, and a replica's lag.

    :param conn_id: the connection of its cloud.
    :param database: as its cloud writes it, or its name; or a mapping that has it as ``id``.
    :param region: in which it is; the connection's own when left out.
    :raises CloudError: ``not_found``, ``invalid_argument``, or a connection that can't be used.
    """
    ref = reference("database", database, region)
    return open_databases(conn_id).service.describe_database(ref)


@session()
@operation("database.promote")
def promote_replica(
    conn_id: str,
    replica: str,
    *,
    confirm: str,
    allow: Sequence[str],
    max_lag: timedelta | None = None,
    max_lag_age: timedelta = MAX_AGE,
    promote_unknown_lag: bool = False,
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = timedelta(seconds=10),
) -> PromotedReplica:
    """Make a replica a primary of its own, for good: what it has not received by then is lost.

    :param conn_id: the connection of its cloud.
    :param replica: as its cloud writes it, or its name.
    :param confirm: the instance's name, exactly.
    :param allow: full ids or names of what may be promoted; there are no patterns. Of Azure SQL
        full ids only, as a name is unique on its server only.
    :param max_lag: how far it may be behind; one that is not known is refused. ``None``: it does
        not matter.
    :param max_lag_age: how old the measurement of the lag may be.
    :param promote_unknown_lag: promote although its cloud has no measurement of the lag at all.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done.
    :param timeout: for the promotion.
    :param poll_interval: between two looks.
    :raises CloudError: ``invalid_argument`` before any call, ``precondition_failed`` when it is
        too far behind or in another account; what its promotion has failed with.
    """
    ref = reference("replica", replica, region)
    allowance = Allowance.read(confirm, allow, account)
    allowance.check_given("replica", ref.id)
    rule = LagRule(
        max_lag=None if max_lag is None else duration("max_lag", max_lag),
        max_age=duration("max_lag_age", max_lag_age),
        unknown=promote_unknown_lag,
    )
    opened = open_databases(conn_id)
    before, begun = begin_promotion(opened.service, ref, allowance, rule, datetime.now(UTC))
    so_far = PromotedReplica.before(conn_id, opened.cloud, before, already=begun is None)
    if begun is None:
        return so_far
    finished(
        opened.service, begun, poll_interval=poll_interval, timeout=timeout, cloud=opened.cloud
    )
    return promoted_replica(opened.service, so_far)


@session()
@operation("database.power")
def power_database(
    conn_id: str,
    database: str,
    *,
    on: bool,
    region: str | None = None,
    account: str | None = None,
    timeout: timedelta = timedelta(hours=1),
    poll_interval: timedelta = timedelta(seconds=10),
) -> DatabaseInstance:
    """Start an instance, or stop it and keep its data; gives the instance as it is then.

    :param conn_id: the connection of its cloud.
    :param database: as its cloud writes it, or its name.
    :param on: whether it is to run.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done.
    :param timeout: for all of it.
    :param poll_interval: between two looks.
    :raises CloudError: as :func:`describe_database`; ``busy``, ``precondition_failed``.
    """
    ref = reference("database", database, region)
    opened = open_databases(conn_id)
    if account is not None:
        found = opened.service.describe_database(ref)
        check_account(found.ref.id, found.account_id, account)
    begun = opened.service.power_database(ref, on=on)
    finished(
        opened.service, begun, poll_interval=poll_interval, timeout=timeout, cloud=opened.cloud
    )
    return opened.service.describe_database(ref)
