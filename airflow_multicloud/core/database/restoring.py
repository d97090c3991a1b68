"""Restores into new instances: one for each order, however often a task is tried.

A name may not be free although nothing is seen that has it: Google Cloud keeps a deleted
instance's for about a week
(https://docs.cloud.google.com/sql/docs/postgres/delete-instance), and on Azure names are unique
among all customers. So a derived name has a generation, which is raised a few times at most.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from airflow_multicloud.core.database.accounts import check_account
from airflow_multicloud.core.database.identity import (
    MAP_INDEX,
    RESTORE,
    RUN,
    OrderIdentity,
    Requester,
    identity_of,
    identity_of_order,
)
from airflow_multicloud.core.database.restores import BegunRestore, RestoredDatabase, RestoreWish
from airflow_multicloud.core.database.sources import RestoreSource, source_of
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabaseRef,
    DatabaseService,
    DatabaseState,
    FromPointInTime,
    RestoreOrder,
)
from airflow_multicloud.ports.operations import Operation
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

#: So many names are tried for one order.
_GENERATIONS = 6
_GONE = (DatabaseState.FAILED, DatabaseState.DELETING)


def begin_restore(
    service: DatabaseService, requester: Requester, wish: RestoreWish
) -> BegunRestore:
    """Restore into a new instance, or find the one that this requester ordered before.

    :raises DatabaseError: as :meth:`~airflow_multicloud.ports.database.Database.restore_database`;
        ``precondition_failed`` for a source of another account, and for an instance with the
        order's own name that has failed.
    """
    source = source_of(service, wish)
    wanted = _identity(requester, source, wish)
    readable = requester.readable if wish.name is None else None
    earlier = _ordered_before(service, source, wanted, readable)
    there = [one for one in earlier if one[1].state not in _GONE]
    removing = _remove_failed(service, earlier, wish)
    if there:
        identity = max(there, key=lambda one: one[0].generation)[0]
        operation = service.restore_database(_order(wish, source, identity))
        return _begun(source, identity, operation, found=True, removing=removing)
    _tell_of_others(service, source, wanted)
    first = max((one[0].generation for one in earlier), default=-1) + 1
    last = first + (_GENERATIONS if wish.name is None else 1) - 1
    for generation in range(first, last + 1):
        fresh = replace(wanted, generation=generation, moment=source.moment)
        identity = fresh.named(wish.name, requester.readable)
        try:
            operation = service.restore_database(_order(wish, source, identity))
        except DatabaseError as err:
            if err.kind is not ErrorKind.ALREADY_EXISTS or generation == last:
                raise
            _log.info("another name is tried: %s", printable(str(err)))
            continue
        return _begun(source, identity, operation, found=False, removing=removing)
    raise AssertionError("a range of generations is never empty")


def restored_database(
    service: DatabaseService, begun: BegunRestore, *, conn_id: str, cloud: str
) -> RestoredDatabase:
    """What the new instance is, once its operation has succeeded.

    :raises DatabaseError: ``integrity`` when it does not carry what was ordered.
    """
    ref = DatabaseRef(begun.operation.resource, begun.region)
    instance = service.describe_database(ref)
    identity = identity_of(instance.labels, instance.name)
    check_account(instance.ref.id, instance.account_id, begun.account_id)
    if identity is None or identity.token != begun.identity.token:
        raise DatabaseError(
            f"{instance.ref.id} was restored, and does not carry the labels of its order",
            kind=ErrorKind.INTEGRITY,
            cloud=cloud,
        )
    return RestoredDatabase(
        conn_id=conn_id,
        cloud=cloud,
        id=instance.ref.id,
        name=instance.name,
        region=instance.ref.region,
        account_id=instance.account_id,
        engine=instance.engine,
        engine_version=instance.engine_version,
        endpoint=instance.endpoint,
        source=begun.source,
        restored_moment=identity.moment,
        scratch=identity.scratch,
        found=begun.found,
        token=identity.token,
        console_url=instance.console_url,
    )


def _identity(requester: Requester, source: RestoreSource, wish: RestoreWish) -> OrderIdentity:
    time = source.order.time if isinstance(source.order, FromPointInTime) else None
    asked = {
        "time": None if time is None else time.isoformat(),
        "name": wish.name,
        "size": wish.size,
        "network": None if wish.network is None else to_document(wish.network),
        "scratch": wish.scratch,
        "protected": wish.deletion_protected,
    }
    return identity_of_order(
        RESTORE,
        requester,
        source.id,
        asked,
        again_when_cleared=wish.name is None,
        scratch=wish.scratch,
    )


def _order(wish: RestoreWish, source: RestoreSource, identity: OrderIdentity) -> RestoreOrder:
    return RestoreOrder(
        source=source.order,
        name=identity.name,
        token=identity.token,
        labels={**wish.labels, **identity.labels()},
        size=wish.size,
        network=wish.network,
        deletion_protected=wish.deletion_protected,
    )


def _begun(
    source: RestoreSource,
    identity: OrderIdentity,
    operation: Operation,
    *,
    found: bool,
    removing: tuple[Operation, ...] = (),
) -> BegunRestore:
    return BegunRestore(
        source=source.id,
        identity=identity,
        account_id=source.account_id,
        found=found,
        region=source.place.region,
        operation=operation,
        removing=removing,
    )


def _ordered_before(
    service: DatabaseService, source: RestoreSource, wanted: OrderIdentity, readable: str | None
) -> list[tuple[OrderIdentity, DatabaseInstance]]:
    """What this order has made, whatever its generation.

    That carries its full identity, or may be labelled later and has the name that was derived.

    :param readable: of the requester; ``None`` for an order with a name of its own, which a cloud
        finds by it.
    """
    names = {}
    if readable is not None:
        made = [replace(wanted, generation=number) for number in range(_GENERATIONS)]
        names = {one.name: one for one in (each.named(None, readable) for each in made)}
    found = []
    for one in service.list_databases({}, source.place):
        if source.account_id not in (None, one.account_id):
            continue
        identity = identity_of(one.labels, one.name)
        if identity is None:
            named = names.get(one.name) if one.labels_may_follow else None
            identity = named and replace(named, moment=_moment_of(source, one))
        elif (
            identity.token != replace(wanted, generation=identity.generation).token
            or identity.scratch != wanted.scratch
        ):
            continue
        if identity is not None:
            found.append((identity, one))
    return found


def _moment_of(source: RestoreSource, made: DatabaseInstance) -> datetime | None:
    """What an instance holds that does not say so yet: of "the latest" no later than its making."""
    if isinstance(source.order, FromPointInTime) and source.order.time is None:
        known = [one for one in (source.moment, made.created_at) if one is not None]
        return min(known, default=None)
    return source.moment


def _remove_failed(
    service: DatabaseService,
    earlier: list[tuple[OrderIdentity, DatabaseInstance]],
    wish: RestoreWish,
) -> tuple[Operation, ...]:
    """Remove what earlier tries of this order have left and can't be used.

    One that can't be removed costs itself: it is removed with the others of its run.
    """
    removing = []
    for identity, instance in earlier:
        if instance.state not in _GONE:
            continue
        if wish.name is not None and instance.state is DatabaseState.FAILED:
            raise DatabaseError(
                f"name: {instance.ref.id} of an earlier try has failed "
                f"({instance.error or 'no reason is known'}); remove it, or give another name",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        try:
            removing.append(
                service.remove_database(instance.ref, token=identity.token, final_snapshot=None)
            )
        except DatabaseError as err:
            _log.warning("%s is left: %s", printable(instance.ref.id), printable(str(err)))
    return tuple(removing)


def _tell_of_others(service: DatabaseService, source: RestoreSource, wanted: OrderIdentity) -> None:
    """Say what the same task of the same run has ordered otherwise before: it costs as well."""
    labels = {RUN: wanted.run, MAP_INDEX: wanted.map_index}
    for one in service.list_databases(labels, source.place):
        if one.state is not DatabaseState.DELETING:
            _log.warning(
                "%s of an earlier order of this task is still there; RemoveDatabaseOperator "
                "removes it as well when it is scratch",
                printable(one.ref.id),
            )
