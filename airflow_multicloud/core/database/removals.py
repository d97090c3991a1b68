"""Removing what was restored, until a listing of where it lies shows nothing of it.

Only what carries the full identity of an order of this package is removed, and only with that
order's token. What is not scratch needs a confirmation besides. An instance that has no labels yet
(a clone of Google Cloud's whose restore was killed) is known by its derived name, for a day.

A restore lies where its source does, which may be another region or project than the connection's
own. So what was restored is looked for there too, and the result says where it was looked for.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from airflow_multicloud.core.database.accounts import check_account, check_places
from airflow_multicloud.core.database.final_snapshots import is_kept
from airflow_multicloud.core.database.finishing import still_going
from airflow_multicloud.core.database.given import reference, refused
from airflow_multicloud.core.database.identity import RESTORE, Requester, identity_of
from airflow_multicloud.core.database.places import listed_in, places_of
from airflow_multicloud.core.database.promotions import Allowance
from airflow_multicloud.core.telemetry import count_retry
from airflow_multicloud.documents import Documented
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabasePlace,
    DatabaseRef,
    DatabaseService,
)
from airflow_multicloud.ports.operations import Operation, longest_wait
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchOf:
    """The scratch instances that a task of a run has restored.

    :param run: digest of the requester's run.
    :param map_index: its label; ``None`` for all map indexes.
    :param region: in which they are; the connection's own for ``None``.
    :param account: in which they must be; any for ``None``.
    :param sources: what they were restored from, as far as known: they are looked for where these
        lie as well.
    """

    run: str
    map_index: str | None = None
    region: str | None = None
    account: str | None = None
    sources: tuple[DatabaseRef, ...] = ()

    @classmethod
    def by(
        cls,
        requester: Requester,
        region: str | None,
        account: str | None,
        sources: tuple[DatabaseRef, ...] = (),
    ) -> ScratchOf:
        """Of a requester that is mapped only its own, else those of all map indexes."""
        mapped = requester.map_index >= 0
        return cls(
            run=requester.run_digest,
            map_index=requester.map_label if mapped else None,
            region=region,
            account=account,
            sources=sources,
        )

    def places(self, service: DatabaseService) -> tuple[DatabasePlace, ...]:
        """Where they may be."""
        return places_of(service, self.region, self.account, self.sources)

    def listed(
        self, service: DatabaseService, places: tuple[DatabasePlace, ...]
    ) -> list[tuple[str, DatabaseInstance]]:
        """What is there of it now, with the tokens of the orders."""
        found = []
        for place in places:
            for one, token in listed_in(service, place, self.run, self.map_index):
                if token is None:
                    _log.warning(
                        "left alone, it does not carry the full identity of a scratch instance: %s",
                        printable(one.ref.id),
                    )
                    continue
                check_account(one.ref.id, one.account_id, self.account)
                found.append((token, one))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OneDatabase:
    """One instance.

    :param allowance: for one that is not scratch.
    :param account: in which it must be; any for ``None``.
    """

    ref: DatabaseRef
    allowance: Allowance | None = None
    account: str | None = None

    def places(self, service: DatabaseService) -> tuple[DatabasePlace, ...]:
        """Where it is."""
        return (service.database_place(self.ref),)

    def listed(
        self, service: DatabaseService, _places: tuple[DatabasePlace, ...]
    ) -> list[tuple[str, DatabaseInstance]]:
        """It, if it is there, with its order's token; refused when it may not go."""
        try:
            instance = service.describe_database(self.ref)
        except DatabaseError as err:
            if err.kind is ErrorKind.NOT_FOUND:
                return []
            raise
        check_account(instance.ref.id, instance.account_id, self.account)
        identity = identity_of(instance.labels, instance.name)
        if identity is None or identity.kind != RESTORE:
            raise DatabaseError(
                f"database: {instance.ref.id} does not carry the full identity of a restore by "
                "this package, which removes nothing else",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        if self.allowance is not None:
            self.allowance.check_found("database", instance)
        elif not identity.scratch:
            raise DatabaseError(
                f"database: {instance.ref.id} is not scratch; give confirm and allow to remove it",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        return [(identity.token, instance)]


def one_database(
    database: object, *, region: object, confirm: object, allow: object, account: str | None
) -> OneDatabase:
    """One instance as people name it; nothing is asked of anybody.

    :param confirm: with ``allow``, for one that is not scratch; ``None`` otherwise.
    :raises DatabaseError: ``invalid_argument``.
    """
    ref = reference("database", database, region)
    if (confirm is None) != (allow is None):
        given, missing = ("confirm", "allow") if allow is None else ("allow", "confirm")
        raise refused(missing, None, f"it with {given}")
    allowance = None if confirm is None else Allowance.read(confirm, allow, account)
    if allowance is not None:
        allowance.check_given("database", ref.id)
    return OneDatabase(ref=ref, allowance=allowance, account=account)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedDatabase:
    """An instance whose removal was begun."""

    id: str
    name: str
    region: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRemoval(Documented):
    """How far a removal is, as another process can take it up.

    :param certain_from: nothing counts as gone by a listing made before.
    :param removed: each once, in the order in which they were begun.
    :param waits_for: what goes on.
    :param searched: where it was looked for, and nowhere else.
    :param listed_at: of the listing that has shown nothing there.
    :param token: of the order that made what has a final snapshot, which carries it too.
    :param made_at: when that instance was made.
    """

    certain_from: datetime
    removed: tuple[RemovedDatabase, ...] = ()
    waits_for: tuple[Operation, ...] = ()
    searched: tuple[DatabasePlace, ...] = ()
    listed_at: datetime | None = None
    token: str | None = None
    made_at: datetime | None = None

    @property
    def done(self) -> bool:
        """Whether a listing has shown nothing."""
        return self.listed_at is not None

    @property
    def wait(self) -> timedelta:
        """How long the clouds ask to wait before the next look."""
        return longest_wait(self.waits_for)


def advance_removal(
    service: DatabaseService,
    wanted: ScratchOf | OneDatabase,
    removal: DatabaseRemoval,
    *,
    now: datetime,
    final_snapshot: str | None = None,
) -> DatabaseRemoval:
    """Do what is due, once.

    :param final_snapshot: name of a snapshot to take first.
    :param now: aware.
    :raises DatabaseError: for what can't be removed, once everything else is under way.
    """
    left = still_going(service, removal.waits_for)
    if left:
        return replace(removal, waits_for=left)
    places = wanted.places(service)
    removal = replace(removal, searched=places)
    found = wanted.listed(service, places)
    if not found:
        if not removal.removed:
            # Nothing has shown in whose account it was looked for.
            check_places(service, places, wanted.account)
        # What was ordered just before may not be listed yet.
        certain = now >= removal.certain_from
        if certain and final_snapshot is not None and isinstance(wanted, OneDatabase):
            certain = is_kept(
                service, wanted.ref, final_snapshot, token=removal.token, made_at=removal.made_at
            )
        return replace(removal, waits_for=(), listed_at=now if certain else None)
    removed = {one.id: one for one in removal.removed}
    begun: list[Operation] = []
    refused: list[DatabaseError] = []
    for token, instance in found:
        # Also of one whose removal an earlier try has begun: how it ends is told by an operation.
        _log.info("removing %s", printable(instance.ref.id))
        try:
            operation = _begun(service, instance, token, final_snapshot)
        except DatabaseError as err:
            refused.append(err)
            continue
        begun.append(operation)
        if final_snapshot is not None:
            removal = replace(removal, token=token, made_at=instance.created_at)
        ref = instance.ref
        removed[ref.id] = RemovedDatabase(id=ref.id, name=instance.name, region=ref.region)
    lasting = [err for err in refused if not err.retryable]
    if lasting:
        raise lasting[0]
    for passing in refused:
        count_retry(passing)
        _log.info("not yet: %s: %s", passing.kind, printable(str(passing)))
    return replace(removal, removed=tuple(removed.values()), waits_for=tuple(begun))


def _begun(
    service: DatabaseService, instance: DatabaseInstance, token: str, final_snapshot: str | None
) -> Operation:
    """Remove an instance.

    :raises DatabaseError: ``busy`` for one that was labelled since it was listed: only its name was
        known, and the next listing knows it by its labels.
    """
    try:
        return service.remove_database(instance.ref, token=token, final_snapshot=final_snapshot)
    except DatabaseError as err:
        if err.kind is not ErrorKind.PRECONDITION_FAILED or not instance.labels_may_follow:
            raise
        if _may_still_follow(service, instance.ref):
            raise
        raise DatabaseError(
            f"{instance.ref.id} was labelled meanwhile", kind=ErrorKind.BUSY, cloud=err.cloud
        ) from err


def _may_still_follow(service: DatabaseService, ref: DatabaseRef) -> bool:
    try:
        return service.describe_database(ref).labels_may_follow
    except DatabaseError as err:
        if err.kind is not ErrorKind.NOT_FOUND:
            raise
        return False
