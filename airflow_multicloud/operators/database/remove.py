"""Remove what was restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core import telemetry
from airflow_multicloud.core.database.given import (
    check_not_nothing,
    duration,
    is_nothing,
    refused,
    resource_name,
)
from airflow_multicloud.core.database.removals import (
    DatabaseRemoval,
    OneDatabase,
    ScratchOf,
    one_database,
)
from airflow_multicloud.core.waiting import NotYet
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.opening.databases import (
    check_removal,
    removal_arguments,
    tell_removal,
)
from airflow_multicloud.operators.base import Outcome
from airflow_multicloud.operators.database.base import (
    DatabaseOperator,
    check_same_run,
    given_sources,
    have_all_told,
    requester_of,
    sources_told,
)
from airflow_multicloud.operators.operations import Wait
from airflow_multicloud.ports.database import UNSEEN
from airflow_multicloud.registry import cloud_of

if TYPE_CHECKING:
    from airflow.sdk import DAG, Context


class RemoveDatabaseOperator(DatabaseOperator):
    """Remove instances that this package has restored, until a listing shows nothing.

    With ``restore_task_id`` these are the scratch instances that this task of this run has
    restored, also those of tries that died, for every map index (a task that is mapped itself
    removes those of its own). So it makes a teardown of the restore. They are looked for where the
    restore's source lies, which the restore has told by XCom before it ordered anything, and in the
    connection's own place, or in ``region`` and ``account``. What was searched is returned as
    ``searched``: what was restored elsewhere is not removed. With ``database`` it is one
    instance; what is not scratch needs ``confirm`` and ``allow`` besides. An instance that is
    protected, has replicas, or does not carry the full identity of a restore of this package is
    never removed.

    :param restore_task_id: full id of the task that has restored them; or else ``database``.
    :param database: an instance, as its cloud writes it or by its name, or what a
        ``RestoreDatabaseOperator`` returned: its ``output``.
    :param confirm: the instance's name, for one that is not scratch.
    :param allow: full ids or names of what may be removed, for one that is not scratch; of Azure
        SQL full ids only.
    :param final_snapshot: name of a snapshot to take before ``database`` is removed.
    :param region: in which it is; the connection's own when left out. For ``restore_task_id`` it is
        looked in besides the source's.
    :param account: in which it must be, or nothing is done; for ``restore_task_id`` on Google Cloud
        also the project to look in besides the source's.
    :param confirm_after: the closing listing is made no earlier than this after the beginning: what
        a killed task has ordered just before may not be listed yet.
    """

    template_fields: Sequence[str] = (
        *("conn_id", "database", "confirm", "allow", "final_snapshot", "region", "account"),
    )

    def __init__(
        self,
        *,
        restore_task_id: str | None = None,
        database: str | Mapping[str, Any] | None = None,
        confirm: str | None = None,
        allow: Sequence[str] | str | None = None,
        final_snapshot: str | None = None,
        confirm_after: timedelta = UNSEEN,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.restore_task_id = restore_task_id
        self.database = database
        self.confirm = confirm
        self.allow = allow
        self.final_snapshot = final_snapshot
        self.confirm_after = confirm_after
        if (restore_task_id is None) == (database is None):
            raise ValueError("restore_task_id, database: expected exactly one of them")
        optional = ("database", "confirm", "allow", "final_snapshot")
        self._given = tuple(one for one in optional if getattr(self, one) is not None)
        if restore_task_id is not None and self._given:
            raise ValueError(f"{', '.join(self._given)}: expected only with database")
        if (confirm is None) != (allow is None):
            raise ValueError("confirm, allow: expected both or none of them")

    def begin(self, context: Context) -> Wait | Outcome:
        """List and remove, and go on until a listing shows nothing."""
        wanted, final_snapshot, is_source_known = self._wanted(context)
        state = {"is_source_known": is_source_known}
        after = duration("confirm_after", self.confirm_after)
        removal = DatabaseRemoval(certain_from=datetime.now(UTC) + after)
        arguments = removal_arguments(self.conn_id, wanted, removal, final_snapshot)
        with telemetry.operation("database.remove", cloud__provider=cloud_of(self.conn_id).name):
            found = check_removal(**arguments)
        if not isinstance(found, NotYet):
            return self._ended(found, state)
        return Wait(
            check=check_removal,
            arguments=found.arguments or arguments,
            state=state,
            first_wait=found.wait,
            on_cancel=tell_removal,
        )

    def proceed(
        self, context: Context, facts: dict[str, Any], state: dict[str, Any]
    ) -> Wait | Outcome:
        """See what was removed."""
        return self._ended(facts, state)

    def _ended(self, facts: dict[str, Any], state: dict[str, Any]) -> Outcome:
        removal = read_document(DatabaseRemoval, facts, what="a removal")
        for one in removal.removed:
            self.log.info("removed: %s", one.id)
        said = "nothing is left" if removal.removed else "there was nothing to remove"
        self.log.info("%s in: %s", said, "; ".join(map(str, removal.searched)))
        if self.restore_task_id is not None and not state["is_source_known"]:
            self.log.warning(
                "%s has not told what it restores (all of its map indexes), and its parameters "
                "don't say it: a restore that it has begun in another region or project is still "
                "there. Name region or account to look there",
                self.restore_task_id,
            )
        told = to_document(removal)
        return Outcome({key: told[key] for key in ("removed", "searched", "listed_at")})

    def _wanted(self, context: Context) -> tuple[ScratchOf | OneDatabase, str | None, bool]:
        """What is to be removed, after which snapshot, and whether all of its places are known."""
        self.check_place()
        for parameter in self._given:
            check_not_nothing(parameter, getattr(self, parameter))
        if self.restore_task_id is not None:
            dag = self.get_dag()
            if dag is not None and not dag.has_task(self.restore_task_id):
                raise refused(
                    "restore_task_id", self.restore_task_id,
                    f"a task of {self.dag_id}, with the ids of its groups before its own",
                )  # fmt: skip
            return self._scratch(context, dag, self.restore_task_id)
        wanted = one_database(
            self.database,
            region=self.region,
            confirm=self.confirm,
            allow=self.allow,
            account=self.account,
        )
        if is_nothing(self.final_snapshot):
            return wanted, None, True
        return wanted, resource_name("final_snapshot", self.final_snapshot), True

    def _scratch(
        self, context: Context, dag: DAG | None, task_id: str
    ) -> tuple[ScratchOf, None, bool]:
        requester = requester_of(context, self, task_id)
        check_same_run(context, task_id, requester)
        told = sources_told(context, task_id)
        given = given_sources(dag, task_id, ("snapshot", "database"))
        sources = tuple(dict.fromkeys((*told, *given)))
        is_known = bool(self.region or self.account or given) or have_all_told(
            context, dag, task_id, len(told)
        )
        return ScratchOf.by(requester, self.region, self.account, sources), None, is_known
