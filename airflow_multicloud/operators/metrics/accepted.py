"""What a task's earlier tries had accepted, which Airflow remembers from try to try.

Airflow 3.3 and later have a store for each task instance that outlives a try; before it, a retry
sends everything again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_multicloud.core.metrics.settled import Settled
from airflow_multicloud.documents import read_document, to_document
from airflow_multicloud.errors import CloudError
from airflow_multicloud.ports.accounting import Accounting

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Context

_KEY = "multicloud metrics accepted"
#: What a store holds may have 64 KiB (``[state_store] max_value_storage_bytes``); an account of
#: many reasons has about one.
_MOST = 50


def accepted_before(task: BaseOperator, context: Context) -> Settled:
    """What need not be sent again; nothing where Airflow does not remember."""
    store = _store(context)
    told = None if store is None else store.get(_KEY)
    found: dict[str, Accounting] = {}
    for digest, document in (told if isinstance(told, dict) else {}).items():
        try:
            found[digest] = read_document(Accounting, document, what="what was accepted before")
        except CloudError as err:
            task.log.warning("sent again: %s", err)
    return Settled(found)


def remember_accepted(context: Context, settled: Settled) -> None:
    """Keep it for the next try."""
    store = _store(context)
    accounts = settled.accounts
    if store is not None and accounts:
        kept = [*accounts.items()][:_MOST]
        store.set(_KEY, {digest: to_document(account) for digest, account in kept})


def _store(context: Context) -> Any:
    return context.get("task_state_store")
