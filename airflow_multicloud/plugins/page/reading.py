"""The content of a file that a task has written, within limits of time and size."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLongError
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from airflow.models import Connection
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import select

from airflow_multicloud.adapters.digests import sha256_of
from airflow_multicloud.core.telemetry import submit_in_context
from airflow_multicloud.errors import CloudError
from airflow_multicloud.known_clouds import connection_of
from airflow_multicloud.locations import parse_location
from airflow_multicloud.opening.places import read_place
from airflow_multicloud.plugins.page.files import RecordedFile
from airflow_multicloud.plugins.page.recorded import TaskRef, task_of
from airflow_multicloud.registry import session as connections_read_once
from airflow_multicloud.text import duration_text, printable, size_text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_log = logging.getLogger(__name__)

#: Bytes of a file that is shown; evidence has no more.
MAX_BYTES = 8 << 20
#: Seconds until a reader is told that it takes too long.
TIMEOUT = 20.0
#: So many files are read at once; others are told to try again.
AT_ONCE = 4

_OURS = "airflow_multicloud."
_free = BoundedSemaphore(AT_ONCE)
_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="multicloud-page")


class NotShownError(Exception):
    """A file that is not shown; its text says why, for who asked.

    :param status: of the answer.
    """

    def __init__(self, why: str, status: int) -> None:
        super().__init__(why)
        self.status = status


def check_file(session: Session, task: TaskRef, file: RecordedFile) -> None:
    """See that a file may be opened for whoever may read the task that wrote it.

    :raises NotShownError: saying why not.
    """
    if file.why_not is not None:
        raise NotShownError(f"{file.uri} is not opened here: {file.why_not}", 409)
    conn_id = connection_of(parse_location(file.uri, parameter="file")) or ""
    if (team := Connection.get_team_name(conn_id, session=session)) is not None:
        raise NotShownError(
            f"Connection {conn_id!r} is of the team {team!r}. This server opens files only by "
            "connections that all teams have; read it with: airflow multicloud fetch "
            f"{file.uri} <a file>",
            403,
        )
    if not _is_ours(session, task):
        raise NotShownError(
            "The operator of this task is not one of airflow-multicloud's own, but another class "
            "of the same name. What it says it has written is not opened here.",
            403,
        )


def read_file(file: RecordedFile) -> bytes:
    """What a task has written, if it still is that.

    :param file: that :func:`check_file` lets pass.
    :raises NotShownError: saying why not: it can't be reached, takes too long, is too large, or is
        not what the task wrote.
    """
    if not _free.acquire(blocking=False):
        raise NotShownError("Others are reading files just now. Try again in a moment.", 503)
    # What takes too long goes on until the SDK gives up, and is of no more bytes than allowed.
    reading = submit_in_context(_threads, _read, file.uri)
    reading.add_done_callback(lambda _: _free.release())
    try:
        failed = reading.exception(TIMEOUT)
    except TookTooLongError as err:
        raise NotShownError(
            f"{file.uri} could not be read within {duration_text(TIMEOUT)}. Try again later.", 504
        ) from err
    if failed is not None:
        _log.error("%s could not be read", printable(file.uri), exc_info=failed)
        why = str(failed) if isinstance(failed, CloudError) else "its log says why"
        raise NotShownError(f"{file.uri} could not be read by this server: {why}", 502)
    content = reading.result()
    if sha256_of(content) != file.sha256:
        raise NotShownError(
            f"{file.uri} is not what this task has written (SHA-256 {file.sha256}): it was "
            "replaced since. Look at the task that wrote it last.",
            409,
        )
    return content


def limits() -> str:
    """What of a file is shown, in words."""
    return f"at most {size_text(MAX_BYTES)}, within {duration_text(TIMEOUT)}"


def _read(uri: str) -> bytes:
    with connections_read_once():
        return read_place("file", uri, MAX_BYTES)


def _is_ours(session: Session, task: TaskRef) -> bool:
    """Whether the task's class is one of this package's, by the DAG that Airflow knows."""
    query = (
        select(SerializedDagModel)
        .join(TaskInstance, TaskInstance.dag_version_id == SerializedDagModel.dag_version_id)
        .where(
            TaskInstance.dag_id == task.dag_id,
            TaskInstance.run_id == task.run_id,
            TaskInstance.task_id == task.task_id,
            TaskInstance.map_index == task.map_index,
        )
        .limit(1)
    )
    serialized = session.scalar(query)
    known = task_of(serialized, task.task_id)
    return str(known.get("_task_module", "")).startswith(_OURS)
