"""Take a snapshot of a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.given import (
    check_not_nothing,
    duration,
    is_nothing,
    label_map,
    reference,
    resource_name,
)
from airflow_multicloud.core.database.retention import (
    MIN_AGE,
    OlderSnapshots,
    begin_retention,
    check_keep,
)
from airflow_multicloud.core.database.snapshot_removals import SnapshotRemoval
from airflow_multicloud.core.database.snapshots import (
    BegunSnapshot,
    SnapshotWish,
    TakenSnapshot,
    begin_snapshot,
    taken_snapshot,
)
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import DatabaseError
from airflow_multicloud.opening.airflow_id import warn_if_untold
from airflow_multicloud.opening.databases import open_databases
from airflow_multicloud.opening.operations import Begun, ended_operations
from airflow_multicloud.opening.snapshots import (
    check_snapshot_removal,
    retention_of,
    snapshot_removal_arguments,
    tell_snapshot_removal,
)
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.database.base import (
    DatabaseOperator,
    requester_of,
    tell_snapshot_source,
)
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

    With ``keep``, older snapshots of the same series go once the new one is available: those that
    this task has taken of this instance in earlier runs, whatever their map index. All snapshots of
    the newest runs stay. Nothing else is counted or removed, nor what is not ``min_age`` older than
    the snapshot, nor what this run has taken, nor what was taken before the instance was made, of
    another one of its name. One that can't be removed costs nothing but itself: ``retention`` in
    the result says what was removed and what was left, and the next run tries again.

    :param database: as its cloud writes it, or its name.
    :param name: of the snapshot: at most 60 characters, a lower-case letter, then those, digits
        and hyphens; derived from the run when left out; refused when it is nothing in the run.
    :param labels: besides those that find it.
    :param keep: of how many runs, the newest, the snapshots of the series stay; of all when left
        out.
    :param min_age: with ``keep``: nothing is removed that is not so much older than the snapshot: a
        restore may still read it.
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
        keep: int | None = None,
        min_age: timedelta = MIN_AGE,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.name = name
        self._has_name = name is not None
        self.labels = labels
        try:
            self.keep = check_keep(keep)
            self.min_age = duration("min_age", min_age)
        except DatabaseError as err:
            raise ValueError(str(err)) from None

    def begin(self, context: Context) -> Wait | Outcome:
        """Have the cloud take it, or find it."""
        wish = self._wish()
        if self.keep is not None:
            warn_if_untold()
        tell_snapshot_source(context, wish.database)
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
        """See how it ended, and what came of older ones."""
        if "taken" in state:
            taken = read_document(TakenSnapshot, state["taken"], what="a snapshot")
            older = read_document(OlderSnapshots, state["older"], what="a retention")
            return self._retained(taken, older, facts)
        (ended,) = ended_operations(facts)
        begun = read_document(BegunSnapshot, state, what="a snapshot that is waited for")
        return self._ended(replace(begun, operation=ended))

    def _ended(self, begun: BegunSnapshot) -> Wait | Outcome:
        opened = open_databases(self.conn_id)
        begun.operation.raise_if_failed(DatabaseError, opened.cloud)
        taken = taken_snapshot(opened.service, begun, conn_id=self.conn_id, cloud=opened.cloud)
        if taken.found:
            self.log.info("found, not taken by this try: %s, taken at %s", taken.id, taken.taken_at)
        if self.keep is None:
            return Outcome(to_document(taken))
        older = OlderSnapshots.than(begun, self.keep, self.min_age)
        # Two looks before the task's time is over: the snapshot is there, whatever comes of this.
        within = self.time_left - 2 * timedelta(seconds=self.poll_interval)
        removal = begin_retention(datetime.now(UTC), within)
        arguments = snapshot_removal_arguments(self.conn_id, older, removal)
        with telemetry.operation("database.retention", cloud__provider=opened.cloud):
            found = check_snapshot_removal(**arguments)
            if isinstance(found, NotYet) and self.time_left <= timedelta():
                # That look took long; the next one gives up.
                found = check_snapshot_removal(**found.arguments or arguments)
        if not isinstance(found, NotYet):
            return self._retained(taken, older, found)
        return Wait(
            check=check_snapshot_removal,
            arguments=found.arguments or arguments,
            state={"taken": to_document(taken), "older": to_document(older)},
            first_wait=found.wait,
            on_cancel=tell_snapshot_removal,
        )

    def _retained(
        self, taken: TakenSnapshot, older: OlderSnapshots, facts: dict[str, Any]
    ) -> Outcome:
        removal = read_document(SnapshotRemoval, facts, what="a removal")
        retention = retention_of(self.conn_id, older, removal)
        for one in retention.removed:
            self.log.info("removed, older than the newest %d runs': %s", retention.keep, one.id)
        return Outcome(to_document(replace(taken, retention=retention)))

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
