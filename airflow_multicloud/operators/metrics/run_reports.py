"""What the tasks of a DAG run have reported, for its last task, which exports the run's figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context

_FAILED = ("failed", "upstream_failed")
#: A task that is not in one of these has done nothing in this run: what XCom has of it is of the
#: time before the run was cleared.
_RAN = ("success", "failed")


class RunReports:
    """How far a run has gone well, and what its tasks have told; for a task at its end.

    Make it in a macro of the DAG (``user_defined_macros``), with the task instance of the task
    that asks.

    :param ti: the variable ``ti`` of the templates.
    """

    def __init__(self, ti: Any) -> None:
        self._ti = ti
        found = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id])
        # Of mapped tasks "task_0", "task_1" and so on.
        self._states: Mapping[str, str | None] = found.get(ti.run_id, {})

    @property
    def states(self) -> dict[str, str]:
        """What became of each task by now; those that have not come to anything are left out."""
        return {name: state for name, state in self._states.items() if state is not None}

    @property
    def succeeded(self) -> bool:
        """Whether none of the tasks right before this one has failed.

        So Airflow judges a run whose last task is a teardown: by those that it follows.
        """
        before = (self._states.get(name) for name in self._ti.task.upstream_task_ids)
        return not any(state in _FAILED for state in before)

    @property
    def failed(self) -> tuple[str, ...]:
        """The tasks that have failed in this run until now, by name."""
        return tuple(sorted(name for name, state in self._states.items() if state == "failed"))

    def state_of(self, task_id: str) -> str | None:
        """How a task of this run stands; ``None`` where nothing was decided of it yet."""
        return self._states.get(task_id)

    def of(self, task_id: str, key: str = "return_value") -> Any:
        """What a task has pushed to XCom in this run; ``None`` where it has not come that far."""
        return self._pulled(task_id, key, -1) if self._ran(task_id) else None

    def of_each(self, task_id: str, key: str = "return_value") -> list[Any]:
        """What each of a mapped task's has pushed, without those that have not."""
        pulled, index = [], 0
        while (name := f"{task_id}_{index}") in self._states:
            if self._ran(name):
                pulled.append(self._pulled(task_id, key, index))
            index += 1
        return [one for one in pulled if one is not None]

    def _ran(self, name: str) -> bool:
        return self._states.get(name) in _RAN

    def _pulled(self, task_id: str, key: str, map_index: int) -> Any:
        return self._ti.xcom_pull(task_ids=task_id, key=key, map_indexes=map_index)


def skip_if_empty(param: str) -> Callable[[Context], None]:
    """A ``pre_execute`` that skips its task where a param is an empty list.

    :param param: its name.
    """

    def skip(context: Context) -> None:
        if not context["params"][param]:
            raise AirflowSkipException(f"the param {param} is empty")

    return skip
