"""What the operators of databases share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.database.given import check_not_nothing, line, reference
from airflow_multicloud.core.database.identity import Requester
from airflow_multicloud.documents import to_document
from airflow_multicloud.errors import DatabaseError, ErrorKind
from airflow_multicloud.links.consoles import push_console_links
from airflow_multicloud.lists import is_template
from airflow_multicloud.opening.airflow_id import airflow_id
from airflow_multicloud.operators.operations import OperationOperator
from airflow_multicloud.ports.database import (
    DatabaseInstance,
    DatabaseRef,
    FromPointInTime,
    FromSnapshot,
)

if TYPE_CHECKING:
    from airflow.sdk import DAG, BaseOperator, Context


def requester_of(context: Context, task: BaseOperator, task_id: str | None = None) -> Requester:
    """A task of this run, whichever its try: what it orders is found again by that.

    :param task_id: another task of the same DAG and run; this one when left out.
    """
    ti = context["ti"]
    airflow, named = airflow_id(), task_id or task.task_id
    run = [airflow, task.dag_id, getattr(ti, "run_id", ""), named]
    map_index = getattr(ti, "map_index", None)
    return Requester(
        run=json.dumps(run),
        map_index=-1 if map_index is None else map_index,
        # Airflow counts it for the whole run, whichever of its tasks is cleared.
        clearings=getattr(context.get("dag_run"), "clear_number", None) or 0,
        readable=task.dag_id,
        series=json.dumps([airflow, task.dag_id, named]),
    )


#: The keys in XCom of what a restore restores and a snapshot is taken of: its id, and its region
#: where that was given. It is there before anything is ordered, so that a removal knows where to
#: look for what came of it.
SOURCE_KEY = "restore_source"
SNAPSHOT_SOURCE_KEY = "snapshot_source"
#: Beside a restore's source: the digest of its run, as what it makes has it.
_RUN = "run"


def tell_source(
    context: Context, requester: Requester, source: FromSnapshot | FromPointInTime
) -> None:
    """Say where to look for what a restore may make, and whose it is."""
    ref = source.snapshot if isinstance(source, FromSnapshot) else source.database
    value = {**to_document(ref), _RUN: requester.run_digest}
    context["ti"].xcom_push(key=SOURCE_KEY, value=value)


def tell_snapshot_source(context: Context, database: DatabaseRef) -> None:
    """Say where to look for a snapshot that may be taken."""
    context["ti"].xcom_push(key=SNAPSHOT_SOURCE_KEY, value=to_document(database))


def sources_told(context: Context, task_id: str, key: str = SOURCE_KEY) -> tuple[DatabaseRef, ...]:
    """What a task of this run has said that it restores, or takes snapshots of; of every map index.

    :raises DatabaseError: ``invalid_argument`` when something else stands there.
    """
    told = _told(context, task_id, key)
    return tuple(reference(f"{key} of {task_id}", one, None) for one in told)


def check_same_run(context: Context, task_id: str, requester: Requester) -> None:
    """Refuse to look for a restore that has ordered as another run than it is looked for as.

    :param requester: the restore, as this process knows it.
    :raises DatabaseError: ``precondition_failed``: its process knew another ``airflow_id``.
    """
    runs = {one.get(_RUN) for one in _told(context, task_id, SOURCE_KEY) if isinstance(one, dict)}
    if runs - {None, requester.run_digest}:
        raise DatabaseError(
            f"restore_task_id: {task_id} has restored as another Airflow than this process takes "
            "itself for, so nothing of it would be found. Give all processes the same [multicloud] "
            "airflow_id (or [api] base_url), the one that the restore had, and clear this task; or "
            "remove what was restored by its id (database)",
            kind=ErrorKind.PRECONDITION_FAILED,
        )


def have_all_told(context: Context, dag: DAG | None, task_id: str, told: int) -> bool:
    """Whether as many values were told as a task has instances in this run.

    What an earlier try has told is gone when the next one begins, and that may die before it tells.

    :param told: how many.
    """
    task = None if dag is None else dag.task_dict.get(task_id)
    if task is None or not (task.is_mapped or task.get_closest_mapped_task_group()):
        return told > 0
    count = context["ti"].get_ti_count(
        dag_id=task.dag_id, task_ids=[task_id], run_ids=[context["run_id"]]
    )
    return 0 < count <= told


def _told(context: Context, task_id: str, key: str) -> list[Any]:
    pulled = context["ti"].xcom_pull(task_ids=task_id, key=key)
    return [one for one in (pulled if isinstance(pulled, list) else [pulled]) if one is not None]


def given_sources(
    dag: DAG | None, task_id: str, parameters: Sequence[str]
) -> tuple[DatabaseRef, ...]:
    """What a task's own parameters say, where they are no templates.

    A retry that died has told nothing, although the try before it may have ordered something.

    :param parameters: the first that says something counts.
    """
    task = None if dag is None else dag.task_dict.get(task_id)
    region = getattr(task, "region", None)
    for parameter in parameters:
        given = getattr(task, parameter, None)
        text = given.get("id") if isinstance(given, Mapping) else given
        if isinstance(text, str) and text and not is_template(text):
            return () if is_template(region or "") else (reference(parameter, given, region),)
    return ()


def link_to(context: Context, name: str, url: str | None) -> None:
    """Link a task to the page of an instance, where it has one."""
    if url is not None:
        push_console_links(context, {name: url})


class DatabaseOperator(OperationOperator):
    """An operator that has a cloud do something with a database, and waits for it.

    :param conn_id: the connection of the instance's cloud.
    :param region: in which it is; the connection's own when left out.
    :param account: in which it must be, or nothing is done: AWS account, Google project, Azure
        subscription. It and ``region`` are refused when a template makes nothing of them.
    """

    def __init__(
        self,
        *,
        conn_id: str,
        region: str | None = None,
        account: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.conn_id = conn_id
        self.region = region
        self.account = account
        self._has_region = region is not None
        self._has_account = account is not None

    def check_place(self) -> None:
        """Refuse what is nothing in this run and was given.

        :raises DatabaseError: ``invalid_argument``.
        """
        line("conn_id", self.conn_id, what="the id of a connection")
        if self._has_region:
            check_not_nothing("region", self.region)
        if self._has_account:
            check_not_nothing("account", self.account)


def link_to_instance(context: Context, instance: DatabaseInstance) -> None:
    """Link a task to an instance's page, where it has one."""
    link_to(context, instance.name, instance.console_url)
