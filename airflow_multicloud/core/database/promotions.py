"""What guards a promotion: it can't be undone, and loses what the replica has not received."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airflow_multicloud.core.database.accounts import check_account
from airflow_multicloud.core.database.given import line, name_in, name_list, refused
from airflow_multicloud.core.database.lags import MAX_AGE, why_too_far
from airflow_multicloud.documents import Documented
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabaseRef,
    DatabaseRole,
    DatabaseService,
    DatabaseState,
    Snapshot,
)
from airflow_multicloud.ports.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a person has confirmed, and the DAG's author allows.

    :param confirm: the name of the instance, or of the snapshot.
    :param allow: full ids or names; an entry allows exactly what it names. Names of databases of a
        server tell nothing, a replica has its primary's: those are allowed by their full ids only.
    :param account: in which it must be; any for ``None``.
    """

    confirm: str
    allow: tuple[str, ...]
    account: str | None = None

    @classmethod
    def read(cls, confirm: object, allow: object, account: str | None) -> Allowance:
        """What was given, checked.

        :raises DatabaseError: ``invalid_argument``.
        """
        return cls(
            confirm=line("confirm", confirm, what="the name of what is meant"),
            allow=name_list("allow", allow),
            account=account,
        )

    def check_given(self, parameter: str, database: str) -> None:
        """Refuse what can be seen to be wrong before any call.

        :param parameter: which named the instance.
        :param database: its id or name, as it was given.
        :raises DatabaseError: ``invalid_argument``.
        """
        name = name_in(database)
        if self.confirm != name:
            raise refused("confirm", self.confirm, f"{name!r}, the name of what {parameter} says")
        if not any(one == database or name_in(one) == name for one in self.allow):
            raise refused(parameter, database, f"one that allow lists: {', '.join(self.allow)}")

    def check_found(self, parameter: str, found: DatabaseInstance | Snapshot) -> None:
        """Refuse what is not exactly what was confirmed and allowed.

        :raises DatabaseError: ``invalid_argument``, ``precondition_failed`` for the account.
        """
        if self.confirm != found.name:
            raise refused("confirm", self.confirm, f"{found.name!r}, the name of what was found")
        of_a_server = _is_of_a_server(found)
        # No cloud tells ids by their case, and Azure's are given in any.
        by_id = found.ref.id.lower() in {one.lower() for one in self.allow}
        if not by_id and (of_a_server or found.name not in self.allow):
            how = " by its full id, as another server may have its name too" if of_a_server else ""
            allowed = f"one that allow lists{how}: {', '.join(self.allow)}"
            raise refused(parameter, found.ref.id, allowed)
        check_account(found.ref.id, found.account_id, self.account)


def _is_of_a_server(found: DatabaseInstance | Snapshot) -> bool:
    """Whether an instance is one database of a server, on which alone its name is unique."""
    endpoint = found.endpoint if isinstance(found, DatabaseInstance) else None
    return endpoint is not None and endpoint.database is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class LagRule:
    """How far a replica may be behind when it is promoted.

    :param max_lag: ``None``: it does not matter.
    :param max_age: of the measurement.
    :param unknown: whether it may be promoted when its lag is not known.
    """

    max_lag: timedelta | None = None
    max_age: timedelta = MAX_AGE
    unknown: bool = False

    def check(self, instance: DatabaseInstance, now: datetime) -> None:
        """Refuse a replica that is too far behind, or not known not to be.

        :raises DatabaseError: ``precondition_failed``.
        """
        if self.max_lag is None:
            return
        lag = instance.lag
        if self.unknown and (lag is None or lag.value is None):
            return
        why = why_too_far(instance, self.max_lag, self.max_age, now)
        if why is not None:
            raise DatabaseError(
                f"max_lag: {why}; nothing was promoted", kind=ErrorKind.PRECONDITION_FAILED
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotedReplica(Documented):
    """What came of a promotion.

    :param already: it was a primary before this task's first call; ``None`` where that is not
        known: an earlier try of the task may have promoted it.
    :param lag: of the replica when it was last looked at before, where it was known.
    """

    conn_id: str
    cloud: str
    database: DatabaseInstance
    already: bool | None
    lag: timedelta | None = None
    lag_measured_at: datetime | None = None

    @classmethod
    def before(
        cls, conn_id: str, cloud: str, instance: DatabaseInstance, *, already: bool | None
    ) -> PromotedReplica:
        """What is known before the cloud has done it."""
        lag = instance.lag
        return cls(
            conn_id=conn_id,
            cloud=cloud,
            database=instance,
            already=already,
            lag=None if lag is None else lag.value,
            lag_measured_at=None if lag is None else lag.measured_at,
        )


def begin_promotion(
    service: DatabaseService, ref: DatabaseRef, allowance: Allowance, rule: LagRule, now: datetime
) -> tuple[DatabaseInstance, Operation | None]:
    """Check all that is to be checked, then promote.

    :param now: aware.
    :return: the instance as it was before, and what was begun; ``None`` when it is a primary.
    :raises DatabaseError: ``busy`` while its cloud changes something about it, and as
        :meth:`Allowance.check_found` and :meth:`LagRule.check`.
    """
    instance = service.describe_database(ref)
    allowance.check_found("replica", instance)
    if instance.role is DatabaseRole.PRIMARY:
        return instance, None
    if instance.state is not DatabaseState.AVAILABLE:
        # An earlier try may have begun the promotion, which a lag says nothing of any more.
        passing = instance.state not in (DatabaseState.FAILED, DatabaseState.DELETING)
        raise DatabaseError(
            f"replica: {instance.ref.id} is {instance.state}, expected it to be available",
            kind=ErrorKind.BUSY if passing else ErrorKind.PRECONDITION_FAILED,
        )
    rule.check(instance, now)
    return instance, service.promote_replica(instance.ref)


def promoted_replica(service: DatabaseService, so_far: PromotedReplica) -> PromotedReplica:
    """What came of a promotion whose operation has succeeded.

    :raises DatabaseError: ``unavailable`` while its cloud still calls it a replica.
    """
    instance = service.describe_database(so_far.database.ref)
    if instance.role is not DatabaseRole.PRIMARY:
        raise DatabaseError(
            f"{instance.ref.id} was promoted, and its cloud still calls it a {instance.role}",
            kind=ErrorKind.UNAVAILABLE,
            cloud=so_far.cloud,
        )
    return replace(so_far, database=instance)
