"""What the tries of a task remember of what was shipped, where Airflow keeps state for tasks.

That is Airflow 3.3 and later (``task_state_store``); it is of one task and map index, and stays
from try to try.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.logs.shipping import ShipReport

if TYPE_CHECKING:
    from airflow.sdk import Context

_KEY = "multicloud logs settled"
#: Digests in all, 12 characters each: Airflow advises to keep a value below 64 KB. What is more
#: than that (about 1.5 GB at one destination) is sent again.
_MOST = 3000


def settled_before(context: Context, log: str) -> Mapping[str, AbstractSet[str]]:
    """By connection id, what earlier tries have settled; empty where nothing is remembered."""
    store: Any = context.get("task_state_store")
    told = None if store is None else store.get(f"{_KEY} {log}")
    if not isinstance(told, Mapping):
        return {}
    return {
        str(conn_id): frozenset(filter(_is_text, digests))
        for conn_id, digests in told.items()
        if isinstance(digests, list)
    }


def remember_settled(context: Context, report: ShipReport) -> None:
    """Keep for a later try what this one and those before it have settled."""
    store: Any = context.get("task_state_store")
    if store is None:
        return
    each = _MOST // len(report.destinations)
    store.set(
        f"{_KEY} {report.log}",
        {one.conn_id: list(one.settled[:each]) for one in report.destinations},
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)
