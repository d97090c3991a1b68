"""Which snapshots are to be removed, and where they are looked for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from airflow_multicloud.core.database.accounts import check_account, check_places
from airflow_multicloud.core.database.given import reference
from airflow_multicloud.core.database.identity import (
    MAP_INDEX,
    RUN,
    SNAPSHOT,
    OrderIdentity,
    Requester,
    identity_of,
)
from airflow_multicloud.core.database.promotions import Allowance
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.ports.database import (
    DatabasePlace,
    DatabaseRef,
    DatabaseService,
    Snapshot,
)
from airflow_multicloud.text import printable

_log = logging.getLogger(__name__)

Ours = tuple[OrderIdentity, Snapshot]


class Wanted(Protocol):
    """What is to be removed."""

    def listed(self, service: DatabaseService) -> list[Ours]:
        """What is there of it now."""
        ...

    def places(self, service: DatabaseService) -> tuple[DatabasePlace, ...]:
        """Where it is looked for."""
        ...


def ours(found: Snapshot) -> OrderIdentity | None:
    """The identity of a snapshot that this package has ordered; ``None`` for any other."""
    identity = identity_of(found.labels, found.name)
    return identity if identity is not None and identity.kind == SNAPSHOT else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotsOf:
    """The snapshots that a task of a run has taken.

    :param run: digest of the requester's run.
    :param map_index: its label; ``None`` for all map indexes.
    :param databases: of these instances; for none of all that the connection lists.
    :param account: in which they must be; any for ``None``.
    """

    run: str
    map_index: str | None = None
    databases: tuple[DatabaseRef, ...] = ()
    account: str | None = None

    @classmethod
    def by(
        cls, requester: Requester, databases: Iterable[DatabaseRef], account: str | None
    ) -> SnapshotsOf:
        """Of a requester that is mapped only its own, else those of all map indexes."""
        return cls(
            run=requester.run_digest,
            map_index=requester.map_label if requester.map_index >= 0 else None,
            databases=tuple(dict.fromkeys(databases)),
            account=account,
        )

    def listed(self, service: DatabaseService) -> list[Ours]:
        """What is there of it now."""
        labels = {RUN: self.run}
        if self.map_index is not None:
            labels[MAP_INDEX] = self.map_index
        found = {}
        lists = (service.list_snapshots(one, labels) for one in self.databases or (None,))
        for one in chain.from_iterable(lists):
            identity = ours(one)
            if identity is None:
                _log.warning(
                    "left alone, it does not carry the full identity of a snapshot: %s",
                    printable(one.ref.id),
                )
                continue
            check_account(one.ref.id, one.account_id, self.account)
            found[one.ref.id] = (identity, one)
        return [*found.values()]

    def places(self, service: DatabaseService) -> tuple[DatabasePlace, ...]:
        """Where the instances lie, else the connection's own place."""
        found = (service.database_place(one) for one in self.databases or (None,))
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class OneSnapshot:
    """One snapshot.

    :param allowance: what was confirmed and allowed.
    """

    ref: DatabaseRef
    allowance: Allowance

    def listed(self, service: DatabaseService) -> list[Ours]:
        """It, if it is there; refused when it may not go."""
        try:
            # Not by a listing: it may lie elsewhere than what the connection lists.
            snapshot = service.describe_snapshot(self.ref)
        except DatabaseError as err:
            if err.kind is not ErrorKind.NOT_FOUND:
                raise
            check_places(service, self.places(service), self.allowance.account)
            return []
        self.allowance.check_found("snapshot", snapshot)
        identity = ours(snapshot)
        if identity is None:
            raise DatabaseError(
                f"snapshot: {snapshot.ref.id} does not carry the full identity of a snapshot by "
                "this package, which removes no other",
                kind=ErrorKind.PRECONDITION_FAILED,
            )
        return [(identity, snapshot)]

    def places(self, service: DatabaseService) -> tuple[DatabasePlace, ...]:
        """Where it is."""
        return (service.database_place(self.ref),)


def one_snapshot(
    snapshot: object, *, region: object, confirm: object, allow: object, account: str | None
) -> OneSnapshot:
    """One snapshot as people name it; nothing is asked of anybody.

    :param confirm: its name.
    :param allow: names or full ids of what may be removed.
    :raises DatabaseError: ``invalid_argument``.
    """
    return OneSnapshot(
        ref=reference("snapshot", snapshot, region),
        allowance=Allowance.read(confirm, allow, account),
    )
