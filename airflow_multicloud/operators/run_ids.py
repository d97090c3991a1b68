"""What a run is called: its name in ledgers, and that of its plan and evidence."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_multicloud.opening.airflow_id import airflow_id

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

#: Of the part of a name that is there for readers.
_READABLE = 120


def run_id_of(context: Context, part: str = "", *, shared: bool = False) -> str:
    """A name that nothing else has, safe in a key, and still readable.

    Ids are shortened and what a key can't hold is replaced, so a digest of the exact ones makes
    the difference; of the Airflow, DAG, run, ``part`` and map index. The try comes last: what an
    earlier one has recorded is read, and never written over.

    :param part: which replication of the DAG run it is, as one run may have several: the task's
        id, or the task group's.
    :param shared: the tasks of a group work on one replication: all of them, whatever their map
        index and try, get the same name.
    """
    ti = context["ti"]
    map_index, tried = (None, None) if shared else (_of(ti, "map_index", -1), _of(ti, "try_number"))
    exact = (context["dag"].dag_id, context["run_id"], part, map_index)
    digest = hashlib.sha256(json.dumps((airflow_id(), *exact)).encode()).hexdigest()[:16]
    names = [str(name) for name in exact if name not in ("", None, -1)]
    readable = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(names))[:_READABLE]
    if readable.startswith("."):
        readable = f"_{readable[1:]}"
    return f"{readable}-{digest}" if tried is None else f"{readable}-{digest}-{tried}"


def task_of(context: Context, task: BaseOperator) -> str:
    """What every try of a task has in common, and nothing else has."""
    ti = context.get("ti")
    run_id, map_index = getattr(ti, "run_id", ""), _of(ti, "map_index", -1)
    return json.dumps([airflow_id(), task.dag_id, run_id, task.task_id, map_index])


def started_at(context: Context) -> datetime:
    """When the DAG run started, which all of its tasks and their tries have in common.

    A run that is cleared starts once more.
    """
    run: Any = context.get("dag_run")
    found = getattr(run, "start_date", None) or getattr(run, "run_after", None)
    return found if isinstance(found, datetime) else datetime.now(UTC)


def _of(ti: object, name: str, default: int = 1) -> int:
    found: int = getattr(ti, name, default)
    return found
