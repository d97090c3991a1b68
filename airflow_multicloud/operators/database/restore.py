"""Restore a database into a new instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.given import check_not_nothing
from airflow_multicloud.core.database.restores import BegunRestore, RestoreWish
from airflow_multicloud.core.database.restoring import begin_restore, restored_database
from airflow_multicloud.core.database.wishes import check_restore, restore_wish
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.links.consoles import CONSOLE_LINKS
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.operations import Begun, ended_operations
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.database.base import (
    DatabaseOperator,
    link_to,
    requester_of,
    tell_source,
)
from airflow_multicloud.operators.operations import Wait, wait_for
from airflow_multicloud.ports.database import Database, DatabaseNetwork

if TYPE_CHECKING:
    from airflow.sdk import Context


class RestoreDatabaseOperator(DatabaseOperator):
    """Restore a snapshot, or an instance as it was, into a new instance: into scratch by default.

    Nothing is ever restored over. A retry finds the instance that an earlier try has begun, by its
    labels, and never makes two. Who clears the task gets another one; the earlier one stays until
    :class:`~airflow_multicloud.operators.database.remove.RemoveDatabaseOperator` removes all that
    this task of this run has restored. Returns the new instance with its endpoint, the moment that
    it holds, and the token that removing it needs.

    :param database: the instance to restore, as its cloud writes it or by its name; or else
        ``snapshot``.
    :param snapshot: full id of the snapshot to restore, or what a ``SnapshotDatabaseOperator``
        returned: its ``output``.
    :param at: the moment to restore the database at: a time with a timezone, also as a text;
        ``"latest"``, as when left out, is the latest that its cloud can. Refused when a template
        makes nothing of it.
    :param name: of the new instance; left out it is derived from the run, which only scratch may.
    :param scratch: whether it may be removed when the run is over. It is then labelled so, and is
        never protected from deletion.
    :param labels: besides those that find it.
    :param size: instance class, tier or SKU; the source's own when left out.
    :param network: where it is attached, a mapping of the fields of
        :class:`~airflow_multicloud.ports.database.DatabaseNetwork`; as its source when left out.
    :param deletion_protected: whether its cloud is to refuse to delete it.
    """

    template_fields: Sequence[str] = (
        *("conn_id", "database", "snapshot", "at", "name", "labels", "size", "network"),
        *("region", "account"),
    )
    operator_extra_links = CONSOLE_LINKS

    def __init__(
        self,
        *,
        database: str | Mapping[str, Any] | None = None,
        snapshot: str | Mapping[str, Any] | None = None,
        at: datetime | str | None = None,
        name: str | None = None,
        scratch: bool = True,
        labels: Mapping[str, str] | None = None,
        size: str | None = None,
        network: DatabaseNetwork | Mapping[str, Any] | None = None,
        deletion_protected: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.snapshot = snapshot
        self.at = at
        self.name = name
        self.scratch = scratch
        self.labels = labels
        self.size = size
        self.network = network
        self.deletion_protected = deletion_protected
        optional = ("database", "snapshot", "at", "name", "size", "network")
        self._given = tuple(one for one in optional if getattr(self, one) is not None)
        try:
            check_restore(self._given, scratch=scratch, deletion_protected=deletion_protected)
        except DatabaseError as err:
            raise ValueError(str(err)) from None

    def begin(self, context: Context) -> Wait | Outcome:
        """Have the cloud restore it, or find what an earlier try has begun."""
        wish = self._wish()
        requester = requester_of(context, self)
        tell_source(context, requester, wish.source)
        opened = open_databases(self.conn_id)
        with telemetry.operation("database.restore", cloud__provider=opened.cloud):
            begun = begin_restore(opened.service, requester, wish)
        operation = begun.operation
        said = "an earlier try has begun" if begun.found else "begun"
        self.log.info("%s: the restore of %s into %s", said, begun.source, operation.resource)
        waits = [operation, *begun.removing]
        if all(one.state.is_final for one in waits):
            return self._ended(context, begun)
        return wait_for(
            Database,
            [Begun(conn_id=self.conn_id, operation=one) for one in waits],
            to_document(begun),
        )

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See how it ended."""
        ended, *removed = ended_operations(facts)
        begun = read_document(BegunRestore, state, what="a restore that is waited for")
        return self._ended(context, replace(begun, operation=ended, removing=tuple(removed)))

    def _ended(self, context: Context, begun: BegunRestore) -> Outcome:
        opened = open_databases(self.conn_id)
        begun.operation.raise_if_failed(DatabaseError, opened.cloud)
        for one in begun.removing:
            if one.error is not None:
                self.log.warning("%s is left: %s", one.resource, one.error)
        restored = restored_database(
            opened.service, begun, conn_id=self.conn_id, cloud=opened.cloud
        )
        link_to(context, restored.name, restored.console_url)
        return Outcome(to_document(restored))

    def _wish(self) -> RestoreWish:
        self.check_place()
        for parameter in self._given:
            check_not_nothing(parameter, getattr(self, parameter))
        return restore_wish(
            database=self.database,
            snapshot=self.snapshot,
            at=self.at,
            name=self.name,
            scratch=self.scratch,
            labels=self.labels,
            size=self.size,
            network=self.network,
            deletion_protected=self.deletion_protected,
            region=self.region,
            account=self.account,
        )
