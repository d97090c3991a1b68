"""Take a snapshot of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.given import (
    check_not_nothing,
    is_nothing,
    label_map,
    reference,
    resource_name,
)
from airflow_multicloud.core.database.snapshots import (
    BegunSnapshot,
    SnapshotWish,
    begin_snapshot,
    taken_snapshot,
)
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.operations import Begun, ended_operations
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.database.base import DatabaseOperator, requester_of
from airflow_multicloud.operators.operations import Wait, wait_for
from airflow_multicloud.ports.database import Database

if TYPE_CHECKING:
    from airflow.sdk import Context


class SnapshotDatabaseOperator(DatabaseOperator):
    """Take a snapshot of an instance, once: a retry finds the one that an earlier try has begun.

    What is found is found by its labels in the cloud; it must carry all that this task writes, and
    lie in the instance's account. Who clears the task wants another snapshot and gets one, unless
    the snapshot has a ``name`` of its own: there is only one of that name, and the task returns it
    with ``found: true`` and when it was taken.

    :param database: as its cloud writes it, or its name.
    :param name: of the snapshot: at most 60 characters, a lower-case letter, then those, digits
        and hyphens; derived from the run when left out; refused when it is nothing in the run.
    :param labels: besides those that find it.
    """

    template_fields: Sequence[str] = (
        *("conn_id", "database", "name", "labels", "region", "account"),
    )

    def __init__(
        self,
        *,
        database: str,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.name = name
        self._has_name = name is not None
        self.labels = labels

    def begin(self, context: Context) -> Wait | Outcome:
        """Have the cloud take it, or find it."""
        wish = self._wish()
        opened = open_databases(self.conn_id)
        with telemetry.operation("database.snapshot", cloud__provider=opened.cloud):
            begun = begin_snapshot(opened.service, requester_of(context, self), wish)
        operation = begun.operation
        said = "an earlier try has begun" if begun.found else "begun"
        self.log.info("%s: the snapshot %s", said, operation.resource)
        if operation.state.is_final:
            return self._ended(begun)
        return wait_for(
            Database, [Begun(conn_id=self.conn_id, operation=operation)], to_document(begun)
        )

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See how it ended."""
        (ended,) = ended_operations(facts)
        begun = read_document(BegunSnapshot, state, what="a snapshot that is waited for")
        return self._ended(replace(begun, operation=ended))

    def _ended(self, begun: BegunSnapshot) -> Outcome:
        opened = open_databases(self.conn_id)
        begun.operation.raise_if_failed(DatabaseError, opened.cloud)
        taken = taken_snapshot(opened.service, begun, conn_id=self.conn_id, cloud=opened.cloud)
        if taken.found:
            self.log.info("found, not taken by this try: %s, taken at %s", taken.id, taken.taken_at)
        return Outcome(to_document(taken))

    def _wish(self) -> SnapshotWish:
        self.check_place()
        if self._has_name:
            check_not_nothing("name", self.name)
        return SnapshotWish(
            database=reference("database", self.database, self.region),
            name=None if is_nothing(self.name) else resource_name("name", self.name),
            labels=label_map("labels", self.labels),
            account=self.account,
        )
