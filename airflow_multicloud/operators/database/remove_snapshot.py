"""Remove snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.given import (
    check_not_nothing,
    duration,
    reference,
    refused,
)
from airflow_multicloud.core.database.snapshot_removals import SnapshotRemoval
from airflow_multicloud.core.database.wanted_snapshots import OneSnapshot, SnapshotsOf, one_snapshot
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.opening.snapshots import (
    check_snapshot_removal,
    snapshot_removal_arguments,
    tell_snapshot_removal,
)
from airflow_multicloud.operators.base import Outcome, failure_of
from airflow_multicloud.operators.database.base import (
    SNAPSHOT_SOURCE_KEY,
    DatabaseOperator,
    given_sources,
    requester_of,
    sources_told,
)
from airflow_multicloud.operators.operations import Wait
from airflow_multicloud.ports.database import UNSEEN, DatabaseRef
from airflow_multicloud.registry import cloud_of

if TYPE_CHECKING:
    from airflow.sdk import Context


class RemoveSnapshotOperator(DatabaseOperator):
    """Remove snapshots that this package has taken, until a listing shows nothing.

    With ``snapshot_task_id`` these are the snapshots that this task of this run has taken, also
    those of tries that died, for every map index (a task that is mapped itself removes those of its
    own). With ``snapshot`` it is one, which needs ``confirm`` and ``allow``. A snapshot that does
    not carry the full identity of an order of this package is never removed. One that is not there
    is a success. What can't be removed does not keep the others; the task then fails.

    To keep a number of the newest, give ``keep`` to the task that takes them:
    :class:`~airflow_multicloud.operators.database.snapshot.SnapshotDatabaseOperator`.

    :param snapshot_task_id: full id of the task that has taken them; or else ``snapshot``.
    :param database: with ``snapshot_task_id``: only those of this instance, which lies in
        ``region``; left out they are looked for where the task has said in XCom, or its parameters
        say, else where the connection is, which the log warns of. What was searched is returned as
        ``searched``: snapshots elsewhere are not removed.
    :param snapshot: full id of a snapshot, or what a ``SnapshotDatabaseOperator`` returned: its
        ``output``.
    :param confirm: the snapshot's name, exactly.
    :param allow: full ids or names of what may be removed; there are no patterns.
    :param confirm_after: the closing listing is made no earlier than this after the beginning: what
        a killed task has ordered just before may not be listed yet.
    """

    template_fields: Sequence[str] = (
        *("conn_id", "database", "snapshot", "confirm", "allow", "region", "account"),
    )

    def __init__(
        self,
        *,
        snapshot_task_id: str | None = None,
        database: str | Mapping[str, Any] | None = None,
        snapshot: str | Mapping[str, Any] | None = None,
        confirm: str | None = None,
        allow: Sequence[str] | str | None = None,
        confirm_after: timedelta = UNSEEN,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.snapshot_task_id = snapshot_task_id
        self.database = database
        self.snapshot = snapshot
        self.confirm = confirm
        self.allow = allow
        self.confirm_after = confirm_after
        if (snapshot_task_id is None) == (snapshot is None):
            raise ValueError("snapshot_task_id, snapshot: expected exactly one of them")
        if snapshot is not None and (confirm is None or allow is None):
            raise ValueError("confirm, allow: expected with snapshot")
        if snapshot is not None and database is not None:
            raise ValueError("database: expected only with snapshot_task_id")
        if snapshot is None and database is None and self.region is not None:
            raise ValueError("region: expected only with database or snapshot, which lie there")
        if snapshot is None and not (confirm is None and allow is None):
            raise ValueError("confirm, allow: expected only with snapshot")
        optional = ("database", "snapshot", "confirm", "allow")
        self._given = tuple(one for one in optional if getattr(self, one) is not None)

    def begin(self, context: Context) -> Wait | Outcome:
        """List and remove, and go on until a listing shows nothing."""
        wanted = self._wanted(context)
        state = {"is_source_known": isinstance(wanted, OneSnapshot) or bool(wanted.databases)}
        after = duration("confirm_after", self.confirm_after)
        removal = SnapshotRemoval(certain_from=datetime.now(UTC) + after)
        arguments = snapshot_removal_arguments(self.conn_id, wanted, removal)
        cloud = cloud_of(self.conn_id).name
        with telemetry.operation("database.remove_snapshot", cloud__provider=cloud):
            found = check_snapshot_removal(**arguments)
        if not isinstance(found, NotYet):
            return self._ended(found, state)
        return Wait(
            check=check_snapshot_removal,
            arguments=found.arguments or arguments,
            state=state,
            first_wait=found.wait,
            on_cancel=tell_snapshot_removal,
        )

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See what was removed."""
        return self._ended(facts, state)

    def _ended(self, facts: dict[str, Any], state: dict[str, Any]) -> Outcome:
        removal = read_document(SnapshotRemoval, facts, what="a removal")
        for one in removal.removed:
            self.log.info("removed: %s", one.id)
        said = "looked in" if removal.removed else "nothing was removed in"
        self.log.info("%s: %s", said, "; ".join(map(str, removal.searched)))
        if not state["is_source_known"]:
            self.log.warning(
                "%s has not told what it takes snapshots of, and its parameters don't say it: "
                "those of an instance in another region or project are still there. Name database "
                "to look there",
                self.snapshot_task_id,
            )
        told = to_document(removal)
        cloud = cloud_of(self.conn_id).name
        return Outcome(
            {key: told[key] for key in ("removed", "left", "searched", "listed_at")},
            failure_of(lambda: removal.raise_if_left(cloud)),
        )

    def _wanted(self, context: Context) -> SnapshotsOf | OneSnapshot:
        self.check_place()
        for parameter in self._given:
            check_not_nothing(parameter, getattr(self, parameter))
        if self.snapshot_task_id is None:
            return one_snapshot(
                self.snapshot,
                region=self.region,
                confirm=self.confirm,
                allow=self.allow,
                account=self.account,
            )
        dag = self.get_dag()
        if dag is not None and not dag.has_task(self.snapshot_task_id):
            raise refused(
                "snapshot_task_id", self.snapshot_task_id,
                f"a task of {self.dag_id}, with the ids of its groups before its own",
            )  # fmt: skip
        requester = requester_of(context, self, self.snapshot_task_id)
        if self.database is not None:
            databases: tuple[DatabaseRef, ...] = (
                reference("database", self.database, self.region),
            )
        else:
            task_id = self.snapshot_task_id
            databases = sources_told(context, task_id, SNAPSHOT_SOURCE_KEY)
            databases = databases or given_sources(dag, task_id, ("database",))
        return SnapshotsOf.by(requester, databases, self.account)
